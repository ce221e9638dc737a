package prober_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A panic in the middle of a probe is that probe's failure, in the phase that it struck, and leaves nothing open.
func TestPanic(t *testing.T) {
	plain := faultlab.Handler(t, faultlab.Healthy)
	for _, row := range []struct {
		name   string
		breaks func(*module.Module)
		want   outcome
	}{
		{"before the first phase", func(m *module.Module) {
			m.Proxy = func(*http.Request) (*url.URL, error) { panic("boom") }
		}, outcome{result.Resolve, result.Unknown, 0, result.Self, ""}},
		{"in a question to a configured resolver", func(m *module.Module) {
			m.Resolver, m.TLS = &module.Resolver{Servers: []string{"127.0.0.1:1"}, Protocol: "tls"}, nil
		}, outcome{result.Resolve, result.Unknown, 0, result.Self, ""}},
		{"in validate", func(m *module.Module) {
			m.FailIfHeaderMatches = []module.HeaderMatch{{Header: "Content-Type"}} // without an expression
		}, outcome{result.Validate, result.Unknown, 0, result.Self, ""}},
		{"in every address", func(m *module.Module) {
			m.AllAddresses = true
			m.FailIfHeaderMatches = []module.HeaderMatch{{Header: "Content-Type"}}
		}, outcome{result.Validate, result.Unknown, 0, result.Self, ""}},
	} {
		m := labModule()
		row.breaks(m)
		target, err := prober.ParseTarget(strings.Replace(plain, "127.0.0.1", "localhost", 1))
		if err != nil {
			t.Fatal(err)
		}
		r := prober.New(prober.Options{}).Probe(t.Context(), target, m)
		if diff := cmp.Diff(row.want, outcomeOf(r.Failure)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
			continue
		}
		p, ok := errors.AsType[*result.PanicError](r.Failure.Err)
		if !ok || !strings.Contains(string(p.Stack), "panic_test.go") &&
			!strings.Contains(string(p.Stack), "expect.go") && !strings.Contains(string(p.Stack), "prober/dns/") {
			t.Errorf("%s: the failure does not hold the stack: %v", row.name, r.Failure.Err)
		}
	}
}
