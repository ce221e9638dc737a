package prober_test

import (
	"net/http"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

var (
	invalid = result.Failure{Reason: result.HTTPRedirectInvalid, Origin: result.Self}
	loop    = result.Failure{Reason: result.HTTPRedirectLoop, Origin: result.Self}
)

// A redirect that is not followed is a failure that names its Location, without what may be secret in it.
func TestRefusedRedirects(t *testing.T) {
	for _, row := range []struct {
		name     string
		location string
		module   func(*module.Module)
		failure  result.Failure
		hops     int
		want     string // of the error
	}{
		{"no URL", "http://[", asIs, invalid, 1, `location "http://[" is not a URL`},
		{"another scheme", "ftp://a.test/x?key=secret", asIs, invalid, 1,
			`location "ftp://a.test/x?key=<hidden>": scheme "ftp" is not supported, want http or https`},
		{"itself", "/", asIs, loop, 11, "stopped after 10 redirects"},
		{"not wanted", "http://[", func(m *module.Module) { m.FollowRedirects = false }, result.Failure{Reason: result.HTTPError}, 1,
			"307 Temporary Redirect, wanted 2xx"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", row.location)
				w.WriteHeader(http.StatusTemporaryRedirect)
			}))
			m := labModule()
			row.module(m)
			r := probe(t, prober.New(prober.Options{}), target, m)
			compareRefused(t, &r, row.failure, row.want, row.hops)
		})
	}
}

// A body that was meant for https is not sent again over http.
func TestBodyStaysEncrypted(t *testing.T) {
	s := newSite(t, http.StatusTemporaryRedirect, http.StatusNoContent)
	m := labModule()
	m.Method, m.Body = http.MethodPost, []byte("hello")
	r := probe(t, prober.New(prober.Options{Resolver: s.dns}), s.places["https"]+"/home", m)
	compareRefused(t, &r, invalid, `wants the body again, which was meant for https, without encryption`,
		1)
}

func compareRefused(t *testing.T, r *result.Result, want result.Failure, text string, hops int) {
	t.Helper()
	f := r.Failure
	if f == nil || f.Phase != result.Validate || f.Reason != want.Reason || f.Origin != want.Origin ||
		!strings.Contains(f.Err.Error(), text) || len(r.Last().Hops) != hops {
		t.Errorf("%d hops, failure %+v, want %d and %s: %s", len(r.Last().Hops), f, hops, want.Reason, text)
	}
}
