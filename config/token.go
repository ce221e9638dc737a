package config

import (
	"errors"
	"fmt"
)

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
