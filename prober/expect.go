package prober

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

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
	if f := h.checkHeader(); f != nil {
		return f
	}
	if i, err := h.checkBody(body); err != nil {
		return refusedBy(result.CheckBody, i, err)
	}
	if f := h.checkJSON(body); f != nil {
		return f
	}
	if len(m.ValidHTTPVersions) > 0 && !slices.Contains(m.ValidHTTPVersions, r.Proto) {
		return refused(result.CheckVersion, fmt.Errorf("%s, wanted %s", r.Proto,
			strings.Join(m.ValidHTTPVersions, " or ")))
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

func refused(check result.Check, err error) *result.Failure { return refusedBy(check, 0, err) }

// refusedBy is the failure by one of a check's rules.
func refusedBy(check result.Check, index int, err error) *result.Failure {
	return &result.Failure{Reason: result.HTTPContent, Check: check, Index: index, Err: err}
}

// checkStatus distinguishes an API that limits our rate (RFC 6585 section 4, RFC 9110 section 15.6.4) and a proxy that
// wants credentials from any other unexpected status.
func (h *hop) checkStatus() *result.Failure {
	valid, r := h.attempt.module.ValidStatusCodes, h.Response
	if len(valid) == 0 && r.Status >= 200 && r.Status < 300 || slices.Contains(valid, r.Status) {
		return nil
	}
	f := &result.Failure{Reason: result.HTTPError, Check: result.CheckStatus,
		Err: fmt.Errorf("%s, wanted %s", r.StatusText, wantedStatus(valid))}
	switch {
	case r.Status == http.StatusTooManyRequests,
		r.Status == http.StatusServiceUnavailable && r.Header.Get("Retry-After") != "":
		f.Reason = result.HTTPRateLimited
	case r.Status == http.StatusProxyAuthRequired && h.forward != nil:
		f.Reason, f.Origin = result.ProxyAuthRequired, result.Peer
	}
	return f
}

// wantedStatus is which statuses are valid, in words. A long list is cut.
func wantedStatus(valid []int) string {
	if len(valid) == 0 {
		return "2xx"
	}
	var texts []string
	for _, status := range valid[:min(len(valid), maxWanted)] {
		texts = append(texts, strconv.Itoa(status))
	}
	if len(valid) > maxWanted {
		texts = append(texts, "…")
	}
	return strings.Join(texts, ", ")
}

// maxWanted is how many statuses are in a failure's text.
const maxWanted = 10

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
	index := -1
	for _, rule := range []struct {
		*module.CEL
		fails bool // by this value
		words string
	}{{m.FailIfBodyJSONMatches, true, "matches"}, {m.FailIfBodyJSONNotMatches, false, "does not match"}} {
		if rule.CEL == nil {
			continue
		}
		index++
		value, err := rule.Eval(ctx, document)
		switch {
		case err != nil && ctx.Err() != nil:
			return notChecked(ctx, result.CheckCEL, err)
		case err != nil:
			return refusedBy(result.CheckCEL, index, err)
		case value == rule.fails:
			return refusedBy(result.CheckCEL, index, fmt.Errorf("body %s %q", rule.words, rule.Text))
		}
	}
	return nil
}

// checkBody returns which rule refuses the body, and why.
func (h *hop) checkBody(body []byte) (int, error) {
	m := h.attempt.module
	for i, re := range m.FailIfBodyMatches {
		if h.matchesBody(re, body) {
			return i, fmt.Errorf("body matches %q", re)
		}
	}
	for i, re := range m.FailIfBodyNotMatches {
		if !h.matchesBody(re, body) {
			return len(m.FailIfBodyMatches) + i, fmt.Errorf("body does not match %q", re)
		}
	}
	return 0, nil
}

// notChecked is the failure of a complete response that could not be checked in time: the target did not fail. Time in
// which a probe waits for something of the exporter's (a slot, a file descriptor, the CPU for a handshake, the parsing
// of large bodies) is never the target's: a probe that failed for lack of it is local.overloaded.
func notChecked(ctx context.Context, check result.Check, err error) *result.Failure {
	f := &result.Failure{Reason: result.LocalOverloaded, Origin: result.Local, Check: check,
		Err: fmt.Errorf("the deadline came before the exporter could check the body: %w", err)}
	if errors.Is(context.Cause(ctx), context.Canceled) {
		f.Reason, f.Origin = result.Abandoned, result.Self
	}
	return f
}
