package prober_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

func flooded(phase result.Phase) []outcome {
	return []outcome{{phase, result.PeerFlood, 0, result.Self, ""}}
}

func packed(compression string) func(*module.Module) {
	return func(m *module.Module) { m.Compression = compression }
}

func frames(first, again string) func(faultlab.Host) string {
	return func(h faultlab.Host) string { h.Helper(); return faultlab.FloodOfFrames(h, first, again) }
}

func frames3(first, again string) func(faultlab.Host) string {
	return func(h faultlab.Host) string { h.Helper(); return faultlab.FloodOfHTTP3Frames(h, first, again) }
}

// A peer that sends without getting on is stopped by a bound, long before the deadline, whatever it sends.
func TestFloods(t *testing.T) { probeFaults(t, patiently(floods())) }

// patiently gives rows a deadline that no bound needs, however slow the machine and the race detector are.
func patiently(rows []fault) []fault {
	for i, row := range rows {
		rows[i].module = func(m *module.Module) { m.Timeout = 5 * time.Minute; row.module(m) }
	}
	return rows
}

func floods() []fault {
	rows := slices.Concat(floodsOfFrames(), floodsOfHTTP3(), floodsOfQUIC(), floodsOfTLS12())
	return append(rows, []fault{
		{"chunks of one byte", faultlab.EndlessChunks, asIs, once, flooded(result.Transfer)},
		{"chunk extensions", faultlab.FloodOfChunkExtensions, asIs, once, flooded(result.Transfer)},
		{"trailers", faultlab.FloodOfTrailers, asIs, once, flooded(result.Transfer)},
		{"empty gzip members", ofGzip(""), gzip, once, flooded(result.Transfer)},
		{"gzip members of one byte", ofGzip("x"), gzip, once, flooded(result.Transfer)},
		{"empty deflate blocks", faultlab.FloodOfDeflate, packed("deflate"), once, flooded(result.Transfer)},
		{"empty brotli blocks", faultlab.FloodOfBrotli, packed("br"), once, flooded(result.Transfer)},
		{"tickets", faultlab.FloodOfTickets, asIs, once, flooded(result.Transfer)},
		{"tickets in a row", faultlab.TicketsInARow, asIs, once, flooded(result.Transfer)},
		{"key updates", faultlab.FloodOfKeyUpdates, asIs, once, flooded(result.Transfer)},
		{"empty records", faultlab.FloodOfEmptyRecords, asIs, once, flooded(result.Transfer)},
		{"empty records in a row", faultlab.EmptyRecordsInARow, asIs, once, flooded(result.Transfer)},
		{"records of one byte", faultlab.FloodOfTinyRecords, asIs, once, flooded(result.Transfer)},
		{"HelloRequests in the handshake", faultlab.FloodOfHelloRequests, asIs, once,
			[]outcome{{result.TLS, result.TLSFailed, 0, result.Peer, ""}}}, // the first one is an error to crypto/tls
		{"warnings in the handshake", faultlab.FloodOfWarnings, asIs, once, flooded(result.TLS)},
	}...)
}

func ofGzip(text string) func(faultlab.Host) string {
	return func(h faultlab.Host) string { h.Helper(); return faultlab.FloodOfGzip(h, text) }
}

