package prober

import (
	"context"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/result"
)

// A body that streams through an expression matches exactly if it matches as a whole, however it is cut.
func TestStreamedMatch(t *testing.T) {
	expressions := []string{
		"needle", "needle$", "^needle", "^x+needle", `\Aneedle`, "nee?dle", "needle.*end", `(?s)needle.*end`, "(?i)NEEDLE",
		`\bneedle\b`, `needle\b`, `needle\B`, "", "$", "^$", "(?m)^needle$", "ä€😀", "[ä€]+😀", "\uFFFD", "needle|end", "x{100}needle",
		"(?:needle){2}", `\z`, "needle\uFFFD", "needle^", "(foo|needle)end",
	}
	bodies := []string{
		"", "needle", "xxneedlexx", "needleneedle", "needneedle end", "xx needle\nend", "line\nneedle\nline", "nee", "nedle",
		"aä€😀b", "\xff\xfe", "needle\xff", "needle\xe2\x82", "\xe2\x82", strings.Repeat("x", 150) + "needle", "NeEdLe", "needleend",
	}
	for _, text := range expressions {
		re := regexp.MustCompile(text)
		for _, body := range bodies {
			for piece := 1; piece <= max(1, len(body)); piece++ {
				m := newMatching(t.Context(), []*regexp.Regexp{re})
				for rest := body; rest != ""; rest = rest[min(piece, len(rest)):] {
					reused := []byte(rest[:min(piece, len(rest))])
					m.feed(reused, make(chan struct{}, 1))
					clear(reused) // a buffer is used again
				}
				err := m.end()
				if got, want := m.matched(re), re.MatchString(body); got != want || err != nil {
					t.Errorf("%q in %q, in pieces of %d: %t (%v), want %t", text, body, piece, got, err, want)
				}
			}
		}
	}
}

// Long bodies have no limit of their own for expressions, and need no room.
func TestLongBodies(t *testing.T) {
	answer := func(text string) string {
		return faultlab.Answer(t, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(len(text))+"\r\n\r\n"+text)
	}
	body := func(n int, end string) string { return answer(strings.Repeat("x", n) + end) }
	long := body(3<<19, `"status": "ok"`)
	for _, row := range []struct {
		name, url, keys string
		want            result.Check
	}{
		{"a literal at the end", long, `fail_if_body_not_matches_regexp: ['"status": "ok"']`, ""},
		{"an expression at the end", long, `fail_if_body_not_matches_regexp: ['"status":\s*"ok"$']`, ""},
		{"without a literal", long, `fail_if_body_not_matches_regexp: ['(?i)STATUS']`, ""},
		{"of the whole", long, `fail_if_body_not_matches_regexp: ['^x+"status": "ok"$']`, ""},
		{"several", long, `fail_if_body_not_matches_regexp: ['x', 'ok'], fail_if_body_matches_regexp: [down]`, ""},
		{"what must not be there is", long, `fail_if_body_matches_regexp: [down, status]`, result.CheckBody},
		{"what must be there is not", long, `fail_if_body_not_matches_regexp: [status, down]`, result.CheckBody},
		{"a limit that was set", long, `fail_if_body_matches_regexp: [down], body_size_limit: 1MB`, result.CheckBodySize},
		{"of 64 KiB", body(freeRoom, ""), `fail_if_body_not_matches_regexp: ['^x+$']`, ""},
		{"of one byte more", body(freeRoom, "y"), `fail_if_body_not_matches_regexp: ['^x+y$']`, ""},
		{"with CEL", answer(`{"pad": "` + strings.Repeat("x", 3<<20) + `", "up": true}`),
			`fail_if_body_json_not_matches_cel: body.up, fail_if_body_not_matches_regexp: ['"up": true']`, ""},
		{"with CEL, chunked beyond its limit", faultlab.EndlessJSON(t), `fail_if_body_json_not_matches_cel: body.up`,
			result.CheckBodySize},
		{"with CEL, of many small objects", answer("[0" + strings.Repeat(`,{"":0}`, 1<<18) + "]"),
			`fail_if_body_json_not_matches_cel: body.up`, result.CheckCEL},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var got result.Check
			r := probeBounded(t, row.url, row.keys)
			if r.Failure != nil {
				got = r.Failure.Check
			}
			if got != row.want || r.Failure != nil && r.Failure.Reason != result.HTTPContent {
				t.Errorf("Probe() = %+v, want check %q", r.Failure, row.want)
			}
		})
	}
	claims.Prove(t, "memory that decoded JSON takes", decodedRoom, decodedGain)
	claims.Prove(t, "what regular expressions need of a body in memory", freeRoom)
}

// The deadline may come when no expression runs: what had the time until then is blamed.
func TestDeadlineBetweenPieces(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	for _, row := range []struct {
		name      string
		ctx       context.Context
		comparing time.Duration // of ten seconds
		err, want error
	}{
		{"comparing took the time", ended, 9 * time.Second, os.ErrDeadlineExceeded, errNotMatched},
		{"the connection's deadline was first", t.Context(), 9 * time.Second, os.ErrDeadlineExceeded, errNotMatched},
		{"receiving took the time", ended, time.Second, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"another error", t.Context(), 9 * time.Second, io.ErrUnexpectedEOF, io.ErrUnexpectedEOF},
	} {
		m := &matching{began: time.Now().Add(-10 * time.Second), took: row.comparing}
		kept := &checkedBody{hop: &hop{attempt: &attempt{ctx: row.ctx}, matching: m}}
		if got := kept.failed(row.err); got != row.want {
			t.Errorf("%s: failed(%v) = %v, want %v", row.name, row.err, got, row.want)
		}
	}
	if got := (*checkedBody)(nil).failed(io.EOF); got != io.EOF {
		t.Errorf("failed() of a body that is not compared = %v, want what reading returned", got)
	}
}

// An expression that takes longer than the probe has is ended with it, and is not the target's fault.
func TestSlowExpression(t *testing.T) {
	slow := "'" + strings.Repeat("(.*a){30}", 10) + "(.*b){500}'"
	for _, row := range []struct {
		name, answer, keys string
		check              result.Check
		words              error
	}{
		{"a body", "\r\n" + strings.Repeat("a", 8<<20), "fail_if_body_matches_regexp: [" + slow + "]",
			result.CheckBody, errNotMatched},
		{"a header's value", "Content-Length: 0\r\nX-A: " + strings.Repeat("a", 900<<10) + "\r\n\r\n",
			"fail_if_header_matches: [{header: X-A, regexp: " + slow + "}]", result.CheckHeader, errValuesNotMatched},
		{"a header's values", "Content-Length: 0\r\n" + strings.Repeat("X-A: "+strings.Repeat("a", 1000)+"\r\n", 900) + "\r\n",
			"fail_if_header_not_matches: [{header: X-A, regexp: " + slow + "}]", result.CheckHeader,
			errValuesNotMatched},
	} {
		target, err := ParseTarget(faultlab.Answer(t, "HTTP/1.1 200 OK\r\n"+row.answer))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		r := New(Options{}).Probe(ctx, target, bounded(t, row.keys))
		cancel()
		if f := r.Failure; f == nil || f.Phase != result.Validate || f.Reason != result.LocalOverloaded ||
			f.Check != row.check || !strings.Contains(f.Err.Error(), row.words.Error()) || r.Elapsed > 5*time.Second {
			t.Errorf("%s: Probe() = %+v after %s, want local.overloaded of check %s at the deadline", row.name, f,
				r.Elapsed, row.check)
		}
	}
	claims.Prove(t, "CPU time that regular expressions take of long bodies")
}
