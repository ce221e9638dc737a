package metrics

import (
	"net/http"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// addHTTP adds the facts of the final response. Without one they are 0, as dashboards made for blackbox_exporter
// expect.
func (e *Exposition) addHTTP(a *result.Attempt, m *module.Module, failure *result.Failure) {
	last := a.LastHop()
	response := last.Response
	if response == nil {
		response = &result.Response{}
	}
	e.gauge("probe_http_status_code", "Status code of the final response, 0 if there was none.",
		float64(response.Status))
	e.gauge("probe_http_version", "HTTP version of the final response, such as 1.1 or 2, 0 if there was none.",
		float64(response.ProtoMajor)+float64(response.ProtoMinor)/10)
	e.gauge("probe_http_content_length", "Content-Length of the final response in bytes, -1 if it had none, 0 if "+
		"there was no response.",
		float64(response.ContentLength))
	e.gauge("probe_http_uncompressed_body_length", "Bytes read of the final response's body, after decompression.",
		float64(response.BodyBytes))
	e.gauge("probe_http_redirects", "Number of redirects, including a last one that was not followed.", redirects(a))
	e.gauge("probe_http_ssl", "1 if the final response came over TLS, 0 if not, or if there was none.",
		number(last.Response != nil && last.TLS != nil && last.TLS.Complete))
	if e.detail != Scraped || m.HasRegexp() {
		e.gauge("probe_failed_due_to_regex", "1 if a regular expression on the body or a header rejected the response, 0 "+
			"if not.",
			number(refusedByRegexp(failure)))
	}
	if u := last.Upstream; u != nil {
		e.gauge("probe_upstream_failure_info", "1 with what a gateway's answer states about its upstream (error types "+
			"of RFC 9209), and the gateway; absent if it states nothing.", 1,
			label{"by", string(u.By)}, label{"reason", string(u.Reason)})
	}
	if m.HasCEL() {
		e.gauge("probe_failed_due_to_cel", "1 if a CEL expression on the body rejected the response, 0 if not.",
			number(failure != nil && failure.Check == result.CheckCEL && failure.Reason == result.HTTPContent))
	}
	if modified, ok := lastModified(response); ok {
		e.gauge("probe_http_last_modified_timestamp_seconds", "The final response's Last-Modified as a Unix time.",
			float64(modified.Unix()))
	}
}

func refusedByRegexp(failure *result.Failure) bool {
	return failure != nil && (failure.Check == result.CheckHeader || failure.Check == result.CheckBody)
}

// redirects counts as blackbox_exporter does: each followed redirect, and a final response that would have led on.
func redirects(a *result.Attempt) float64 {
	count := len(a.Hops) - 1
	if response := a.LastHop().Response; response != nil && leadsOn(response) {
		count++
	}
	return float64(count)
}

// leadsOn reports whether a response is a redirect (RFC 9110 section 15.4).
func leadsOn(response *result.Response) bool {
	switch response.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return response.Header.Get("Location") != ""
	default:
		return false
	}
}

func lastModified(response *result.Response) (time.Time, bool) {
	value := response.Header.Get("Last-Modified")
	if value == "" {
		return time.Time{}, false
	}
	modified, err := http.ParseTime(value)
	return modified, err == nil
}