// On stream 1 is the request.
func floodsOfFrames() []fault {
	const ok = "\x88" // :status 200 (RFC 7541 appendix A)
	head := faultlab.Frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1, ok)
	waiting, inBody := flooded(result.Processing), flooded(result.Transfer)
	ping := faultlab.Frame(http2.FramePing, 0, 0, "12345678")
	return []fault{
		{"PING", frames("", ping), asIs, once, waiting},
		{"PING in the body", frames(head, ping), asIs, once, inBody},
		{"PING's acknowledgement", frames("", faultlab.Frame(http2.FramePing, http2.FlagPingAck, 0, "12345678")), asIs,
			once, waiting},
		{"SETTINGS", frames("", faultlab.Frame(http2.FrameSettings, 0, 0, "")), asIs, once, waiting},
		{"WINDOW_UPDATE", frames("", faultlab.Frame(http2.FrameWindowUpdate, 0, 0, "\x00\x00\x00\x01")), asIs, once,
			waiting},
		{"WINDOW_UPDATE of another stream", frames("",
			faultlab.Frame(http2.FrameWindowUpdate, 0, 3, "\x00\x00\x00\x01")), asIs, once, waiting},
		{"PRIORITY", frames("", faultlab.Frame(http2.FramePriority, 0, 3, "\x00\x00\x00\x01\x10")), asIs, once,
			waiting},
		{"RST_STREAM of another stream", frames("", faultlab.Frame(http2.FrameRSTStream, 0, 3, "\x00\x00\x00\x00")),
			asIs, once, waiting},
		{"PUSH_PROMISE", frames("", faultlab.Frame(http2.FramePushPromise, http2.FlagPushPromiseEndHeaders, 1,
			"\x00\x00\x00\x02"+ok)), asIs, once,
			// the first one is an error, by ENABLE_PUSH 0 (RFC 9113 section 6.6)
			[]outcome{{result.Processing, result.H2ProtocolError, 0, result.Peer, ""}}},
		{"GOAWAY", frames("", faultlab.Frame(http2.FrameGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00")), asIs, once,
			waiting},
		{"unknown frames", frames("", faultlab.Frame(0xbb, 0, 0, "")), asIs, once, waiting},
		{"unknown frames with a payload", frames("", faultlab.Frame(0xbb, 0, 1, strings.Repeat("x", 1000))), asIs, once,
			waiting},
		{"CONTINUATION", frames(faultlab.Frame(http2.FrameHeaders, 0, 1, ok),
			faultlab.Frame(http2.FrameContinuation, 0, 1, "")), asIs, once, inBody},
		{"CONTINUATION of one field", frames(faultlab.Frame(http2.FrameHeaders, 0, 1, ok),
			faultlab.Frame(http2.FrameContinuation, 0, 1, "\x90")), asIs, once,
			// the bound on fields comes first
			[]outcome{{result.Transfer, result.HTTPHeadersTooLarge, 0, result.Self, ""}}},
		{"empty DATA", frames(head, faultlab.Frame(http2.FrameData, 0, 1, "")), asIs, once, inBody},
		{"DATA of one byte", frames(head, faultlab.Frame(http2.FrameData, 0, 1, "x")), asIs, once, inBody},
		{"DATA of padding", frames(head, faultlab.Frame(http2.FrameData, http2.FlagDataPadded, 1,
			"\xff"+strings.Repeat("\x00", 255))), asIs, once, inBody},
	}
}

func floodsOfHTTP3() []fault {
	waiting, inBody := flooded(result.Processing), flooded(result.Transfer)
	return []fault{
		{"HTTP/3: unknown frames", frames3("", faultlab.HTTP3Grease), overHTTP3, once, inBody},
		{"HTTP/3: unknown frames in the body", frames3(faultlab.HTTP3Head, faultlab.HTTP3Grease), overHTTP3, once,
			inBody},
		{"HTTP/3: empty DATA", frames3(faultlab.HTTP3Head, faultlab.HTTP3EmptyData), overHTTP3, once, inBody},
		{"HTTP/3: DATA of one byte", frames3(faultlab.HTTP3Head, faultlab.HTTP3OneByte), overHTTP3, once, inBody},
		{"HTTP/3: unknown frames on the control stream", faultlab.FloodOfHTTP3Control, overHTTP3, once, waiting},
		{"HTTP/3: streams", faultlab.FloodOfHTTP3Streams, overHTTP3, once, waiting},
		{"HTTP/3: packets that cannot be decrypted", faultlab.FloodOfDatagrams, overHTTP3, once, waiting},
		{"HTTP/3: packets in the handshake", faultlab.FloodBeforeHandshake, overHTTP3, once, flooded(result.TLS)},
	}
}

// Proxies that dribble one byte at a time for ever end at a bound as well, and long before the deadline. A SOCKS reply
// is bounded by its form (RFC 1928 section 6): what follows it is the target's, which is no TLS.
func TestFloodsOfProxies(t *testing.T) {
	for _, row := range []struct {
		name  string
		proxy func(faultlab.Host) string
		want  []outcome
	}{
		// which bound comes first depends on how many bytes the kernel gives at once
		{"CONNECT", faultlab.DribblingConnect, []outcome{
			{result.Proxy, result.PeerFlood, 0, result.Self, ""},
			{result.Proxy, result.HTTPHeadersTooLarge, 0, result.Self, ""}}},
		{"SOCKS", faultlab.DribblingSOCKS, []outcome{{result.TLS, result.TLSNotTLS, 0, result.Peer, ""}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m := labModule()
			m.Timeout, m.SkipResolve, m.Proxy = 5*time.Minute, true, through(row.proxy(t))
			r := probe(t, prober.New(prober.Options{}), secureTarget, m)
			if got := outcomeOf(r.Failure); !slices.Contains(row.want, got) {
				t.Fatalf("Probe = %+v, want one of %+v%s", got, row.want, evidence(&r))
			}
		})
	}
}

// What is slow, or comes in small pieces, is no flood.
func TestNoFloods(t *testing.T) {
	uploads := func(m *module.Module) { m.Method, m.Body = http.MethodPost, make([]byte, 16<<20) }
	probeFaults(t, patiently([]fault{
		{"16 MiB in chunks of 64 bytes", func(h faultlab.Host) string { return faultlab.SmallChunks(h, 16<<20, 64) },
			asIs, once, []outcome{success}},
		{"20 KiB, one byte a chunk and a segment",
			func(h faultlab.Host) string { return faultlab.SmallChunks(h, 20<<10, 1) }, asIs, once, []outcome{success}},
		{"3 MiB in frames of 40 bytes", func(h faultlab.Host) string { return faultlab.SmallFrames(h, 3<<20, 40) },
			asIs, once, []outcome{success}},
		{"16 MiB in records of 64 bytes", func(h faultlab.Host) string { return faultlab.SmallRecords(h, 16<<20, 64) },
			asIs, once, []outcome{success}},
		{"10,000 PINGs before the answer", func(h faultlab.Host) string { return faultlab.PingsThenAnswers(h, 10_000) },
			asIs, once, []outcome{success}},
		{"an upload through a small window", func(h faultlab.Host) string { return faultlab.SmallWindow(h, 1000) },
			uploads, once, []outcome{success}},
		{"8 MiB over HTTP/3", func(h faultlab.Host) string {
			return faultlab.HTTP3Handler(h, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_,
					_ = w.Write(make([]byte, 8<<20))
			}))
		}, overHTTP3, once, []outcome{success}},
		{"6 MiB in frames of 40 bytes over HTTP/3",
			func(h faultlab.Host) string { return faultlab.SmallHTTP3Frames(h, 6<<20, 40) }, overHTTP3, once,
			[]outcome{success}},
		{"an upload of 16 MiB over HTTP/3", func(h faultlab.Host) string {
			return faultlab.HTTP3Handler(h,
				faultlab.Healthy)
		},
			func(m *module.Module) { overHTTP3(m); uploads(m) }, once, []outcome{success}},
		{"100,000 gzip members of a line each", func(h faultlab.Host) string {
			body := strings.Repeat(faultlab.GzipMember(strings.Repeat("a line of a log ", 8)), 100_000)
			return faultlab.Answer(h, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		}, gzip, once, []outcome{success}},
	}))
}

