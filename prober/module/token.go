package module

import (
	"errors"
	"fmt"
)

// Bounds of what a token endpoint may send.
const (
	MaxTokenBytes = 2 << 20 // of a connection; golang.org/x/oauth2 reads 1 MiB of a body at most
	MaxTokenReads = 20_000
)

// ErrTokenFlood says that a token endpoint sent more than a token can be.
var ErrTokenFlood = fmt.Errorf("flood: the token endpoint sent more than %d bytes, or in more than %d pieces",
	MaxTokenBytes, MaxTokenReads)

// ErrTokenRedirect is a redirect of a token endpoint that is not followed.
var ErrTokenRedirect = errors.New("the token endpoint redirects")

// TokenError says that the token endpoint gave no token, so that no request could be made.
type TokenError struct {
	Endpoint string // the token_url without userinfo and query
	Status   int    // of the endpoint's answer; 0 where none came
	Err      error
}

func (e *TokenError) Error() string {
	return fmt.Sprintf("oauth2 token from %s: %v", e.Endpoint, e.Err)
}

// Unwrap returns what the endpoint or the way to it did.
func (e *TokenError) Unwrap() error { return e.Err }
