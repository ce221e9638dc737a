package cause

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"errno_exporter/internal/host"
	"errno_exporter/internal/host/counters"
	"errno_exporter/prober/result"
)

// What evidence is written in by the tests: digests a quarter of a minute apart, and experiments as words.

var (
	began   = time.Date(2026, 3, 1, 3, 12, 4, 0, time.UTC)
	target  = netip.MustParseAddr("192.0.2.1")
	other   = netip.MustParseAddr("192.0.2.2")
	router  = netip.MustParseAddr("198.51.100.1")
	router6 = netip.MustParseAddr("2001:db8:1::1")
	self    = netip.MustParseAddr("203.0.113.9")
)

// seen is a digest, changed.
func seen(o Digest, change ...func(*Digest)) Digest {
	for _, c := range change {
		c(&o)
	}
	return o
}

func failed(phase result.Phase, reason result.Reason, origin result.Origin, change ...func(*Digest)) Digest {
	o := Digest{Timeout: 10 * time.Second, Took: time.Second, Connecting: time.Second, Addr: target, Plain: true,
		Failure: &result.Failure{Phase: phase, Reason: reason, Origin: origin}}
	return seen(o, change...)
}

// quickly is a failure a moment after the probe's beginning.
func quickly(o *Digest) { o.Took, o.Connecting = time.Millisecond, time.Millisecond }

// worked is a success whose answer took so many milliseconds.
func worked(ms time.Duration, change ...func(*Digest)) Digest {
	return seen(Digest{Timeout: 10 * time.Second, Took: time.Second, Addr: target,
		Processing: ms * time.Millisecond, Received: 5000}, change...)
}

// n is a digest, repeated.
func n(times int, o Digest) []Digest {
	all := make([]Digest, times)
	for i := range all {
		all[i] = o
	}
	return all
}

// after is evidence of digests, the last one just now.
func after(runs ...[]Digest) Evidence {
	var e Evidence
	for _, run := range runs {
		e.Recent = append(e.Recent, run...)
	}
	for i := range e.Recent {
		e.Recent[i].At = began.Add(time.Duration(i) * 15 * time.Second)
	}
	return e
}

func (e Evidence) end() time.Time { return e.Recent[len(e.Recent)-1].At }

// made adds experiments after the newest failure: "again- plain_request+ again-".
func (e Evidence) made(words string) Evidence {
	o := &e.Recent[len(e.Recent)-1]
	e.Experiments = &Experiments{At: o.At.Add(time.Second), After: *o.failure(), Addr: o.Addr}
	for word := range strings.FieldsSeq(words) {
		c := result.Experiment{Kind: result.ExperimentKind(word[:len(word)-1])}
		if word[len(word)-1] == '-' {
			c.Failure = &result.Failure{Phase: o.failure().Phase, Reason: o.failure().Reason}
		}
		if c.Kind == result.PathTrace {
			c.Failure, c.Hops = nil, []result.PathHop{{From: router}, {}, {}}
		}
		e.Experiments.Made = append(e.Experiments.Made, c)
	}
	return e
}

// closed adds what a closed port of the host answered with.
func (e Evidence) closed(ttl uint8) Evidence {
	e = e.made("again-")
	e.Experiments.Made = append(e.Experiments.Made,
		result.Experiment{Kind: result.ClosedPort, TTL: ttl,
			Failure: &result.Failure{Phase: result.Connect, Reason: result.TCPRefused}})
	return e
}

// silent adds that a closed port of the host does not answer, either.
func (e Evidence) silent() Evidence { return e.made("again-").onceSilent() }

// onceSilent adds the same, where the attempt was not repeated.
func (e Evidence) onceSilent() Evidence {
	if e.Experiments == nil {
		e = e.made("")
	}
	e.Experiments.Made = append(e.Experiments.Made, result.Experiment{Kind: result.ClosedPort,
		Failure: &result.Failure{Phase: result.Connect, Reason: result.TCPTimedOut}})
	return e
}

// refuses adds who refuses by their TTLs that no capture saw, and a closed port of the host beside it.
func (e Evidence) refuses(sender result.Sender, closed result.Than) Evidence {
	e = e.made("again-")
	e.Experiments.Made = append(e.Experiments.Made,
		result.Experiment{Kind: result.ResetDistance, RSTTTL: 63,
			TTL: map[result.Sender]uint8{result.Middlebox: 62, result.EndHost: 63}[sender], Sender: sender},
		result.Experiment{Kind: result.ClosedPort, Than: closed,
			Failure: &result.Failure{Phase: result.Connect, Reason: result.TCPRefused}})
	return e
}

