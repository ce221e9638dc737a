package record

import (
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// maxHeaders bounds how many header lines of a head are shown.
const maxHeaders = 100

// request is the head as it was sent, secrets module.Masked.
func (p *page) request(h *result.RequestHead, m *module.Module) {
	p.section("  Request")
	p.line("    %s %s", h.Method, h.URL)
	p.line("    Host: %s", h.Host)
	p.header(h.Header, 0, func(name, value string) string { return requestValue(name, value, m) })
	if h.Body > 0 {
		p.line("    and a body of %s", count(h.Body, "byte"))
	}
}

// response is the head as it came, secrets module.Masked, and what became of the body.
func (p *page) response(r *result.Response, m *module.Module) {
	p.section("  Response")
	p.line("    %s %s", r.Proto, r.StatusText)
	p.header(r.Header, r.Omitted, func(name, value string) string { return responseValue(name, value, m) })
	end := "broken off"
	if r.Complete {
		end = "complete"
	}
	announced := "no length announced"
	if r.ContentLength >= 0 {
		announced = fmt.Sprintf("Content-Length %d", r.ContentLength)
	}
	p.line("    body: %s, %s, %s", count(r.BodyBytes, "byte"), announced, end)
	if len(r.Body) > 0 {
		p.section("  Body, its first %s", count(int64(len(r.Body)), "byte"))
		for line := range strings.Lines(string(r.Body)) {
			p.line("    %s", strings.TrimRight(line, "\r\n"))
		}
	}
}

// header adds a line for each value, the names in order, as shown decides. Omitted fields are those that are not in the
// header any more.
func (p *page) header(header http.Header, omitted int, shown func(name, value string) string) {
	lines := 0
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			if lines++; lines <= maxHeaders {
				p.line("    %s: %s", name, shown(name, value))
			}
		}
	}
	if more := max(0, lines-maxHeaders) + omitted; more > 0 {
		p.line("    … %s more", count(more, "line"))
	}
}

// What is shown of requests and responses. Nothing that may be a credential is: not userinfo, not the value of a header
// or a query parameter whose name sounds like one, and of the request not the value of any header that the module did
// not write in the clear, under headers.

// requestValue is what is shown of a request header's value. Those that the program writes itself contain no secret.
func requestValue(name, value string, m *module.Module) string {
	switch {
	case textproto.CanonicalMIMEHeaderKey(name) == "Referer":
		return m.MaskLink(value)
	case !m.ShowsHeader(name, value):
		return module.Masked
	}
	return value
}

// responseValue is what is shown of a response header's value.
func responseValue(name, value string, m *module.Module) string {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Location", "Content-Location":
		return m.MaskLink(value)
	}
	if module.SoundsSecret(name) {
		return module.Masked
	}
	return value
}
