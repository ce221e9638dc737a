package cli

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/host/counters"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/prober/result"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// Every record gives exactly the text in its golden file: printable, without escapes and without the secrets of the
// records.
func TestWaterfall(t *testing.T) {
	for _, record := range resulttest.Records() {
		t.Run(record.Name, func(t *testing.T) {
			var got bytes.Buffer
			p := &Printer{Out: &got}
			p.Waterfall(&record.Result)
			p.Line(1, &record.Result)
			file := filepath.Join("testdata", record.Name+".txt")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if i := strings.IndexFunc(got.String(),
				func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 ||
				strings.Contains(got.String(), "hunter2") {
				t.Errorf("not printable at byte %d, or with a secret:\n%s", i, got.String())
			}
		})
	}
}

// With colour the text is the same, and every colour is ended.
func TestColour(t *testing.T) {
	for _, record := range resulttest.Records() {
		var plain, coloured bytes.Buffer
		(&Printer{Out: &plain}).Waterfall(&record.Result)
		(&Printer{Out: &coloured, Colour: true}).Waterfall(&record.Result)
		text := coloured.String()
		if strings.Count(text, "\x1b[") != 2*strings.Count(text, "\x1b[0m") || !strings.Contains(text, "\x1b[") {
			t.Errorf("%s: colours are not ended: %q", record.Name, text)
		}
		for _, code := range []string{"31", "32", "2", "0"} {
			text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
		}
		if diff := cmp.Diff(plain.String(), text); diff != "" {
			t.Errorf("%s (-plain +coloured):\n%s", record.Name, diff)
		}
	}
}

// The terminal shows the counters that rose, and nothing where none did or none was read.
func TestKernelCounters(t *testing.T) {
	at := time.Date(2026, 11, 22, 3, 12, 4, 0, time.UTC)
	changes := func(changed ...counters.Change) *counters.Around {
		return counters.Of(&counters.Changes{From: at, To: at.Add(time.Second), Changed: changed})
	}
	for _, row := range []struct {
		name   string
		kernel *counters.Around
		want   string
	}{
		{"not read", nil, ""},
		{"awaited", new(counters.Around), ""},
		{"none", changes(), ""},
		{"one", changes(counters.Change{Name: "IpOutNoRoutes", By: 2, Meaning: "no route"}), `
Kernel counters that rose from 03:12:04.000 to 03:12:05.000 UTC, of this network namespace and not of the probe alone
  IpOutNoRoutes                  +2  no route
`},
	} {
		var out bytes.Buffer
		(&Printer{Out: &out}).Cause(cause.Findings{Kernel: row.kernel})
		if diff := cmp.Diff(row.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

// The terminal shows the experiments in the order in which they were made.
func TestExperiments(t *testing.T) {
	var out bytes.Buffer
	(&Printer{Out: &out}).Cause(cause.Findings{Experiments: []result.Experiment{{Kind: result.Again, Failure: &result.Failure{
		Phase: result.Processing, Reason: result.TCPClosed, Origin: result.Peer}}, {Kind: result.TCPOnly}}})
	const want = `
Experiments after the failure
  again: FAILED: connection closed by the peer while waiting for the response
  tcp_only: works
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSummary(t *testing.T) {
	s := NewSummary()
	for i := range 20 {
		r := resulttest.HTTPSuccess()
		r.Elapsed = time.Duration(i+1) * time.Second
		s.Add(&r)
	}
	for range 5 {
		r := resulttest.ResetInProcessing()
		s.Add(&r)
	}
	refused := resulttest.ConnectRefused()
	s.Add(&refused)
	abandoned := resulttest.ResetInProcessing()
	abandoned.Failure = &result.Failure{Phase: result.Processing, Reason: result.Abandoned}
	s.Add(&abandoned)
	var got bytes.Buffer
	(&Printer{Out: &got}).Summary("http://api.example.com/", s)
	want := []string{
		"http://api.example.com/: 26 sent, 6 failed (23 %)",
		"      5  processing tcp.reset ECONNRESET peer",
		"      1  connect tcp.refused ECONNREFUSED peer",
		"                    min        avg        p50        p95        max",
		"  all           1.000 s   10.500 s   10.000 s   19.000 s   20.000 s",
	}
	for _, line := range want {
		if !strings.Contains(got.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, got.String())
		}
	}
}

func TestIdle(t *testing.T) {
	var got bytes.Buffer
	p := &Printer{Out: &got}
	p.Idle(30*time.Second, &result.IdleResult{Idle: 30 * time.Second, Used: true,
		Attempt: result.Attempt{Elapsed: 2 * time.Millisecond}})
	p.Idle(5*time.Minute, &result.IdleResult{Idle: time.Minute,
		Failure: &result.Failure{Phase: result.Idle, Reason: result.TCPClosed, Origin: result.Peer}})
	want := "30s      ok: served a request after 30.000 s idle, in 2.0 ms\n" +
		"5m0s     FAILED after 60.000 s idle: connection closed by the peer while the connection was idle\n"
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
