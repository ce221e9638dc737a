package prober

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"errno_exporter/config"
	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Whatever is large needs room, and its absence is nobody's failure but ours, however the wait ends. What is small
// needs none.
func TestRoom(t *testing.T) {
	const large = 900 << 10
	parsed := func(keys string) *module.Module {
		c, err := config.Parse([]byte("modules: {m: {prober: http, http: {preferred_ip_protocol: ip4, "+
			"valid_status_codes: [200, 500], "+keys+"}}}"), "f.yml", ".")
		if err != nil {
			t.Fatal(err)
		}
		m := c.Modules["m"]
		m.TLS.RootCAs = faultlab.Roots()
		return m
	}
	body := func(n int) string {
		return faultlab.Answer(t, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(n)+"\r\n\r\n"+strings.Repeat("x",
			n))
	}
	for _, row := range []struct {
		name, url, keys string
		phase           result.Phase // that waits for room; empty: none does
	}{
		{"a body that is not kept", body(large), "", ""},
		{"a small body", body(freeRoom), "fail_if_body_matches_regexp: [y]", ""},
		{"a large body for a regexp", body(freeRoom + 1), "fail_if_body_matches_regexp: [y]", ""},
		{"a large body for CEL", faultlab.JSONList(t, large/2), `fail_if_body_json_matches_cel: "body.size() == 1"`,
			result.Transfer},
		{"a huge body for CEL", faultlab.JSONList(t, growAtOnce), `fail_if_body_json_matches_cel: "body.size() == 1"`,
			result.Transfer},
		{"a large head", faultlab.BigHead(t), "", result.Transfer},
		{"a large reason phrase", faultlab.ReasonPhrase(t, large), "", result.Transfer},
		{"a large head over HTTP/2", faultlab.H2BigHead(t), "", result.Transfer},
		{"a large head of a proxy", "https://127.0.0.1:1/", "proxy_url: " + faultlab.ConnectBigHead(t), result.Proxy},
		{"few fields", faultlab.ManyFields(t, freeFields-1), "", ""},
		{"many fields", faultlab.ManyFields(t, freeFields+100), "", result.Transfer},
		{"many fields over HTTP/2", faultlab.H2ManyFields(t, freeFields+100), "", result.Transfer},
		{"many fields of a proxy", "https://127.0.0.1:1/", "proxy_url: " +
			faultlab.ConnectManyFields(t, freeFields+100), result.Proxy},
		{"few fields over HTTP/3", faultlab.HTTP3ManyFields(t, 20), "enable_http3: true, enable_http2: false", ""},
		{"a large head over HTTP/3", faultlab.HTTP3HeadOf(t, 128<<10), "enable_http3: true, enable_http2: false",
			result.Transfer},
		{"a large window", faultlab.BrotliWindow(t), "compression: br", result.Transfer},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			target, err := ParseTarget(row.url)
			if err != nil {
				t.Fatal(err)
			}
			m := parsed(row.keys)
			for _, ends := range []struct {
				name string
				by   func(context.Context, time.Duration) (context.Context, context.CancelFunc)
				want result.Failure
			}{
				{"the deadline", context.WithTimeout,
					result.Failure{Phase: row.phase, Reason: result.LocalOverloaded, Origin: result.Local}},
				{"a cancel", func(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
					ctx, cancel := context.WithCancel(ctx)
					time.AfterFunc(after, cancel)
					return ctx, cancel
				}, result.Failure{Phase: row.phase, Reason: result.Abandoned, Origin: result.Self}},
			} {
				p := New(Options{})
				take(t, p.heads)
				take(t, p.fields)
				take(t, p.bodies)
				take(t, p.huge)
				ctx, cancel := ends.by(t.Context(), time.Second)
				r := p.Probe(ctx, target, m)
				cancel()
				if row.phase == "" {
					if r.Failure != nil || r.Waited() != 0 {
						t.Errorf("without room: %+v after a wait of %s, want a success without one", r.Failure,
							r.Waited())
					}
					continue
				}
				if r.Failure == nil {
					t.Fatalf("%s: the probe succeeded without room", ends.name)
				}
				got := *r.Failure
				got.Err = nil
				if got != ends.want || r.Waited() < 500*time.Millisecond || span(&r, row.phase) > r.Elapsed-r.Waited() {
					t.Errorf("%s: %+v after a wait of %s, %s of %s in the phase, want %+v, and no wait in it",
						ends.name, r.Failure, r.Waited(), span(&r, row.phase), r.Elapsed, ends.want)
				}
			}
		})
	}
}