// A name server that does not get on is left after a bound, whoever asks it.
func TestFloodsOfNameServers(t *testing.T) {
	want := outcome{result.Resolve, result.PeerFlood, 0, result.Self, ""}
	for _, row := range []struct {
		name     string
		server   func(faultlab.Host) string
		protocol string // empty for the system's resolver
	}{
		{"answers to another question", faultlab.FloodOfAnswers, "udp"},
		{"answers to another question, system's resolver", faultlab.FloodOfAnswers, ""},
		{"HTTP/2 PING over HTTPS", faultlab.FloodOverHTTPS, "https"},
		{"HTTP/2 PRIORITY over HTTPS", frames("", faultlab.Frame(http2.FramePriority, 0, 3, "\x00\x00\x00\x01\x10")),
			"https"},
		{"HTTP/2 SETTINGS over HTTPS", frames("", faultlab.Frame(http2.FrameSettings, 0, 0, "")), "https"},
		{"HTTP/2 DATA of one byte over HTTPS", frames(faultlab.Frame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 1,
			"\x88"),
			faultlab.Frame(http2.FrameData, 0, 1, "x")), "https"},
		{"TLS warnings", func(h faultlab.Host) string {
			return strings.TrimSuffix(strings.TrimPrefix(faultlab.FloodOfWarnings(h), "https://"), "/")
		}, "tls"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			m, server := labModule(), row.server(t)
			options := prober.Options{Resolver: server}
			if row.protocol != "" {
				m.Resolver = &module.Resolver{Servers: []string{server}, Protocol: row.protocol}
			}
			r := probe(t, prober.New(options), "http://"+labName+"/", m)
			if got := outcomeOf(r.Failure); got != want {
				t.Fatalf("Probe = %+v, want %+v%s", got, want, evidence(&r))
			}
		})
	}
}

