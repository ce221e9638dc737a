package prober_test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func expressions(texts ...string) []*regexp.Regexp {
	list := make([]*regexp.Regexp, len(texts))
	for i, text := range texts {
		list[i] = regexp.MustCompile(text)
	}
	return list
}

// cel compiles an expression as the configuration does.
func cel(text string) *module.CEL {
	c, err := config.Parse([]byte("modules: {m: {prober: http, http: "+
		"{fail_if_body_json_matches_cel: "+strconv.Quote(text)+"}}}"), "f.yml", ".")
	if err != nil {
		panic(err) // the row is wrong
	}
	return c.Modules["m"].FailIfBodyJSONMatches
}

func header(name, expression string, allowMissing bool) []module.HeaderMatch {
	return []module.HeaderMatch{{Header: name, Regexp: regexp.MustCompile(expression), AllowMissing: allowMissing}}
}

func refusedBy(check result.Check) []outcome {
	return []outcome{{result.Validate, result.HTTPContent, 0, "", check}}
}

// TestChecks: the servers are healthy; the module's rules decide.
func TestChecks(t *testing.T) { probeFaults(t, checkRows()) }

func checkRows() []fault {
	plain := func(h faultlab.Host) string { return faultlab.Handler(h, faultlab.Healthy) }
	first := func(h faultlab.Host) string { return faultlab.TLSHandler(h, faultlab.Healthy, "http/1.1") }
	second := func(h faultlab.Host) string { return faultlab.TLSHandler(h, faultlab.Healthy, "h2") }
	packed := func(h faultlab.Host) string {
		return faultlab.Compressed(h, "gzip", faultlab.Gzipped(`{"status":"ok"}`))
	}
	pairs := func(h faultlab.Host) string { // of which there are 400 million
		return faultlab.Handler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "[1"+strings.Repeat(",1", 20_000)+"]") // a prober that has gone is not missed
		}))
	}
	redirect := func(h faultlab.Host) string { return faultlab.Status(h, 302, "Location", "/elsewhere") }
	ok := []outcome{success}
	return []fault{
		{"HTTP/1.1", plain, asIs, once, ok},
		{"HTTPS with HTTP/1.1", first, asIs, once, ok},
		{"HTTPS with HTTP/2", second, asIs, once, ok},
		{"the status that is wanted", status(401), func(m *module.Module) { m.ValidStatusCodes = []int{200, 401} },
			once, ok},
		{"a status that is not wanted", plain, func(m *module.Module) { m.ValidStatusCodes = []int{204} }, once,
			[]outcome{statusError(result.HTTPError)}},
		{"429 that is wanted", status(429), func(m *module.Module) { m.ValidStatusCodes = []int{429} }, once, ok},
		{"version that is wanted", second, func(m *module.Module) { m.ValidHTTPVersions = []string{"HTTP/2.0"} }, once,
			ok},
		{"version that is not wanted", first, func(m *module.Module) { m.ValidHTTPVersions = []string{"HTTP/2.0"} },
			once, refusedBy(result.CheckVersion)},
		{"HTTP/2 switched off", second, func(m *module.Module) {
			m.TLS.NextProtos, m.ValidHTTPVersions = []string{"http/1.1"}, []string{"HTTP/1.1"}
		}, once, ok},
		{"TLS where none is wanted", first, func(m *module.Module) { m.FailIfSSL = true }, once,
			refusedBy(result.CheckTLS)},
		{"no TLS where it is wanted", plain, func(m *module.Module) { m.FailIfNotSSL = true }, once,
			refusedBy(result.CheckTLS)},
		{"TLS where it is wanted", first, func(m *module.Module) { m.FailIfNotSSL = true }, once, ok},
		{"body matches", plain, func(m *module.Module) { m.FailIfBodyMatches = expressions("nothing", `"ok"`) }, once,
			refusedBy(result.CheckBody)},
		{"body does not match", plain, func(m *module.Module) { m.FailIfBodyMatches = expressions("nothing") }, once,
			ok},
		{"body matches as it must", plain, func(m *module.Module) {
			m.FailIfBodyNotMatches = expressions("status",
				"ok")
		}, once, ok},
		{"body does not match all it must", plain,
			func(m *module.Module) { m.FailIfBodyNotMatches = expressions("status", "down") }, once,
			refusedBy(result.CheckBody)},
		{"body under gzip " +
			"matches", packed, func(m *module.Module) { gzip(m); m.FailIfBodyNotMatches = expressions(`^{"status":"ok"}$`) },
			once, ok},
		{"body of a redirect that is not followed", redirect, func(m *module.Module) {
			m.FollowRedirects, m.ValidStatusCodes, m.FailIfBodyMatches = false, []int{302}, expressions("nothing")
		}, once, ok},
		{"CEL matches", plain, func(m *module.Module) { m.FailIfBodyJSONMatches = cel("body.status == 'ok'") }, once,
			refusedBy(result.CheckCEL)},
		{"CEL that takes longer than the deadline", pairs, func(m *module.Module) {
			m.FailIfBodyJSONMatches = cel("!body.all(x, body.all(y, x == y))")
			briefly(m)
		}, once, []outcome{{result.Validate, result.LocalOverloaded, 0, result.Local, result.CheckCEL}}},
		{"CEL does not match", plain, func(m *module.Module) { m.FailIfBodyJSONMatches = cel("body.status == 'down'") },
			once, ok},
		{"CEL matches as it must", plain, func(m *module.Module) {
			m.FailIfBodyJSONNotMatches = cel("body.status == " +
				"'ok'")
		}, once, ok},
		{"CEL does not match as it " +
			"must", plain, func(m *module.Module) {
			m.FailIfBodyJSONNotMatches = cel("body.status == " +
				"'down'")
		}, once, refusedBy(result.CheckCEL)},
		{"CEL on what is not there", plain, func(m *module.Module) { m.FailIfBodyJSONMatches = cel("body.count > 1") },
			once, refusedBy(result.CheckCEL)},
		{"CEL whose value is no " +
			"boolean", plain, func(m *module.Module) { m.FailIfBodyJSONNotMatches = cel("body.status") }, once,
			refusedBy(result.CheckCEL)},
		{"CEL on a body that is not JSON", status(200),
			func(m *module.Module) { m.FailIfBodyJSONMatches = cel("false") }, once, refusedBy(result.CheckCEL)},
		{"CEL and a regexp", plain, func(m *module.Module) {
			m.FailIfBodyJSONNotMatches, m.FailIfBodyNotMatches = cel("body.status == 'ok'"), expressions("status")
		}, once, ok},
		{"CEL on a redirect that is not followed", func(h faultlab.Host) string {
			return faultlab.Answer(h, "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 8\r\n\r\n{\"a\": 1}")
		}, func(m *module.Module) {
			m.FollowRedirects, m.ValidStatusCodes, m.FailIfBodyJSONNotMatches = false, []int{302}, cel("body.a == 1")
		}, once, ok},
		{"body at the limit", plain, func(m *module.Module) { m.BodySizeLimit = 15 }, once, ok},
		{"body over the limit", plain, func(m *module.Module) { m.BodySizeLimit = 14 }, once,
			[]outcome{{result.Validate, result.HTTPContent, 0, result.Self, result.CheckBodySize}}},
		{"body over the limit after decompression", packed, func(m *module.Module) { gzip(m); m.BodySizeLimit = 14 },
			once, []outcome{{result.Validate, result.HTTPContent, 0, result.Self, result.CheckBodySize}}},
		{"header matches", plain, func(m *module.Module) {
			m.FailIfHeaderMatches = header("Content-Type", "json",
				false)
		}, once, refusedBy(result.CheckHeader)},
		{"header does not match", plain, func(m *module.Module) {
			m.FailIfHeaderMatches = header("Content-Type", "html",
				false)
		}, once, ok},
		{"header is missing", plain, func(m *module.Module) { m.FailIfHeaderMatches = header("X-None", "", false) },
			once, refusedBy(result.CheckHeader)},
		{"header may be missing", plain, func(m *module.Module) { m.FailIfHeaderMatches = header("X-None", "", true) },
			once, ok},
		{"header matches as it must", plain, func(m *module.Module) {
			m.FailIfHeaderNotMatches = header("Content-Type",
				"json", false)
		}, once, ok},
		{"header does not match as it must", plain,
			func(m *module.Module) { m.FailIfHeaderNotMatches = header("Content-Type", "html", false) }, once,
			refusedBy(result.CheckHeader)},
		{"header that must match may be missing", plain,
			func(m *module.Module) { m.FailIfHeaderNotMatches = header("X-None", "a", true) }, once, ok},
		{"status comes before the body", status(500),
			func(m *module.Module) { m.FailIfBodyNotMatches = expressions("x") }, once,
			[]outcome{statusError(result.HTTPError)}},
		{"HEAD", plain, func(m *module.Module) { m.Method = http.MethodHead }, once, ok},
		{"HEAD of a compressed body", packed, func(m *module.Module) { gzip(m); m.Method = http.MethodHead }, once, ok},
		{"HEAD over HTTP/2", second, func(m *module.Module) { m.Method = http.MethodHead }, once, ok},
		{"POST over HTTP/2", second, func(m *module.Module) { m.Method, m.Body = http.MethodPost, make([]byte, 1<<20) },
			once, ok},
		{"ten redirects", func(h faultlab.Host) string { return faultlab.Redirects(h) + "10" }, asIs, once, ok},
		{"eleven redirects", func(h faultlab.Host) string { return faultlab.Redirects(h) + "11" }, asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectLoop, 0, result.Self, result.CheckRedirect}}},
		{"redirect that is not followed", redirect, func(m *module.Module) { m.FollowRedirects = false }, once,
			[]outcome{statusError(result.HTTPError)}},
	}
}
