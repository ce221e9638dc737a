package cli

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/config"
	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// watchEnds are ends of all kinds. The name of the second target comes from a hostile file.
func watchEnds() []observe.End {
	at := time.Date(2026, 11, 22, 3, 0, 0, 4e6, time.UTC)
	local, remote := netip.MustParseAddrPort("10.0.0.7:41002"), netip.MustParseAddrPort("192.0.2.7:443")
	tcp := observe.TCP{RTT: 2 * time.Millisecond, RTTVariance: time.Millisecond, Retransmits: 3, Unacknowledged: 212,
		BytesSent: 1000, BytesReceived: 2000, Window: 2896, Congestion: "loss"}
	var ends []observe.End
	add := func(how observe.How, origin result.Origin, lost observe.Lost) {
		n := len(ends)
		ends = append(ends, observe.End{Target: "api", Local: local, Remote: remote, At: at, How: how, Certain: n%2 == 0,
			Origin: origin, Idle: time.Duration(350+n) * time.Second, Age: time.Hour, Lost: lost, TCP: tcp})
	}
	add(observe.ResetReceived, "", observe.Unanswered)
	add(observe.ResetReceived, result.Peer, observe.Unacknowledged)
	add(observe.ResetReceived, result.Path, observe.Unanswered)
	add(observe.ResetReceived, result.Local, observe.NothingLost)
	add(observe.ResetSent, "", observe.NothingLost)
	add(observe.FINReceived, "", observe.NothingLost)
	add(observe.FINSent, "", observe.NothingLost)
	add(observe.TimedOut, "", observe.Unacknowledged)
	add(observe.Unknown, "", observe.NothingLost)
	ends[0].Container, ends[6].Container = "containerd://0123456789ab", "shop.service"
	ends[1].SinceReceived = ends[1].Idle + 42*time.Second // the request was sent 351 s ago, after 42 s
	hostile := ends[0]
	hostile.Container = "/\x1b[2Jjob\u202e"
	hostile.Target, hostile.Age = "\x1b[2Jall is well\n\u202e", -1
	hostile.Local, hostile.Remote = netip.MustParseAddrPort("[2001:db8::7]:41002"),
		netip.MustParseAddrPort("[2001:db8::8]:443")
	return append(ends, hostile)
}

func watchGlance() *glance {
	return &glance{Event: "connections", At: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC), Target: "api",
		Now: observe.Connections{
			States: map[string]int{"established": 12, "close_wait": 2, "time_wait": 3}, Opened: 40,
			Ended: map[observe.Ending]uint64{{How: observe.ResetReceived}: 20, {How: observe.FINReceived}: 6,
				{How: observe.ResetReceived, Origin: result.Path}: 6},
			OldestCloseWait: 90 * time.Second,
			TCP: observe.TCP{RTT: 2 * time.Millisecond, RTTVariance: 300 * time.Microsecond, Retransmits: 5,
				Unacknowledged: 1448, BytesSent: 10, BytesReceived: 20, Window: 14480},
			Congestion: map[string]int{"recovery": 2, "loss": 1},
			Containers: map[string]observe.ContainerCount{"shop.service": {Open: 2, Ended: 6},
				"containerd://0123456789ab": {Open: 1, Ended: 20, Reset: 19, Lost: 3}, "/\x1b[2Jjob": {Ended: 6}},
		}, EventsLost: 4}
}

