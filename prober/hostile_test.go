package prober_test

import (
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
)

// Servers that would never end are ended, by a bound and not by the deadline.
func TestHostileServers(t *testing.T) {
	tooLong := []outcome{{prober.Transfer, prober.HTTPHeadersTooLarge, 0, prober.Self, ""}}
	tooLarge := []outcome{{prober.Validate, prober.HTTPContent, 0, prober.Self, prober.CheckBodySize}}
	probeFaults(t, []fault{
		{"endless headers", faultlab.EndlessHeaders, asIs, 5, tooLong},
		{"an endless header", faultlab.EndlessHeader, asIs, 5, tooLong},
		{"endless 1xx", faultlab.EndlessInformation, asIs, 5, []outcome{{prober.Processing, prober.HTTPHeadersTooLarge, 0, prober.Self, ""}}},
		{"endless body", faultlab.EndlessBody, asIs, once, tooLarge},
		{"endless body that must be kept", faultlab.EndlessBody, func(m *config.Module) { m.FailIfBodyMatches, m.BodySizeLimit = expressions("y"), 2<<20 }, once, tooLarge},
		{"endless chunks", faultlab.EndlessChunks, func(m *config.Module) { m.BodySizeLimit = 1 << 20 }, once, tooLarge},
		{"endless JSON", faultlab.EndlessJSON, func(m *config.Module) { m.FailIfBodyJSONMatches, m.BodySizeLimit = cel("body.size() == 1"), 2<<20 }, once, tooLarge},
		{"a long list of JSON", func(h faultlab.Host) string { return faultlab.JSONList(h, 500_000) }, func(m *config.Module) {
			m.FailIfBodyJSONNotMatches = cel("body.size() == 500000")
		}, once, []outcome{success}},
		{"gzip bomb", faultlab.GzipBomb, gzip, once, tooLarge},
		{"gzip bomb without a limit: the deadline", faultlab.GzipBomb, func(m *config.Module) { gzip(m); briefly(m); m.BodySizeLimit = 0 }, once, []outcome{stalled}},
		{"gzip bomb without a limit that is here whole, its connection closed: the deadline", faultlab.GzipBombHTTP2,
			func(m *config.Module) { gzip(m); m.Timeout, m.BodySizeLimit = 150*time.Millisecond, 0 }, once, []outcome{stalled}},
		{"gzip bomb that is not opened", faultlab.GzipBomb, asIs, once, []outcome{success}},
		{"5,000 names in the certificate", faultlab.ManyNames, asIs, once, []outcome{success}},
		{"1,000 redirects", func(h faultlab.Host) string { return faultlab.Redirects(h) + "1000" }, asIs, once,
			[]outcome{{prober.Validate, prober.HTTPRedirectLoop, 0, prober.Self, prober.CheckRedirect}}},
		{"bytes that are not UTF-8", faultlab.NotText, asIs, once, []outcome{notHTTP}},
	})
}