// take takes all of a room for the rest of the test.
func take(t *testing.T, r *room) {
	t.Helper()
	if _, err := r.enter(t.Context(), r.size); err != nil {
		t.Fatal(err)
	}
}

// span is how long a phase took.
func span(r *result.Result, p result.Phase) (all time.Duration) {
	for _, s := range r.Last().LastHop().Spans {
		if s.Phase == p {
			all += s.Duration
		}
	}
	return all
}

// Room is given back with the attempt, whatever became of it, and targets that are not configured have half of it.
func TestRoomIsGivenBack(t *testing.T) {
	p := New(Options{})
	m := module.New("m")
	m.PreferIPv6, m.BodySizeLimit, m.Timeout, m.FollowRedirects = false, 1<<20, time.Second, true
	m.FailIfBodyMatches = nil
	m.Compression = "br"
	for _, url := range []string{faultlab.BigHead(t), faultlab.EndlessHeader(t), faultlab.RedirectsWithBigHeads(t),
		faultlab.BrotliWindow(t), faultlab.ManyFields(t, freeFields+100)} {
		target, err := ParseTarget(url)
		if err != nil {
			t.Fatal(err)
		}
		for _, target.Configured = range []bool{false, true} {
			_ = p.Probe(t.Context(), target, m)
		}
	}
	for name, r := range map[string]*room{"heads": p.heads, "fields": p.fields, "bodies": p.bodies,
		"huge": p.huge} {
		half, err := r.enterHalf(t.Context(), r.size)
		if err != nil {
			t.Fatal(err)
		}
		if !r.all.TryAcquire(r.size / 2) {
			t.Errorf("room for %s: configured targets do not have the other half", name)
		}
		if r.rest.TryAcquire(1) || r.all.TryAcquire(1) {
			t.Errorf("room for %s: there is more than %d", name, r.size)
		}
		half()
	}
	claims.Prove(t, "large heads", roomHeads, freeRoom)
	claims.Prove(t, "heads with many fields", roomFields, fieldsRoom, freeFields)
	claims.Prove(t, "heads over HTTP/3", roomHeads, roomHTTP3Head, freeHTTP3)
	claims.Prove(t, "large bodies that CEL needs", roomBodies, roomHuge, growAtOnce)
}

// The room of a redirect's head is given back before the next request is sent.
func TestRoomOfRedirects(t *testing.T) {
	for _, row := range []struct {
		name          string
		fields, bytes int // of the redirect's head
		of            func(*Prober) *room
	}{
		{"large", 1, freeRoom + 1, func(p *Prober) *room { return p.heads }},
		{"many fields", freeFields + 1, 1, func(p *Prober) *room { return p.fields }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{})
			given := make(chan bool, 1)
			target, err := ParseTarget(faultlab.Handler(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/last" {
					given <- row.of(p).all.TryAcquire(row.of(p).size)
					return
				}
				for i := range row.fields {
					w.Header().Set("Field-"+strconv.Itoa(i), strings.Repeat("x", row.bytes))
				}
				http.Redirect(w, r, "/last", http.StatusFound)
			})))
			if err != nil {
				t.Fatal(err)
			}
			m := module.New("m")
			m.PreferIPv6, m.FollowRedirects = false, true
			if r := p.Probe(t.Context(), target, m); r.Failure != nil {
				t.Fatalf("failure %+v, want none", r.Failure)
			}
			if !<-given {
				t.Error("the redirect's head has its room during the next request, want it given back")
			}
		})
	}
}

func TestWindowBits(t *testing.T) {
	for _, row := range []struct {
		first byte
		want  int
	}{{0x00, 16}, {0x0b, 22}, {0x0f, 24}, {0x03, 18}, {0x01, 17}, {0x21, 10}, {0x71, 15}, {0x81, 17}} {
		if got := windowBits(row.first); got != row.want {
			t.Errorf("windowBits(%#x) = %d, want %d", row.first, got, row.want)
		}
	}
}
