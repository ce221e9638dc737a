package prober

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"errno_exporter/prober/module"
)

// How an exporter recognises its own requests. A target that redirects to the exporter's own /probe, or an exporter
// that probes another one that probes the first, would turn one probe into as many as there are slots. So each request
// of a probe names the exporters on whose behalf it is made, as Via does for proxies (RFC 9110 section 7.6.3), in a
// header that no module and no redirect can remove. An exporter refuses to start probes for a request that names
// itself, or maxNested others.

// ProbeHeader lists the exporters on whose behalf a request is made, the one that sent it last.
const ProbeHeader = module.ProbeHeader

// maxNested bounds how many exporters may stand before this one: probes of other exporters' endpoints are ordinary,
// chains of them are not.
const maxNested = 3

// instance names an exporter: random, so that nothing is learnt from it.
func instance() string {
	var id [8]byte
	_, _ = rand.Read(id[:]) // it never fails, see crypto/rand
	return hex.EncodeToString(id[:])
}

// LoopError says that a request to probe comes from a probe of the same exporter, or from too many.
type LoopError struct{ text string }

func (e *LoopError) Error() string { return e.text }

// nestedKey is what the exporters before this one are found by in a context.
type nestedKey struct{}

// Nested returns the context for probes that a request asks for, or a *LoopError. It is the request's own unless that
// is itself made by a probe.
func (p *Prober) Nested(ctx context.Context, header http.Header) (context.Context, error) {
	values := header.Values(ProbeHeader)
	if len(values) == 0 {
		return ctx, nil
	}
	names := strings.FieldsFunc(strings.Join(values, ","),
		func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
	if slices.Contains(names, p.instance) {
		return nil, &LoopError{"this request is made by a probe of this very exporter: a target is, or redirects to, " +
			"the exporter's own /probe or /metrics; " +
			"probe its /-/healthy instead, or correct the target"}
	}
	if len(names) >= maxNested {
		return nil, &LoopError{fmt.Sprintf("this request is made by a probe of an exporter that is probed itself, "+
			"through %d exporters, want fewer than %d: "+
			"exporters probe each other's /probe or /metrics; correct their targets", len(names), maxNested)}
	}
	return OnBehalf(ctx, strings.Join(names, ", ")), nil
}

// OnBehalf is a context for probes that are made on behalf of the exporters named, none if that is empty.
func OnBehalf(ctx context.Context, names string) context.Context {
	if names == "" {
		return ctx
	}
	return context.WithValue(ctx, nestedKey{}, names)
}

// Behalf is the exporters that a context's probes are made on behalf of; empty for none.
func Behalf(ctx context.Context) string {
	names, _ := ctx.Value(nestedKey{}).(string)
	return names
}

// sign adds to a request on whose behalf it is made.
func (p *Prober) sign(ctx context.Context, header http.Header) {
	value := p.instance
	if before := Behalf(ctx); before != "" {
		value = before + ", " + value
	}
	header[ProbeHeader] = []string{value}
}
