package prober_test

import (
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Servers that would never end are ended, by a bound and not by the deadline.
func TestHostileServers(t *testing.T) {
	tooLong := []outcome{{result.Transfer, result.HTTPHeadersTooLarge, 0, result.Self, ""}}
	tooLarge := []outcome{{result.Validate, result.HTTPContent, 0, result.Self, result.CheckBodySize}}
	probeFaults(t, []fault{
		{"endless headers", faultlab.EndlessHeaders, asIs, 5, tooLong},
		{"an endless header", faultlab.EndlessHeader, asIs, 5, tooLong},
		{"endless 1xx", faultlab.EndlessInformation, asIs, 5,
			[]outcome{{result.Processing, result.HTTPHeadersTooLarge, 0, result.Self, ""}}},
		{"endless body", faultlab.EndlessBody, asIs, once, tooLarge},
		{"endless body that must be kept", faultlab.EndlessBody,
			func(m *module.Module) { m.FailIfBodyMatches, m.BodySizeLimit = expressions("y"), 2<<20 }, once, tooLarge},
		{"endless chunks", faultlab.EndlessChunks, func(m *module.Module) { m.BodySizeLimit = 1 << 20 }, once,
			tooLarge},
		{"endless JSON", faultlab.EndlessJSON, func(m *module.Module) {
			m.FailIfBodyJSONMatches,
				m.BodySizeLimit = cel("body.size() == 1"), 2<<20
		}, once, tooLarge},
		{"a long list of JSON", func(h faultlab.Host) string { return faultlab.JSONList(h, 500_000) },
			func(m *module.Module) {
				m.FailIfBodyJSONNotMatches = cel("body.size() == 500000")
			}, once, []outcome{success}},
		{"gzip bomb", faultlab.GzipBomb, gzip, once, tooLarge},
		{"gzip bomb without a limit: the deadline", faultlab.GzipBomb,
			func(m *module.Module) { gzip(m); briefly(m); m.BodySizeLimit = 0 }, once,
			[]outcome{stalled, headless}},
		{"brotli bomb without a limit that has arrived, its connection closed: the deadline", faultlab.BrotliBombHTTP2,
			func(m *module.Module) { m.Compression, m.Timeout, m.BodySizeLimit = "br", time.Second, 0 }, once,
			[]outcome{stalled, headless}},
		{"gzip bomb that is not opened", faultlab.GzipBomb, asIs, once, []outcome{success}},
		{"5,000 names in the certificate", faultlab.ManyNames, asIs, once, []outcome{success}},
		{"1,000 redirects", func(h faultlab.Host) string { return faultlab.Redirects(h) + "1000" }, asIs, once,
			[]outcome{{result.Validate, result.HTTPRedirectLoop, 0, result.Self, result.CheckRedirect}}},
		{"bytes that are not UTF-8", faultlab.NotText, asIs, once, []outcome{notHTTP}},
	})
}

// A head has at most 1,000 fields, whatever carries it: with as many it is a response like others, with one more it is
// too large.
func TestHeadFields(t *testing.T) {
	tooMany := []outcome{{result.Transfer, result.HTTPHeadersTooLarge, 0, result.Self, ""}}
	early := []outcome{{result.Processing, result.HTTPHeadersTooLarge, 0, result.Self, ""}, tooMany[0]}
	well := []outcome{success}
	fields := func(serve func(faultlab.Host, int) string, n int) func(faultlab.Host) string {
		return func(h faultlab.Host) string { h.Helper(); return serve(h, n) }
	}
	http3 := func(m *module.Module) { m.EnableHTTP3 = true; m.TLS.NextProtos = []string{"h3"} }
	probeFaults(t, []fault{
		{"1,000 fields, one of them Connection", fields(faultlab.ManyFields, 999), asIs, once, well},
		{"1,001 fields, one of them Connection", fields(faultlab.ManyFields, 1000), asIs, raced, tooMany},
		{"170,000 fields", fields(faultlab.ManyFields, 170_000), asIs, 5, tooMany},
		{"170,000 fields behind a folded one", fields(faultlab.ManyFieldsAfterFold, 170_000), asIs, 5, tooMany},
		{"99 fields in each of ten 103", fields(faultlab.ManyFieldsIn1xx, 99), asIs, once, well},
		{"101 fields in each of ten 103", fields(faultlab.ManyFieldsIn1xx, 101), asIs, 5, early},
		{"HTTP/2: 1,000 fields, :status among them", fields(faultlab.H2ManyFields, 999), asIs, once, well},
		{"HTTP/2: 1,001 fields", fields(faultlab.H2ManyFields, 1000), asIs, raced, tooMany},
		{"HTTP/2: 30,000 fields", fields(faultlab.H2ManyFields, 30_000), asIs, 5, tooMany},
		{"HTTP/2: 999 fields in pieces", fields(faultlab.H2PaddedFields, 999), asIs, once, well},
		{"HTTP/2: 1,000 fields in pieces", fields(faultlab.H2PaddedFields, 1000), asIs, 5, tooMany},
		{"HTTP/2: a trailer of 900 fields", fields(faultlab.H2ManyFieldsInTrailer, 900), asIs, once, well},
		{"HTTP/2: a trailer of 30,000 fields", fields(faultlab.H2ManyFieldsInTrailer, 30_000), asIs, 5, tooMany},
		{"HTTP/3: 1,000 fields", fields(faultlab.HTTP3ManyFields, 1000), http3, once, well},
		{"HTTP/3: 1,001 fields", fields(faultlab.HTTP3ManyFields, 1001), http3, 5, tooMany},
		{"HTTP/3: 16,000 fields", fields(faultlab.HTTP3ManyFields, 16_000), http3, 5, tooMany},
		{"a reason phrase of 900 KB", fields(faultlab.ReasonPhrase, 900<<10), asIs, 5,
			[]outcome{statusError(result.HTTPError)}},
	})
	claims.Prove(t, "fields of a response", 1000)
}