// A token endpoint that does not get on is left after a bound, over whatever it would send.
func TestFloodsOfTokenEndpoints(t *testing.T) {
	const maxBytes, maxReads = 2 << 20, 20_000
	claims.Prove(t, "what a connection to a token endpoint brings", maxBytes, maxReads)
	api := faultlab.Handler(t, faultlab.Healthy)
	for _, row := range []struct {
		name     string
		endpoint func(faultlab.Host) string
		flood    bool // otherwise net/http or golang.org/x/oauth2 has a bound of its own
	}{
		{"chunks of one byte", faultlab.EndlessChunks, true},
		{"chunk extensions", faultlab.FloodOfChunkExtensions, false},
		{"trailers", faultlab.FloodOfTrailers, false},
		{"empty gzip members", ofGzip(""), false},
		{"responses of 1xx", faultlab.EndlessInformation, false},
		{"a head", faultlab.EndlessHeaders, false},
		{"a body", faultlab.EndlessBody, false},
		{"tickets", faultlab.FloodOfTickets, true},
		{"empty records", faultlab.FloodOfEmptyRecords, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := probe(t, prober.New(prober.Options{}), api, tokenModule(t, row.endpoint(t)))
			got, want := outcomeOf(r.Failure), outcome{result.Request, result.AuthTokenFailed, 0, result.Peer, ""}
			flood := strings.Contains(r.Failure.Err.Error(),
				fmt.Sprintf("more than %d bytes, or in more than %d pieces", maxBytes, maxReads))
			if row.flood {
				want.Origin = result.Self
			}
			if got != want || flood != row.flood {
				t.Errorf("Probe = %+v, a flood %t, want %+v, %t%s", got, flood, want, row.flood, evidence(&r))
			}
		})
	}
}

// Token endpoints are spoken to by HTTP/1.1, whatever they offer: there are no frames.
func TestTokenEndpointsByHTTP1(t *testing.T) {
	protocol := make(chan string, 10)
	endpoint := faultlab.TLSHandler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol <- r.Proto
		w.WriteHeader(http.StatusTeapot)
	}), "h2", "http/1.1")
	r := probe(t, prober.New(prober.Options{}), faultlab.Handler(t, faultlab.Healthy), tokenModule(t, endpoint))
	if got := <-protocol; got != "HTTP/1.1" || r.Failure == nil || r.Failure.Reason != result.AuthTokenDenied {
		t.Errorf("asked by %s, Probe = %+v, want HTTP/1.1 and its answer", got, r.Failure)
	}
}

// tokenModule has its token from an endpoint whose certificate does not matter.
func tokenModule(t *testing.T, endpoint string) *module.Module {
	t.Helper()
	text := fmt.Sprintf("modules: {m: {prober: http, timeout: 1m, http: {preferred_ip_protocol: ip4, oauth2: "+
		"{client_id: lab, client_secret: s, token_url: %q, "+
		"tls_config: {insecure_skip_verify: true}}}}}", endpoint)
	c, err := config.Parse([]byte(text), "f.yml", ".")
	if err != nil {
		t.Fatal(err)
	}
	return c.Modules["m"]
}
