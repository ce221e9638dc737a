package faultlab

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// TokenEndpoint is an OAuth2 token endpoint (RFC 6749 section 4.4): it gives the token "token-N" to the client "lab"
// with the secret "secret", N counting up, and 401 invalid_client to everybody else.
type TokenEndpoint struct {
	URL   string
	given atomic.Int64
}

// Given is how many tokens were given.
func (e *TokenEndpoint) Given() int64 { return e.given.Load() }

// NewTokenEndpoint serves tokens that are valid for a number of seconds.
func NewTokenEndpoint(h Host, seconds int) *TokenEndpoint {
	h.Helper()
	e := new(TokenEndpoint)
	e.URL = Handler(h, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if user, password, _ := r.BasicAuth(); user != "lab" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"token-%d","token_type":"Bearer","expires_in":%d}`, e.given.Add(1),
			seconds)
	}))
	return e
}
