package dns

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
	"errno_exporter/prober/socket"
)

// maxExchanges bounds what is kept of one lookup.
const maxExchanges = 32

// maxAnswers bounds the addresses of a name: the first ones count.
const maxAnswers = 256

// lookup watches one name being resolved.
type lookup struct {
	start  time.Time     // the attempt's beginning
	caught guard.Report  // is called with panics: Go's resolver runs what follows in goroutines of its own
	server string        // asked instead of the system's; empty for the system's
	delay  time.Duration // that the other family is waited for when one has addresses

	waiting context.Context // ends with the attempt, or when the rest is not waited for any longer
	stop    context.CancelFunc

	mu     sync.Mutex // guards what follows: A and AAAA are asked side by side
	record result.Lookup
	conns  []net.Conn
	late   *time.Timer // runs when one family has addresses
	gaveUp bool        // the other family is not waited for any longer
	over   bool        // the answer, or our deadline, is here
}

// Query is a question for the addresses of a name.
type Query struct {
	Host     string
	Network  string       // ip, ip4 or ip6
	Start    time.Time    // times of the Lookup are since then
	Panicked guard.Report // is called with panics of goroutines
}

// System asks the system's resolver; server (host:port) takes the place of its name servers unless it is empty.
func (q *Query) System(ctx context.Context, server string) ([]netip.Addr, *result.Lookup, error) {
	l := q.newLookup(ctx)
	l.server = server
	resolver := net.Resolver{PreferGo: true, Dial: l.dial}
	addrs, err := resolver.LookupNetIP(ctx, q.Network, q.Host)
	record := l.end()
	addrs = addrs[:min(len(addrs), maxAnswers)]
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, record, err
}

// end closes what is still waiting, and returns what was seen. Go's resolver returns at our deadline and leaves its
// goroutines to their own patience, 5 s a question.
func (l *lookup) end() *result.Lookup {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.stop()
	if l.late != nil {
		l.late.Stop()
	}
	for _, conn := range l.conns {
		_ = conn.Close() // most are closed already
	}
	record := l.record
	record.Exchanges = append([]result.DNSExchange(nil), l.record.Exchanges...)
	return &record
}

// own remembers a connection to be closed at the end; it reports false when the end has come.
func (l *lookup) own(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.conns = append(l.conns, conn)
	}
	return !l.over
}

// errGivenUp answers Go's resolver when it would go on for a family that is not waited for any longer.
var errGivenUp = errors.New("the other family has answered")

func (l *lookup) dial(ctx context.Context, network, server string) (dialled net.Conn, err error) {
	defer func() { l.catchPanic(guard.Recovered(recover()), &err) }()
	if l.hasGivenUp() {
		return nil, errGivenUp
	}
	if l.server != "" {
		server = l.server
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer l.caught.AfterFunc(l.waiting, cancel)()
	began := time.Since(l.start)
	dialer := net.Dialer{Control: socket.ReportICMP}
	conn, err := dialer.DialContext(ctx, network, server)
	if err != nil {
		e := newExchange(server, network, began, time.Since(l.start), err)
		e.GivenUp = l.hasGivenUp()
		l.add(e)
		return nil, err
	}
	if !l.own(conn) {
		_ = conn.Close() // nothing was asked on it
		return nil, net.ErrClosed
	}
	watched := &recorder{Conn: conn, lookup: l, server: server, network: network}
	if packets, ok := conn.(*net.UDPConn); ok {
		return &packetRecorder{recorder: watched, PacketConn: packets}, nil
	}
	return watched, nil
}

// catchPanic makes a panic in one of the resolver's goroutines the attempt's failure, and the function's error.
func (l *lookup) catchPanic(p *guard.Panic, err *error) {
	if p != nil {
		l.caught(p)
		*err = p
	}
}

func newExchange(server, network string, began, ended time.Duration, err error) result.DNSExchange {
	e := result.DNSExchange{Server: server, Network: network, Start: began, Duration: ended - began,
		RCode: result.NoRCode, TTL: result.NoTTL, Err: err}
	e.Errno, _ = classify.Errno(err)
	return e
}

// add keeps an exchange within the bound and returns its index.
func (l *lookup) add(e result.DNSExchange) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.record.Exchanges) == maxExchanges {
		return -1
	}
	l.record.Exchanges = append(l.record.Exchanges, e)
	return len(l.record.Exchanges) - 1
}

// update changes an exchange that add returned.
func (l *lookup) update(i int, change func(*result.DNSExchange)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i >= 0 {
		change(&l.record.Exchanges[i])
		l.record.Exchanges[i].Duration = time.Since(l.start) - l.record.Exchanges[i].Start
	}
}

// newLookup begins to watch a name being resolved, within the context's time.
func (q *Query) newLookup(ctx context.Context) *lookup {
	l := &lookup{start: q.Start, caught: q.Panicked, record: result.Lookup{Host: q.Host}}
	l.waiting, l.stop = context.WithCancel(ctx)
	l.delay = delayOf(ctx)
	return l
}

// found notes that one family has addresses: from here on the other is waited for no longer than the delay.
func (l *lookup) found() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.late == nil && !l.over {
		l.late = l.caught.AfterTime(l.delay, l.giveUp)
	}
}

// giveUp ends the waiting for the other family.
func (l *lookup) giveUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gaveUp = true
	l.stop()
	for _, conn := range l.conns {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // fails only on a closed connection
	}
}

func (l *lookup) hasGivenUp() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gaveUp
}

// setDeadline sets a connection's deadline, unless its answer is not waited for any longer.
func (l *lookup) setDeadline(conn net.Conn, t time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gaveUp {
		return nil
	}
	return conn.SetDeadline(t)
}
