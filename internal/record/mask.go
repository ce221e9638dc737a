package record

import (
	"net/textproto"
	"slices"

	"errno_exporter/prober/module"
)

// What is shown of requests and responses. Nothing that may be a credential is: not userinfo, not the value of a header
// or a query parameter whose name sounds like one, and of the request not the value of any header that the module did
// not write in the clear, under headers.

// requestValue is what is shown of a request header's value. Those that the program writes itself contain no secret.
func requestValue(name, value string, m *module.Module) string {
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case "Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Host", "User-Agent":
		return value
	case "Referer":
		return m.MaskLink(value)
	}
	if module.SoundsSecret(name) || !slices.Contains(m.Header.Values(name), value) {
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
