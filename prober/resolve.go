package prober

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
)

// Go's resolver asks the questions, so that hosts files, search lists and resolv.conf's options count as they do for the
// service that suffers. Its errors lose both the RCODE and the errno (net.DNSError is text), so a recorder on the sockets it
// dials reads the answers too. The cgo resolver would report EMFILE as a name that does not exist: it is never used.

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

// resolve returns the name's addresses in the resolver's order, and what was seen on the wire.
func (a *attempt) resolve(host string) (addrs []netip.Addr, l *result.Lookup, err error) {
	if a.module.Resolver != nil {
		addrs, l, err = a.ask(host)
	} else {
		addrs, l, err = a.askSystem(host)
	}
	return addrs[:min(len(addrs), maxAnswers)], l, err
}

// askSystem asks the system's resolver.
func (a *attempt) askSystem(host string) ([]netip.Addr, *result.Lookup, error) {
	l := a.newLookup(host)
	l.server = a.prober.options.Resolver
	resolver := net.Resolver{PreferGo: true, Dial: l.dial}
	addrs, err := resolver.LookupNetIP(a.ctx, a.lookupNetwork(), host)
	record := l.end()
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, record, err
}

// end closes what is still waiting, and returns what was seen. Go's resolver returns at our deadline and leaves its goroutines to
// their own patience, 5 s a question.
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

// lookupNetwork asks for one family only when the other would not be used anyway.
func (a *attempt) lookupNetwork() string {
	switch {
	case a.module.IPProtocolFallback:
		return "ip"
	case a.module.PreferIPv6:
		return "ip6"
	default:
		return "ip4"
	}
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
	dialer := net.Dialer{Control: reportICMP}
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
	watched := &dnsConn{Conn: conn, lookup: l, server: server, network: network}
	if packets, ok := conn.(*net.UDPConn); ok {
		return &dnsPacketConn{dnsConn: watched, PacketConn: packets}, nil
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
	e := result.DNSExchange{Server: server, Network: network, Start: began, Duration: ended - began, RCode: result.NoRCode, TTL: result.NoTTL, Err: err}
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
