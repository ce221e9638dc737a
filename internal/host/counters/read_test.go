package counters

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// folder is a folder like /proc/net with files of these texts.
func folder(t testing.TB, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// shown is the counters that a sample knows.
func shown(s *Sample) map[string]uint64 {
	known := map[string]uint64{}
	for i := range All {
		if s.known[i] {
			known[All[i].Name] = s.values[i]
		}
	}
	return known
}

// A sample has exactly the counters that the files have, and what is malformed is not known.
func TestRead(t *testing.T) {
	for _, row := range []struct {
		name  string
		files map[string]string
		want  map[string]uint64
	}{
		{"nothing", nil, map[string]uint64{}},
		{"empty files", map[string]string{"snmp": "", "snmp6": "", "netstat": "", "stat/nf_conntrack": "",
			"softnet_stat": ""}, map[string]uint64{}},
		{"snmp", map[string]string{"snmp": "Ip: Forwarding OutNoRoutes\nIp: 1 7\nTcp: MaxConn RetransSegs\nTcp: -1 4\n"},
			map[string]uint64{"IpOutNoRoutes": 7, "TcpRetransSegs": 4}},
		{"snmp6", map[string]string{"snmp6": "Ip6InReceives       \t9\nIp6OutNoRoutes    \t12\n"},
			map[string]uint64{"Ip6OutNoRoutes": 12}},
		{"netstat", map[string]string{"netstat": "TcpExt: SyncookiesSent ListenOverflows TCPNew\nTcpExt: 0 3 5\n" +
			"IpExt: InNoRoutes\nIpExt: 18446744073709551615\n"},
			map[string]uint64{"TcpExtListenOverflows": 3, "IpExtInNoRoutes": 1<<64 - 1}},
		{"names that others have, too", map[string]string{"netstat": "MPTcpExt: ListenDrops\nMPTcpExt: 3\n",
			"snmp": "UdpLite: NoPorts\nUdpLite: 3\n"}, map[string]uint64{}},
		{"conntrack of two CPUs", map[string]string{"stat/nf_conntrack": "entries  clashres invalid insert_failed drop\n" +
			"0000001f  00000000 0000000a 00000001 00000000\n0000001f  00000001 00000010 00000001 00000000\n"},
			map[string]uint64{"conntrack invalid": 26, "conntrack insert_failed": 2, "conntrack drop": 0}},
		{"softnet of two CPUs", map[string]string{"softnet_stat": "00000100 0000000f 00000002 00000000\n" +
			"00000100 00000001 00000000 00000000\n"}, map[string]uint64{"softnet dropped": 16, "softnet time_squeeze": 2}},
		{"fewer numbers than names", map[string]string{"snmp": "Ip: Forwarding OutNoRoutes\nIp: 7\n" +
			"Tcp: OutRsts\nTcp: 2\n", "stat/nf_conntrack": "entries drop\n00000001\n"}, map[string]uint64{"TcpOutRsts": 2}},
		{"more numbers than names", map[string]string{"snmp": "Ip: OutNoRoutes\nIp: 1 7\n"}, map[string]uint64{}},
		{"a line that is missing", map[string]string{"snmp": "Ip: OutNoRoutes\nTcp: OutRsts\nTcp: 2\n"},
			map[string]uint64{"TcpOutRsts": 2}},
		{"cut off", map[string]string{"snmp": "Tcp: OutRsts\nTcp: 2\nUdp: NoPorts", "snmp6": "Ip6OutNoRoutes",
			"softnet_stat": "00000100"}, map[string]uint64{"TcpOutRsts": 2}},
		{"no numbers", map[string]string{"snmp": "Tcp: OutRsts RetransSegs\nTcp: -1 many\n", "snmp6": "Ip6OutNoRoutes 0x1\n",
			"stat/nf_conntrack": "drop\nzz\n", "softnet_stat": "a b\nx 1 y\n\n \n"},
			map[string]uint64{"softnet dropped": 12}},
		{"no lines", map[string]string{"snmp": strings.Repeat(":", 100), "netstat": "\x00\n\n:\n:\n",
			"stat/nf_conntrack": "\n\n\n"}, map[string]uint64{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := newReader(folder(t, row.files)).read()
			var unread int
			for _, f := range files {
				if _, there := row.files[f.path]; !there {
					unread++
				}
			}
			if said := strings.Count(errorText(err), "no such file"); said != unread {
				t.Errorf("the error names %d files, want %d: %v", said, unread, err)
			}
			if diff := cmp.Diff(row.want, shown(got)); diff != "" {
				t.Errorf("read (-want +got):\n%s", diff)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Every counter has a name of its own and a sentence without a full stop.
func TestAll(t *testing.T) {
	var names []string
	for _, c := range All {
		if slices.Contains(names, c.Name) || c.Sentence == "" || strings.HasSuffix(c.Sentence, ".") {
			t.Errorf("%+v: want a name of its own, and a sentence", c)
		}
		names = append(names, c.Name)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Ip: OutNoRoutes\nIp: 7\n")
	f.Add("entries drop\n1 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := newReader("")
		r.into = new(Sample)
		for _, file := range files {
			file.parse(r, []byte(text))
		}
	})
}

// BenchmarkRead is what a sample costs, at most once a second.
func BenchmarkRead(b *testing.B) {
	r := newReader(Folder)
	if s, err := r.read(); s.known == [len(All)]bool{} {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = r.read()
	}
}

// BenchmarkBefore is what it costs a probe that needs no new sample.
func BenchmarkBefore(b *testing.B) {
	s, err := NewSampler(Folder, nil)
	if s == nil {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Before()
	}
}
