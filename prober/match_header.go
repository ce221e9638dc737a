package prober

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// How expressions are compared with headers. The first freeValues bytes are compared as they are. A head may have 256
// times as much, for which a large expression takes minutes: what comes after is compared as a long body is, until the
// probe's deadline.

// freeValues is how many bytes of values are compared whatever the time is.
const freeValues = 4 << 10

var errValuesNotMatched = errors.New("comparing the header with the expressions took too long")

// values compares the values of a response's header with the module's expressions.
type values struct {
	ctx   context.Context
	slots chan struct{}
	free  int   // bytes that are left of freeValues
	err   error // why a value was not compared; nil if all were
}

// matches reports whether a value matches.
func (v *values) matches(re *regexp.Regexp, value string) bool {
	if v.free -= len(value); v.free >= 0 {
		return re.MatchString(value)
	}
	v.free = 0 // which is less than the next value
	if v.err != nil {
		return false
	}
	long := newMatching(v.ctx, []*regexp.Regexp{re})
	long.feed([]byte(value), v.slots)
	if long.end() != nil {
		v.err = errValuesNotMatched
	}
	return long.matched(re)
}

// first is the index of the first value that matches; -1 for none.
func (v *values) first(re *regexp.Regexp, of []string) int {
	return slices.IndexFunc(of, func(value string) bool { return v.matches(re, value) })
}

// checkHeader returns which rule refuses the header, and why.
func (h *hop) checkHeader() *result.Failure {
	m, v := h.attempt.module, &values{ctx: h.attempt.ctx, slots: h.attempt.prober.matching, free: freeValues}
	for i, rule := range slices.Concat(m.FailIfHeaderMatches, m.FailIfHeaderNotMatches) {
		of, err := headerValues(h.Response.Header, rule)
		if err != nil {
			return refusedBy(result.CheckHeader, i, err)
		}
		at, wanted := v.first(rule.Regexp, of), i >= len(m.FailIfHeaderMatches)
		switch {
		case v.err != nil:
			return notChecked(h.attempt.ctx, result.CheckHeader, v.err)
		case !wanted && at >= 0:
			return refusedBy(result.CheckHeader, i, fmt.Errorf("header %s matches %q: %s", rule.Header, rule.Regexp,
				shownValue(rule.Header, of[at])))
		case wanted && at < 0 && len(of) > 0:
			return refusedBy(result.CheckHeader, i, fmt.Errorf("header %s does not match %q: %s", rule.Header,
				rule.Regexp, shownValue(rule.Header, of[0])))
		}
	}
	return nil
}

// headerValues returns the values that a rule checks; none, without error, where the rule allows the header to be
// missing.
func headerValues(header map[string][]string, rule module.HeaderMatch) ([]string, error) {
	found := header[rule.Header]
	if len(found) == 0 && !rule.AllowMissing {
		return nil, fmt.Errorf("header %s is missing", rule.Header)
	}
	return found, nil
}

// shownValue is a field's value as a failure shows it: hidden where the name sounds like a secret's. It is cut when
// secrets in it have been masked, not here: half of a secret would not be found.
func shownValue(name, value string) string {
	if name == "Set-Cookie" || module.SoundsSecret(name) {
		return module.Masked
	}
	return value
}