// distance adds from where resets came that no capture saw.
func (e Evidence) distance(sender result.Sender) Evidence {
	e = e.made("again-")
	e.Experiments.Made = append(e.Experiments.Made,
		result.Experiment{Kind: result.ResetDistance, TTL: 62, Sender: sender})
	return e
}

// oneHop adds that a SYN which lives for one hop was accepted after a round trip.
func (e Evidence) oneHop(took time.Duration) Evidence {
	e = e.made("again-")
	e.Experiments.Made = append(e.Experiments.Made, result.Experiment{Kind: result.OneHop, RoundTrip: took})
	return e
}

func (e Evidence) egress(g Egress) Evidence {
	if e.Egress = g; g.Known && g.At.IsZero() {
		e.Egress.At = e.end()
	}
	return e
}

func (e Evidence) host(h host.Record) Evidence { e.Host = h; return e }

// idle adds fates of idle connections, ten minutes apart.
func (e Evidence) idle(fates ...IdleConn) Evidence {
	for i, k := range fates {
		if k.At.IsZero() {
			k.At = began.Add(time.Duration(i) * 10 * time.Minute)
		}
		e.Idle = append(e.Idle, k)
	}
	return e
}

// What is changed of a digest.

// rose is what the kernel counted around a failure: "TcpRetransSegs=2, conntrack drop=1".
func rose(words string) func(*Digest) {
	c := new(counters.Changes)
	for word := range strings.SplitSeq(words, ", ") {
		name, by, _ := strings.Cut(word, "=")
		n, err := strconv.ParseUint(by, 10, 64)
		if err != nil {
			panic(err)
		}
		c.Changed = append(c.Changed, counters.Change{Name: name, By: n})
	}
	return func(o *Digest) { o.Kernel = counters.Of(c) }
}

// awaits is a failure whose counters are still to be read.
func awaits(o *Digest) { o.Kernel = new(counters.Around) }

// sentTwice is a SYN or a segment that was sent again.
func sentTwice(o *Digest) { o.Repeats = 1 }

func reset(sender result.Sender, ttl, reference uint8, live bool) func(*Digest) {
	return func(o *Digest) {
		o.Reset = &result.Reset{Sender: sender, TTL: ttl, Reference: reference, Live: live}
	}
}

func bySocket(o *Digest)  { reset(result.EndHost, 62, 62, true)(o) }
func bareReset(o *Digest) { reset(result.EndHost, 62, 62, false)(o) }
func nearer(o *Digest)    { reset(result.Middlebox, 64, 62, false)(o) }
func thisHost(o *Digest)  { reset(result.ThisHost, 64, 62, false)(o) }
func proxied(o *Digest)   { o.Proxied, o.Relayed = true, true }
func tunnelled(o *Digest) { o.Proxied = true }
func notPlain(o *Digest)  { o.Plain = false }
func small(o *Digest)     { o.Sent, o.Received = 200, 0 }
func taken(o *Digest)     { o.Delivered = true }
func brief(o *Digest)     { o.Received = 300 }
func synAgain(o *Digest)  { o.SYNRepeats = 1 }
func nearby(o *Digest)    { o.Addr = netip.MustParseAddr("127.0.0.1") }

func icmp(from netip.Addr, kind, code uint8) func(*Digest) {
	return func(o *Digest) { o.ICMP = &result.ICMP{Type: kind, Code: code, From: from} }
}

// says is a failure's error, with what a proxy's answer states about its upstream; nil for nothing.
func says(err string, u *result.Upstream) func(*Digest) {
	return func(o *Digest) {
		f := *o.Failure
		f.Err = errors.New(err)
		o.Failure, o.Said = &f, o.Said.withFailure(&f, u)
	}
}

func speaks(change func(*Said)) func(*Digest) { return func(o *Digest) { change(&o.Said) } }

// status is a complete answer that the module refuses.
func status(code int, change ...func(*Digest)) Digest {
	return seen(failed(result.Validate, result.HTTPError, "", func(o *Digest) { o.Status = code }), change...)
}

func addresses(words ...string) func(*Digest) {
	return func(o *Digest) {
		for _, w := range words {
			o.Addresses = append(o.Addresses, AddressSeen{netip.MustParseAddr(w[1:]), w[0] == '+'})
		}
	}
}

func idleFor(age time.Duration, used bool, reason result.Reason, change ...func(*IdleConn)) IdleConn {
	phase := result.Idle
	if used {
		phase = result.Processing
	}
	k := IdleConn{Age: time.Minute, Idle: age, Used: used, Failure: &result.Failure{Phase: phase, Reason: reason}}
	for _, c := range change {
		c(&k)
	}
	return k
}
