package endtoend

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/claims"
	"errno_exporter/internal/faultlab"
)

// maxFloodCPU is the most CPU time that a probe of a hostile server takes.
const maxFloodCPU = time.Second

// floodModules are the modules of floodRows and of moreFloods.
func floodModules(t *testing.T) string {
	t.Helper()
	keys := func(module string, more ...string) string {
		return faultlab.Module(module, time.Minute, faultlab.RootsPEM(), more...)
	}
	asks := func(module, protocol, server string) string {
		return keys(module, fmt.Sprintf("resolver: {servers: [%q], protocol: %s}", server, protocol))
	}
	warnings := strings.TrimSuffix(strings.TrimPrefix(faultlab.FloodOfWarnings(t), "https://"), "/")
	return "modules:\n" + keys("plain") + keys("gzip", "compression: gzip") + keys("deflate", "compression: deflate") +
		keys("br", "compression: br") + keys("http3", "enable_http3: true", "enable_http2: false") +
		asks("dns", "udp", faultlab.FloodOfAnswers(t)) + asks("dns_tls", "tls", warnings) +
		asks("dns_https", "https", faultlab.FloodOverHTTPS(t))
}

// moreFloods are the floods that have no row of their own in floodRows.
func moreFloods(t *testing.T) []hostileRow {
	t.Helper()
	quic := func(name string, more func(n uint64) string) hostileRow {
		return hostileRow{"QUIC " + name, faultlab.FloodOfQUICFrames(t, more), "http3"}
	}
	same := func(name string, kind uint64, integers ...uint64) hostileRow {
		frame := faultlab.QUICFrame(kind, integers, "")
		return quic(name, func(uint64) string { return frame })
	}
	number := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
	return []hostileRow{
		same("PADDING", 0x00), same("PING", 0x01), same("ACK", 0x02, 0, 0, 0, 0), same("MAX_DATA", 0x10, 1<<30),
		same("STREAM without data", 0x0e, 0, 0, 0),
		quic("PATH_CHALLENGE", func(n uint64) string { return "\x1a" + number(n) }),
		quic("NEW_CONNECTION_ID", func(n uint64) string {
			return faultlab.QUICFrame(0x18, []uint64{n + 10, n + 10}, "\x08"+number(n)+number(n)+number(^n))
		}),
		{"TLS 1.2 warnings", faultlab.FloodOfRecords12(t, faultlab.RecordAlert, faultlab.TLSWarning), "plain"},
		{"TLS 1.2 empty records", faultlab.FloodOfRecords12(t, faultlab.RecordData, ""), "plain"},
		{"DNS answers to another question", "http://lab.test/", "dns"},
		{"DNS over TLS, warnings", "http://lab.test/", "dns_tls"},
		{"DNS over HTTPS, HTTP/2 PING", "http://lab.test/", "dns_https"},
	}
}

// Each flood takes a bounded time of the CPU, however long the probe may take.
func TestFloodsTakeLittleCPU(t *testing.T) {
	rows := append(floodRows(t), moreFloods(t)...)
	d := runDaemon(t, floodModules(t), "")
	for _, row := range rows {
		before := d.cpu(t)
		status, body := d.scrape(t, "/probe?module="+row.module+"&target="+url.QueryEscape(row.target), 60)
		used := d.cpu(t) - before
		if status != http.StatusOK || !strings.Contains(body, "\nprobe_success 0\n") ||
			strings.Contains(body, `.timed_out"} 1`) {
			t.Errorf("%s: %d, want a failure that is none by the deadline\n%s", row.name, status, body)
		}
		if used > maxFloodCPU {
			t.Errorf("%s: %s of CPU, want at most %s", row.name, used, maxFloodCPU)
		}
		t.Logf("%s: %s of CPU", row.name, used)
	}
	claims.Prove(t, "CPU time of a probe that a flood ends", int(maxFloodCPU/time.Second))
}

// So does a flood on an idle connection, the scrapes until it is reported included.
func TestIdleFloodsTakeLittleCPU(t *testing.T) {
	const silence = 100 * time.Millisecond // before the flood
	for _, row := range []struct {
		name  string
		serve func(faultlab.Host, time.Duration) string
	}{
		{"HTTP/2 PING", faultlab.IdleFloodOfPings}, {"TLS tickets", faultlab.IdleFloodOfTickets},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := runDaemon(t, "modules:\n"+
				faultlab.Module("kept", time.Minute, faultlab.RootsPEM(), "keepalive: {idle: [1s]}")+
				fmt.Sprintf("targets: [{name: api, url: %q, module: kept}]\n", row.serve(t, silence)), "")
			before := d.cpu(t)
			eventually(t, "the flood is reported", func() (string, bool) {
				_, body := d.get(t, "/metrics")
				return body, idleFlood.MatchString(body)
			})
			if used := d.cpu(t) - before; used > maxFloodCPU {
				t.Errorf("%s of CPU, want at most %s", used, maxFloodCPU)
			} else {
				t.Logf("%s of CPU", used)
			}
		})
	}
}

var idleFlood = regexp.MustCompile(`(?m)^probe_keepalive_failures_total\{.*phase="idle",reason="peer.flood".*\} [1-9]`)

// cpu is the CPU time that the exporter has used (proc_pid_stat(5): utime and stime, in hundredths of a second).
func (d *daemon) cpu(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:])) // from the third on
	var ticks int64
	for _, field := range fields[14-3 : 16-3] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}
