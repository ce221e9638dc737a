package cost

import (
	"flag"
	"os/exec"
	"testing"

	"errno_exporter/internal/bench"
)

var beside = flag.String("beside", "", "another build of errno_exporter, which BenchmarkBeside puts beside this one")

// probesOfAPair are the probes of one build in a pair: few, so that both meet the same machine.
const probesOfAPair = 250

// BenchmarkBeside reports what a probe takes of CPU time with this build and with another, and their ratio: the median
// of pairs, of which every second one begins with the other build. With a build of the same source as the other one the
// ratio shows how exact it is.
//
//	go build -o /tmp/other . && go test ./test/cost -run '^$' -bench Beside -benchtime 400x -beside /tmp/other
func BenchmarkBeside(b *testing.B) {
	if *beside == "" {
		b.Skip("needs -beside")
	}
	server := bench.Start(b)
	this := programs(b, &server)[0]
	other := this
	other.command = func() *exec.Cmd {
		c := this.command()
		c.Path = *beside
		return c
	}
	for _, work := range []struct{ name, url string }{{"http", server.HTTP}, {"https1", server.HTTPS1}} {
		b.Run(work.name, func(b *testing.B) {
			pair := [2]*running{run(b, &this), run(b, &other)}
			var cpu [2][]float64 // microseconds of a probe
			var ratios []float64
			for _, r := range pair {
				r.ask(b, work.url, 10, 1000) // warm
			}
			for i := 0; b.Loop(); i++ {
				for j := range pair {
					at := (i + j) % len(pair)
					before := pair[at].cpuTime(b)
					pair[at].ask(b, work.url, 10, probesOfAPair)
					took := pair[at].cpuTime(b) - before
					cpu[at] = append(cpu[at], float64(took.Nanoseconds())/1000/probesOfAPair)
				}
				ratios = append(ratios, cpu[0][i]/cpu[1][i])
			}
			b.ReportMetric(median(cpu[0]), "this-cpu-µs/probe")
			b.ReportMetric(median(cpu[1]), "other-cpu-µs/probe")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}
