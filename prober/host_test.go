package prober_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A redirect or a proxy to a host whose ASCII form is no name is refused where it is read, also where a configured
// server would resolve it.
func TestHostsThatAreNone(t *testing.T) {
	for _, host := range []string{"\u00ad", "\u200b", "\u2060", "\u3002", "a..b", "."} {
		redirecting := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Location"] = []string{"http://" + host + "/"}
			w.WriteHeader(http.StatusFound)
		}))
		read, unread := labTarget(t, redirecting), prober.Target{URL: &url.URL{Scheme: "http", Host: host, Path: "/"}}
		for _, row := range []struct {
			name   string
			target prober.Target
			shape  func(*module.Module)
			want   outcome
		}{
			{"target that nobody has read", unread, func(*module.Module) {},
				outcome{result.Resolve, result.ProbeConfig, 0, result.Self, ""}},
			{"redirect", read, func(*module.Module) {},
				outcome{result.Validate, result.HTTPRedirectInvalid, 0, result.Self, result.CheckRedirect}},
			{"proxy of the environment", read, func(m *module.Module) {
				m.Proxy = func(*http.Request) (*url.URL, error) { return &url.URL{Scheme: "http", Host: host}, nil }
			}, outcome{result.Proxy, result.ProbeConfig, 0, result.Self, ""}},
		} {
			m := labModule()
			m.Resolver = &module.Resolver{Servers: []string{"127.0.0.1:1"}, Protocol: "udp"}
			row.shape(m)
			r := prober.New(prober.Options{}).Probe(t.Context(), row.target, m)
			if diff := cmp.Diff(row.want, outcomeOf(r.Failure)); diff != "" {
				t.Errorf("%s to %q (-want +got):\n%s\n%v", row.name, host, diff, r.Failure)
			}
		}
	}
}

func labTarget(t *testing.T, raw string) prober.Target {
	t.Helper()
	target, err := prober.ParseTarget(raw)
	if err != nil {
		t.Fatal(err)
	}
	return target
}
