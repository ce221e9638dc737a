package prober

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// validate checks a complete response by the module's rules, in the order of the Check constants. The first rule that
// is not met is the failure.
func (h *hop) validate(body []byte) {
	if h.failure != nil || h.Response == nil {
		return
	}
	began := h.attempt.elapsed()
	if f := h.check(body); f != nil {
		h.fail(result.Validate, began, *f)
		return
	}
	h.done(result.Validate, began, h.attempt.elapsed())
}

func (h *hop) check(body []byte) *result.Failure {
	m, r := h.attempt.module, h.Response
	if f := h.checkStatus(); f != nil {
		return f
	}
	if err := checkHeader(m, r.Header); err != nil {
		return refused(result.CheckHeader, err)
	}
	if err := h.checkBody(body); err != nil {
		return refused(result.CheckBody, err)
	}
	if f := h.checkJSON(body); f != nil {
		return f
	}
	if len(m.ValidHTTPVersions) > 0 && !slices.Contains(m.ValidHTTPVersions, r.Proto) {
		return refused(result.CheckVersion, fmt.Errorf("the response is %s, want one of %q", r.Proto,
			m.ValidHTTPVersions))
	}
	secure := h.request.URL.Scheme == "https"
	if m.FailIfSSL && secure {
		return refused(result.CheckTLS, fmt.Errorf("the final response came over TLS, and fail_if_ssl is set"))
	}
	if m.FailIfNotSSL && !secure {
		return refused(result.CheckTLS, fmt.Errorf("the final response came without TLS, and fail_if_not_ssl is set"))
	}
	return nil
}

func refused(check result.Check, err error) *result.Failure {
	return &result.Failure{Reason: result.HTTPContent, Check: check, Err: err}
}

// checkStatus distinguishes an API that limits our rate (RFC 6585 section 4, RFC 9110 section 15.6.4) and a proxy that
// wants credentials from any other unexpected status.
func (h *hop) checkStatus() *result.Failure {
	valid, r := h.attempt.module.ValidStatusCodes, h.Response
	if len(valid) == 0 && r.Status >= 200 && r.Status < 300 || slices.Contains(valid, r.Status) {
		return nil
	}
	f := &result.Failure{Reason: result.HTTPError, Check: result.CheckStatus,
		Err: fmt.Errorf("status %s", r.StatusText)}
	switch {
	case r.Status == http.StatusTooManyRequests,
		r.Status == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != "":
		f.Reason = result.HTTPRateLimited
	case r.Status == http.StatusProxyAuthRequired && h.forward != nil:
		f.Reason, f.Origin = result.ProxyAuthRequired, result.Peer
	}
	return f
}

func checkHeader(m *module.Module, header http.Header) error {
	for _, rule := range m.FailIfHeaderMatches {
		values, err := headerValues(header, rule)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(values, rule.Regexp.MatchString) {
			return fmt.Errorf("header %q matches %q", rule.Header, rule.Regexp)
		}
	}
	for _, rule := range m.FailIfHeaderNotMatches {
		values, err := headerValues(header, rule)
		if err != nil {
			return err
		}
		if len(values) > 0 && !slices.ContainsFunc(values, rule.Regexp.MatchString) {
			return fmt.Errorf("header %q does not match %q", rule.Header, rule.Regexp)
		}
	}
	return nil
}

// largeBody is the size in bytes from which bodies are taken apart one after the other.
const largeBody = 64 << 10

// checkJSON applies the CEL expressions to the body, which must be JSON for them. The response is complete by now: a
// deadline that comes before it was checked is not the target's.
func (h *hop) checkJSON(body []byte) *result.Failure {
	m, ctx := h.attempt.module, h.attempt.ctx
	if m.FailIfBodyJSONMatches == nil && m.FailIfBodyJSONNotMatches == nil {
		return nil
	}
	if len(body) > largeBody {
		select {
		case h.attempt.prober.parsing <- struct{}{}:
			defer func() { <-h.attempt.prober.parsing }()
		case <-ctx.Done():
			return notChecked(ctx, result.CheckCEL, ctx.Err())
		}
	}
	if size, most := decodedSize(body), max(decodedRoom, decodedGain*m.BodySizeLimit); size > most {
		return refused(result.CheckCEL, fmt.Errorf("the body's JSON takes about %d MB of memory, which exceeds the %d MB "+
			"for fail_if_body_json_*: a larger body_size_limit allows %d times as much", size>>20, most>>20, decodedGain))
	}
	var document any
	if err := json.Unmarshal(body, &document); err != nil {
		return refused(result.CheckCEL, fmt.Errorf("body is not JSON: %w", err))
	}
	for _, rule := range []struct {
		*module.CEL
		fails bool // by this value
		words string
	}{{m.FailIfBodyJSONMatches, true, "matches"}, {m.FailIfBodyJSONNotMatches, false, "does not match"}} {
		if rule.CEL == nil {
			continue
		}
		value, err := rule.Eval(ctx, document)
		switch {
		case err != nil && ctx.Err() != nil:
			return notChecked(ctx, result.CheckCEL, err)
		case err != nil:
			return refused(result.CheckCEL, err)
		case value == rule.fails:
			return refused(result.CheckCEL, fmt.Errorf("body %s %q", rule.words, rule.Text))
		}
	}
	return nil
}

// headerValues returns the values that a rule checks; none, without error, where the rule allows the header to be
// missing.
func headerValues(header http.Header, rule module.HeaderMatch) ([]string, error) {
	values := header[rule.Header]
	if len(values) == 0 && !rule.AllowMissing {
		return nil, fmt.Errorf("header %q is missing", rule.Header)
	}
	return values, nil
}

func (h *hop) checkBody(body []byte) error {
	m := h.attempt.module
	for _, re := range m.FailIfBodyMatches {
		if h.matchesBody(re, body) {
			return fmt.Errorf("body matches %q", re)
		}
	}
	for _, re := range m.FailIfBodyNotMatches {
		if !h.matchesBody(re, body) {
			return fmt.Errorf("body does not match %q", re)
		}
	}
	return nil
}