// Ends, the summary and the table are exactly the text of the golden file: printable, whatever targets are called. With
// colour the text is the same, and every colour is ended.
func TestWatchText(t *testing.T) {
	print := func(p *Printer) {
		all := newEndings()
		for _, e := range watchEnds() {
			p.End(&e)
			if e.Target == "api" {
				all.add(&e)
			}
		}
		g := watchGlance()
		p.Endings("api", &g.Now, all)
		p.Endings("idle", &observe.Connections{}, newEndings())
		empty := &glance{Target: "\x1b[2Jidle"}
		for _, line := range (&view{targets: []glance{*g, *empty}, sockets: watchSockets(), eventsLost: 4}).table(12, 160) {
			p.line("%s", line)
		}
	}
	var plain, coloured bytes.Buffer
	print(&Printer{Out: &plain})
	print(&Printer{Out: &coloured, Colour: true})
	file := filepath.Join("testdata", "watch.golden")
	if *update {
		if err := os.WriteFile(file, plain.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), plain.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if i := strings.IndexFunc(plain.String(), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("not printable at byte %d: %q", i, plain.String())
	}
	text := coloured.String()
	if n := strings.Count(text, "\x1b["); n == 0 || n != 2*strings.Count(text, "\x1b[0m") {
		t.Errorf("colours are not ended: %q", text)
	}
	for _, code := range []string{"31", "32", "2", "0"} {
		text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
	}
	if diff := cmp.Diff(plain.String(), text); diff != "" {
		t.Errorf("(-plain +coloured):\n%s", diff)
	}
}

func watchSockets() []observe.Socket {
	var out []observe.Socket
	for i := range 5 {
		out = append(out, observe.Socket{Target: "api", Local: netip.MustParseAddrPort("10.0.0.7:41002"),
			Remote: netip.MustParseAddrPort("192.0.2.7:443"), State: "established", Idle: time.Duration(i) * time.Second,
			Age: time.Hour, TCP: observe.TCP{RTT: time.Millisecond, Retransmits: uint64(i),
				Window: 14480, Congestion: []string{"", "recovery"}[i%2]}})
	}
	out[4].Container, out[3].Container = "containerd://0123456789ab", "/\x1b[2Jjob"
	return out
}

// A table has at most the terminal's lines, one of them free for the cursor, and its columns.
func TestWatchTableFits(t *testing.T) {
	for _, size := range [][2]int{{24, 80}, {9, 100}, {5, 40}, {3, 10}, {2, 1}, {1, 1}} {
		v := &view{targets: []glance{*watchGlance()}, sockets: watchSockets(), eventsLost: 4}
		table := v.table(size[0], size[1])
		if len(table) > max(2, size[0]-1) {
			t.Errorf("%d lines for a terminal of %d:\n%s", len(table), size[0], strings.Join(table, "\n"))
		}
		for _, line := range table {
			if n := len([]rune(line)); n > size[1] {
				t.Errorf("%d columns for a terminal of %d: %q", n, size[1], line)
			}
		}
	}
}

// Each line of JSON has the keys that docs/terminal.md lists, and is exactly that of the golden file.
func TestWatchJSON(t *testing.T) {
	var got bytes.Buffer
	p := &Printer{Out: &got}
	for _, e := range watchEnds() {
		if err := p.EndJSON(&e); err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range []*glance{watchGlance(), {Event: "summary", Target: "idle"}} {
		if err := p.ConnectionsJSON(g); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join("testdata", "watch.jsonl")
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
	page, err := os.ReadFile("../../docs/terminal.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got.String()) {
		var keys map[string]any
		if err := json.Unmarshal([]byte(line), &keys); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for key := range keys {
			if !strings.Contains(string(page), "\n| `"+key+"` |") {
				t.Errorf("docs/terminal.md has no row for the key %q", key)
			}
		}
	}
}

// What may be watched, and the one line that says what may not.
func TestWatchTargets(t *testing.T) {
	c := config.Default()
	for _, row := range []struct {
		name, arguments, want, refused string
	}{
		{"HOST:PORT", "api.example.com:8443", "api.example.com:8443", ""},
		{"a URL, whose secrets are not its name", "https://user:hunter2@api.example.com/x?token=hunter2",
			"api.example.com:443", ""},
		{"HTTP", "http://[2001:db8::7]/", "[2001:db8::7]:80", ""},
		{"twice", "api:80 http://api/", "api:80", ""},
		{"several", "a:1 b:2", "a:1 b:2", ""},
		{"neither a name nor a port", "api", "", `"api" is neither a configured target nor has a port`},
		{"no port", "http://api:0/", "", `port "0" is out of range`},
		{"nothing configured", "", "", "no targets are configured"},
	} {
		o := &WatchOptions{Targets: strings.Fields(row.arguments)}
		got, err := o.targets(c)
		var names []string
		for _, g := range got {
			names = append(names, g.name)
		}
		if !slices.Equal(names, strings.Fields(row.want)) || (err != nil) != (row.refused != "") ||
			err != nil && !strings.Contains(err.Error(), row.refused) {
			t.Errorf("%s: %q, %v, want %q, %q", row.name, names, err, row.want, row.refused)
		}
	}
}
