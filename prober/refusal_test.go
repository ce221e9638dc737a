package prober_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A response that a rule refuses says which rule it was, what was wanted and what came. What is long is cut, and what
// is secret is not shown.
func TestRefusals(t *testing.T) {
	const failsChecks = "the response fails the module's checks: "
	url := faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Foo", "bar")
		w.Header().Set("X-Long", strings.Repeat("x", 1000))
		w.Header().Set("X-Echo", strings.Repeat("y", 220)+r.Header.Get("X-Api-Key"))
		w.Header().Set("Set-Cookie", "session=hunter2")
		w.WriteHeader(http.StatusNotFound)
	}))
	any := func(m *module.Module) { m.ValidStatusCodes = []int{404} }
	for _, row := range []struct {
		name   string
		change func(*module.Module)
		check  result.Check
		index  int
		want   string
	}{
		{"status", func(*module.Module) {}, result.CheckStatus, 0, "unexpected HTTP status: 404 Not Found, wanted 2xx"},
		{"statuses", func(m *module.Module) { m.ValidStatusCodes = []int{200, 204} }, result.CheckStatus, 0,
			"unexpected HTTP status: 404 Not Found, wanted 200, 204"},
		{"many statuses", func(m *module.Module) {
			for status := 200; status < 300; status++ {
				m.ValidStatusCodes = append(m.ValidStatusCodes, status)
			}
		}, result.CheckStatus, 0, "unexpected HTTP status: 404 Not Found, wanted 200, 201, 202, 203, 204, 205, 206, 207, " +
			"208, 209, …"},
		{"header", func(m *module.Module) {
			m.FailIfHeaderMatches = append(header("X-Foo", "no", true), header("X-Foo", "^b", true)...)
		}, result.CheckHeader, 1, failsChecks + `header X-Foo matches "^b": bar`},
		{"header does not match", func(m *module.Module) {
			m.FailIfHeaderMatches = header("X-Foo", "no", true)
			m.FailIfHeaderNotMatches = append(header("X-Foo", "bar", true), header("X-Foo", "baz", true)...)
		}, result.CheckHeader, 2, failsChecks + `header X-Foo does not match "baz": bar`},
		{"header is missing", func(m *module.Module) { m.FailIfHeaderNotMatches = header("X-None", "x", false) },
			result.CheckHeader, 0, failsChecks + `header X-None is missing`},
		{"a long header", func(m *module.Module) { m.FailIfHeaderMatches = header("X-Long", "x", true) },
			result.CheckHeader, 0, failsChecks + result.Cut(`header X-Long matches "x": `+strings.Repeat("x", 1000), 256)},
		{"a cookie", func(m *module.Module) { m.FailIfHeaderMatches = header("Set-Cookie", "x|s", true) },
			result.CheckHeader, 0, failsChecks + `header Set-Cookie matches "x|s": <hidden>`},
		{"a secret that the server repeats", func(m *module.Module) {
			m.Header.Set("X-Api-Key", "hunter2hunter2")
			m.FailIfHeaderMatches = header("X-Echo", "^.{200}", true)
		}, result.CheckHeader, 0, failsChecks + result.Cut(`header X-Echo matches "^.{200}": `+strings.Repeat("y", 220)+"<hidden>", 256)},
		{"body", func(m *module.Module) { m.FailIfBodyMatches = expressions("x", "^$") }, result.CheckBody, 1,
			failsChecks + `body matches "^$"`},
		{"body does not match", func(m *module.Module) {
			m.FailIfBodyMatches, m.FailIfBodyNotMatches = expressions("x"), expressions("", "y")
		}, result.CheckBody, 2, failsChecks + `body does not match "y"`},
		{"version", func(m *module.Module) { m.ValidHTTPVersions = []string{"HTTP/2.0", "HTTP/3.0"} },
			result.CheckVersion, 0, failsChecks + "HTTP/1.1, wanted HTTP/2.0 or HTTP/3.0"},
		{"TLS", func(m *module.Module) { m.FailIfNotSSL = true }, result.CheckTLS, 0,
			failsChecks + "the final response came without TLS, and fail_if_not_ssl is set"},
	} {
		t.Run(row.name, func(t *testing.T) {
			target, err := prober.ParseTarget(url)
			if err != nil {
				t.Fatal(err)
			}
			m := module.New("m")
			m.Timeout = time.Minute
			if row.check != result.CheckStatus {
				any(m)
			}
			row.change(m)
			r := prober.New(prober.Options{}).Probe(t.Context(), target, m)
			if r.Failure == nil {
				t.Fatal("the probe succeeded")
			}
			f := r.Failure
			if f.Check != row.check || f.Index != row.index || f.Sentence() != row.want {
				t.Errorf("%s, rule %d, %s\nwant %s, rule %d, %s", f.Check, f.Index, f.Sentence(), row.check, row.index,
					row.want)
			}
		})
	}
}
