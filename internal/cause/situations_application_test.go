package cause

import (
	"slices"
	"testing"
	"time"

	"errno_exporter/internal/host"
	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// broke is a connection of the application that the peer reset after an idle age.
func broke(idle time.Duration, change ...func(*observe.End)) observe.End {
	end := observe.End{How: observe.ResetReceived, Idle: idle, SinceReceived: idle, Age: idle + time.Minute}
	for _, c := range change {
		c(&end)
	}
	return end
}

// every has the ends at an interval, and probes that succeed.
func every(interval time.Duration, ends ...observe.End) Evidence {
	e := after(healthy)
	for i, end := range ends {
		end.At = began.Add(time.Duration(i) * interval)
		e.Application.Ends = append(e.Application.Ends, end)
	}
	return e
}

// grown has a sample a minute, of connections by state, and probes that succeed.
func grown(set func(*ApplicationSample, int), numbers ...int) Evidence {
	return grownBy(time.Minute, set, numbers...)
}

// grownBy has a sample at an interval.
func grownBy(interval time.Duration, set func(*ApplicationSample, int), numbers ...int) Evidence {
	e := after(healthy)
	for i, number := range numbers {
		s := ApplicationSample{At: began.Add(time.Duration(i) * interval)}
		set(&s, number)
		e.Application.Samples = append(e.Application.Samples, s)
	}
	return e
}

// upTo are so many numbers from one to another.
func upTo(count, from, to int) []int {
	var all []int
	for i := range count {
		all = append(all, from+(to-from)*i/(count-1))
	}
	return all
}

// What is changed of an end.
func waited(e *observe.End) { e.Lost, e.SinceReceived = observe.Unanswered, e.Idle+time.Second }
func usedAgain(e *observe.End) {
	e.Lost, e.Idle = observe.Unacknowledged, 20*time.Millisecond
}
func byMiddlebox(e *observe.End) { e.Origin = result.Path }
func timedOut(e *observe.End)    { e.How = observe.TimedOut }

// How many connections there are.
func waiting(s *ApplicationSample, n int)     { s.CloseWait = n }
func waitingLong(s *ApplicationSample, n int) { waitingFor(10*time.Minute)(s, n) }
func open(s *ApplicationSample, n int)        { s.Established = n }
func lingering(s *ApplicationSample, n int)   { s.TimeWait = n }

// waitingFor is waiting where the oldest connection has been in CLOSE_WAIT for a time.
func waitingFor(oldest time.Duration) func(*ApplicationSample, int) {
	return func(s *ApplicationSample, n int) { s.CloseWait, s.OldestCloseWait = n, oldest }
}

// applications are situations of the application's own connections, where fresh ones work.
func applications() []situation {
	steady := []time.Duration{349900 * time.Millisecond, 350 * time.Second, 350200 * time.Millisecond}
	ends := func(ages []time.Duration, change ...func(*observe.End)) (all []observe.End) {
		for _, age := range ages {
			all = append(all, broke(age, change...))
		}
		return all
	}
	uneven := ends([]time.Duration{10 * time.Second, 100 * time.Second, 350 * time.Second, 40 * time.Second})
	used := ends([]time.Duration{20 * time.Millisecond, 21 * time.Millisecond, 20 * time.Millisecond})
	server := idleFor(time.Minute, false, result.TCPClosed)
	return slices.Concat([]situation{
		{"the application is reset at a steady idle age", every(6*time.Minute, ends(steady)...),
			"stale_pool us medium"},
		{"at a steady idle age, many times", every(4*time.Minute, ends(slices.Repeat(steady, 5))...),
			"stale_pool us high"},
		{"when used again at a steady idle age", every(6*time.Minute, ends(steady, usedAgain)...),
			"stale_pool us high"},
		{"after a steady time without an answer", every(6*time.Minute, ends(steady, waited)...),
			"unknown unknown low"},
		{"at a steady idle age, by a middlebox", every(6*time.Minute, ends(steady, byMiddlebox)...),
			"stale_pool us high"},
		{"at a steady idle age, the kernel gave up", every(6*time.Minute, ends(steady, timedOut)...),
			"stale_pool us medium"},
		{"at a steady idle age, and once otherwise",
			every(6*time.Minute, append(ends(steady), broke(20*time.Second))...),
			"stale_pool us medium"},
		{"at a steady idle age, and as often otherwise", every(6*time.Minute, append(ends(steady), uneven...)...),
			"unknown unknown low"},
		{"at a steady idle age, all at once: a restart", every(time.Millisecond, ends(slices.Repeat(steady, 5))...),
			"none"},
		{"at a steady idle age, twice", every(6*time.Minute, ends(steady[:2])...),
			"none"},
		{"at ages that vary", every(6*time.Minute, uneven...),
			"unknown unknown low"},
		{"while in use", every(6*time.Minute, used...),
			"unknown unknown low"},
		{"while in use, by a middlebox", every(6*time.Minute, ends([]time.Duration{0, 0, 0}, byMiddlebox)...),
			"unknown unknown low"},
		{"the exporter's idle connections end, too", every(6*time.Minute, ends(steady)...).idle(server, server),
			"stale_pool us medium; open [server_idle_timeout]"},
		{"the exporter's idle connection ended once, and the application is reset", every(6*time.Minute,
			uneven...).idle(server),
			"unknown unknown low"},
		{"the application is reset, and probes are refused", probing(every(6*time.Minute, ends(steady)...), n(2, refused)),
			"server_restarted server medium; not not_listening transient; open [firewall_reject]"},
		{"the application is reset at a steady age, and one probe failed",
			probing(every(6*time.Minute, ends(steady)...), n(1, resetBare), n(1, worked(1))),
			"stale_pool us medium; not request_rejected; open [transient firewall_reject server_aborts]"},
	}, leaks(), leakBounds())
}

// probing has further probes.
func probing(e Evidence, runs ...[]Digest) Evidence {
	e.Recent = after(append([][]Digest{e.Recent}, runs...)...).Recent
	return e
}

// fewPorts is where this host has so many local ports.
func fewPorts(e Evidence, ports int) Evidence {
	e.Host = host.Record{Ports: ports}
	return e
}

// leaks are situations of connections whose number grows.
func leaks() []situation {
	return []situation{
		{"CLOSE_WAIT grows", grown(waiting, upTo(10, 2, 40)...),
			"connection_leak us medium"},
		{"CLOSE_WAIT grows, and the oldest is old", grown(waitingLong, upTo(10, 2, 40)...),
			"connection_leak us high"},
		{"CLOSE_WAIT grows, a few", grown(waitingLong, upTo(10, 0, 9)...),
			"none"},
		{"CLOSE_WAIT grows for three minutes", grown(waitingLong, upTo(4, 2, 40)...),
			"none"},
		{"CLOSE_WAIT grew, and stays: a pool that does not look", grown(waitingLong, append(upTo(4, 2, 20),
			slices.Repeat([]int{20}, 12)...)...),
			"none"},
		{"CLOSE_WAIT comes and goes", grown(waitingLong, 2, 10, 30, 3, 12, 40, 5, 20, 40),
			"none"},
		{"CLOSE_WAIT grows a little", grown(waitingLong, upTo(10, 30, 34)...),
			"none"},
		{"CLOSE_WAIT of hundreds grows on", grown(waiting, upTo(30, 700, 760)...),
			"connection_leak us medium"},
		{"connections only grow", grown(open, upTo(25, 50, 600)...),
			"connection_leak us medium"},
		{"connections grow for ten minutes: load", grown(open, upTo(11, 50, 600)...),
			"none"},
		{"connections grow to the pool's limit", grown(open, append(upTo(10, 50, 600), slices.Repeat([]int{600},
			20)...)...),
			"none"},
		{"connections grow and shrink", grown(open, append(upTo(20, 50, 600), upTo(10, 590, 700)...)...),
			"none"},
		{"connections grow, and are few", grown(open, upTo(25, 5, 90)...),
			"none"},
		{"TIME_WAIT holds a quarter of the local ports", grown(lingering, 7100),
			"port_churn us medium"},
		{"TIME_WAIT holds more than half of them", grown(lingering, 16000),
			"port_churn us high"},
		{"TIME_WAIT holds a quarter of the few ports of this host", fewPorts(grown(lingering, 250), 1000),
			"port_churn us medium"},
		{"TIME_WAIT holds some", grown(lingering, 2000),
			"none"},
	}
}

// leakBounds are situations on either side of each bound of the rule of leaks.
func leakBounds() []situation {
	minute, most := time.Minute, 5*time.Minute
	return []situation{
		{"CLOSE_WAIT grows for five minutes", grown(waiting, upTo(6, 2, 40)...), "connection_leak us medium"},
		{"CLOSE_WAIT grows for four minutes", grown(waiting, upTo(5, 2, 40)...), "none"},
		{"CLOSE_WAIT grows from 5 to 10", grown(waiting, upTo(6, 5, 10)...), "connection_leak us medium"},
		{"CLOSE_WAIT grows from 6 to 10", grown(waiting, upTo(6, 6, 10)...), "none"},
		{"CLOSE_WAIT grows from 0 to 9", grown(waiting, upTo(6, 0, 9)...), "none"},
		{"CLOSE_WAIT grows, five samples", grownBy(2*minute, waiting, upTo(5, 2, 40)...), "connection_leak us medium"},
		{"CLOSE_WAIT grows, four samples", grownBy(2*minute, waiting, upTo(4, 2, 40)...), "none"},
		{"CLOSE_WAIT falls by one", grown(waiting, 2, 10, 20, 19, 30, 40), "none"},
		{"the oldest is 5 minutes old", grown(waitingFor(most), upTo(6, 2, 40)...), "connection_leak us high"},
		{"the oldest is younger", grown(waitingFor(most-1), upTo(6, 2, 40)...), "connection_leak us medium"},
		{"CLOSE_WAIT grows in the second half alone", grown(waiting, 2, 2, 2, 2, 30, 40), "none"},
		{"CLOSE_WAIT grows from the middle on", grown(waiting, 2, 2, 2, 20, 30, 40), "connection_leak us medium"},
		{"CLOSE_WAIT grows in the first half alone", grown(waiting, 2, 10, 20, 40, 40, 40), "none"},
		{"CLOSE_WAIT grows past the middle", grown(waiting, 2, 10, 20, 39, 40, 40), "connection_leak us medium"},
		{"CLOSE_WAIT grows in the last minute", grown(waiting, 2, 10, 20, 30, 30, 40), "connection_leak us medium"},
		{"connections grow for 20 minutes", grown(open, upTo(21, 50, 600)...), "connection_leak us medium"},
		{"connections grow for 19 minutes", grown(open, upTo(20, 50, 600)...), "none"},
		{"connections grow from 50 to 100", grown(open, upTo(21, 50, 100)...), "connection_leak us medium"},
		{"connections grow from 51 to 100", grown(open, upTo(21, 51, 100)...), "none"},
		{"connections grow from 40 to 99", grown(open, upTo(21, 40, 99)...), "none"},
		{"connections grow by half", grown(open, upTo(21, 400, 600)...), "none"},
		{"TIME_WAIT holds 100 of 500 local ports", fewPorts(grown(lingering, 100), 500), "port_churn us medium"},
	}
}

// TestFailedEnd: what the application ended itself is no failure, and neither is a close of what nothing was sent on.
func TestFailedEnd(t *testing.T) {
	for _, row := range []struct {
		how  observe.How
		lost observe.Lost
		want bool
	}{
		{observe.ResetReceived, observe.NothingLost, true},
		{observe.TimedOut, observe.NothingLost, true},
		{observe.FINReceived, observe.NothingLost, false},
		{observe.FINReceived, observe.Unacknowledged, true},
		{observe.FINSent, observe.Unanswered, false},
		{observe.FINSent, observe.Unacknowledged, true},
		{observe.ResetSent, observe.Unanswered, false},
		{observe.Unknown, observe.NothingLost, false},
		{observe.Unknown, observe.Unanswered, true},
	} {
		if got := FailedEnd(&observe.End{How: row.how, Lost: row.lost}); got != row.want {
			t.Errorf("FailedEnd(%s, %q) = %t, want %t", row.how, row.lost, got, row.want)
		}
	}
}
