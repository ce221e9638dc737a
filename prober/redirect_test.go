package prober_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// A body that was meant for https is sent again over https, and not over http.
func TestBodiesStayEncrypted(t *testing.T) {
	for _, row := range []struct {
		next string
		want []string // what the servers see
		text string   // of the error; none where the redirect is followed
	}{
		{"home", []string{"https POST body"},
			"wants the body again, which was meant for https, without encryption"},
		{"https", []string{"https POST body", "https POST body Cookie=https=1 Referer=<https>/https"}, ""},
	} {
		s := newSite(t, http.StatusTemporaryRedirect, http.StatusNoContent)
		m := labModule()
		m.Method, m.Body = http.MethodPost, []byte("body")
		r := probe(t, prober.New(prober.Options{Resolver: s.dns}), s.places["https"]+"/"+row.next, m)
		if row.text != "" {
			compareRefused(t, &r, invalid, row.text, 1)
		} else if r.Failure != nil {
			t.Errorf("%s: failure %+v, want none", row.next, outcomeOf(r.Failure))
		}
		if diff := cmp.Diff(row.want, s.lines()); diff != "" {
			t.Errorf("%s: the servers saw (-want +got):\n%s", row.next, diff)
		}
	}
}

// The request that follows from a redirect has the Host that is asked for only at the target's own origin, and asks for
// the end of its connection. What the last response says in Location does not matter.
func TestRedirectedRequest(t *testing.T) {
	for _, row := range []struct {
		name     string
		other    bool   // the redirect leads to another port
		location string // of the last response
		want     string // Host
	}{
		{"to the same origin", false, "", "named.lab.test"},
		{"to another port", true, "", ""},
		{"then a Location that is no URL, with status 200", false, "http://[", "named.lab.test"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var seen heard
			last := recorderOf(&seen, func(w http.ResponseWriter, _ *http.Request) {
				if row.location != "" {
					w.Header().Set("Location", row.location)
				}
			})
			next := "/last"
			if row.other {
				next = faultlab.Handler(t, last) + "last"
			}
			mux := http.NewServeMux()
			mux.Handle("/last", last)
			mux.Handle("/", http.RedirectHandler(next, http.StatusFound))
			m := labModule()
			m.Host = "named.lab.test"
			r := probe(t, prober.New(prober.Options{}), faultlab.Handler(t, mux), m)
			if r.Failure != nil || len(seen.all()) != 1 {
				t.Fatalf("failure %+v, %d requests, want none and 1", outcomeOf(r.Failure), len(seen.all()))
			}
			got, want := seen.all()[0], row.want
			if row.other {
				want = strings.TrimSuffix(strings.TrimPrefix(next, "http://"), "/last")
			}
			if connection := got.Header.Get("Connection"); got.Host != want || connection != "close" {
				t.Errorf("Host %q and Connection %q, want %q and close", got.Host, connection, want)
			}
		})
	}
}

func compareRefused(t *testing.T, r *result.Result, want result.Failure, text string, hops int) {
	t.Helper()
	f := r.Failure
	if f == nil || f.Phase != result.Validate || f.Reason != want.Reason || f.Origin != want.Origin ||
		!strings.Contains(f.Err.Error(), text) || len(r.Last().Hops) != hops {
		t.Errorf("%d hops, failure %+v, want %d and %s: %s", len(r.Last().Hops), f, hops, want.Reason, text)
	}
}
