package dns

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"errno_exporter/guard"
	"errno_exporter/prober/classify"
	"errno_exporter/prober/result"
)

const (
	serverPatience = 2 * time.Second
	rounds         = 2
	maxMessage     = 64 << 10
)

// Servers are name servers to ask instead of the system's.
type Servers struct {
	Addresses []string    // host:port, or URLs with the protocol https; asked in this order
	Protocol  string      // udp, tcp, tls or https
	TLS       *tls.Config // with tls and https
}

// Configured asks servers for the name's addresses.
func (q *Query) Configured(ctx context.Context, servers *Servers) ([]netip.Addr, *result.Lookup, error) {
	addrs, l, err := q.configured(ctx, servers)
	return addrs[:min(len(addrs), maxAnswers)], l.end(), err
}

func (q *Query) configured(ctx context.Context, servers *Servers) ([]netip.Addr, *lookup, error) {
	l := q.newLookup(ctx)
	c := client{lookup: l, caught: q.Panicked, servers: servers}
	kinds := map[string][]dnsmessage.Type{
		"ip4": {dnsmessage.TypeA}, "ip6": {dnsmessage.TypeAAAA}, "ip": {dnsmessage.TypeA, dnsmessage.TypeAAAA},
	}[q.Network]
	answers, problems := make([][]netip.Addr, len(kinds)), make([]error, len(kinds))
	var asking guard.Group
	for i, kind := range kinds {
		asking.Go(func() {
			if answers[i], problems[i] = c.query(l.waiting, q.Host, kind); len(answers[i]) > 0 {
				l.found()
			}
		})
	}
	asking.Wait()
	addrs := slices.Concat(answers...)
	if len(addrs) > 0 {
		return addrs, l, nil
	}
	for _, err := range problems {
		if err != nil {
			return nil, l, err
		}
	}
	return nil, l, &net.DNSError{Err: "no address", Name: q.Host, IsNotFound: true}
}

// client asks for one name.
type client struct {
	lookup  *lookup
	servers *Servers
	caught  guard.Report // is called with panics
}

// query asks one server after the other for the records of one kind. Without an error the name exists.
func (c *client) query(ctx context.Context, host string, kind dnsmessage.Type) ([]netip.Addr, error) {
	var last error
	for range rounds {
		for _, server := range c.servers.Addresses {
			question, err := newQuestion(host, kind)
			if err != nil {
				return nil, &net.DNSError{Err: err.Error(), Name: host, IsNotFound: true}
			}
			message, err := c.put(ctx, server, question)
			if err == nil {
				addrs, settled, err := addressesOf(message, host)
				if settled {
					return addrs, err
				}
				last = err
				continue
			}
			if last = err; ctx.Err() != nil {
				return nil, last
			}
		}
	}
	return nil, last
}

// addressesOf are the addresses of an answer, and whether it settles the question: another server would not know
// better.
func addressesOf(m *dnsmessage.Message, host string) ([]netip.Addr, bool, error) {
	switch m.RCode {
	case dnsmessage.RCodeSuccess:
	case dnsmessage.RCodeNameError:
		return nil, true, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	default:
		return nil, false, &net.DNSError{Err: "server misbehaving", Name: host}
	}
	var addrs []netip.Addr
	for _, answer := range m.Answers {
		switch body := answer.Body.(type) {
		case *dnsmessage.AResource:
			addrs = append(addrs, netip.AddrFrom4(body.A))
		case *dnsmessage.AAAAResource:
			addrs = append(addrs, netip.AddrFrom16(body.AAAA).Unmap())
		}
	}
	return addrs, true, nil
}

// put puts one question to one server, once more without EDNS if the server does not speak it.
func (c *client) put(ctx context.Context, server string, q *question) (*dnsmessage.Message, error) {
	m, err := c.putOnce(ctx, server, q)
	if err != nil || m.RCode != dnsmessage.RCodeFormatError || !q.edns {
		return m, err
	}
	plain, err := q.withoutEDNS()
	if err != nil {
		return nil, err
	}
	return c.putOnce(ctx, server, plain)
}

// putOnce puts one question to one server.
func (c *client) putOnce(ctx context.Context, server string, q *question) (*dnsmessage.Message, error) {
	if c.servers.Protocol != "udp" {
		return c.exchange(ctx, c.servers.Protocol, server, q)
	}
	q, err := q.randomized()
	if err != nil {
		return nil, err
	}
	m, err := c.exchange(ctx, "udp", server, q)
	if other, unsure := errors.AsType[*letterCase](err); unsure {
		return c.confirm(ctx, server, q, other)
	}
	if err == nil && m.Truncated {
		return c.exchange(ctx, "tcp", server, q)
	}
	return m, err
}

// exchange sends one question to one server, and keeps what became of it.
func (c *client) exchange(ctx context.Context, protocol, server string, q *question) (*dnsmessage.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, serverPatience)
	defer cancel()
	e := newExchange(server, protocol, time.Since(c.lookup.start), time.Since(c.lookup.start), nil)
	e.Question = q.String()
	at := c.lookup.add(e)
	answer, err := c.transport(protocol)(ctx, server, q,
		func() { c.lookup.update(at, func(e *result.DNSExchange) { e.Sent = true }) })
	var m *dnsmessage.Message
	if err == nil {
		m, err = q.parse(answer)
	}
	if err == nil && protocol == "udp" && !q.repeatedBy(m) && !q.refusesEDNS(answer) {
		err = &letterCase{m}
	}
	c.lookup.update(at, func(e *result.DNSExchange) {
		if e.Err = err; err != nil {
			e.Errno, _ = classify.Errno(err)
			e.GivenUp = c.lookup.gaveUp && classify.OurDoing(err)
		}
		if m != nil {
			e.RCode, e.Answers, e.Truncated, e.TTL = int(m.RCode), len(m.Answers), m.Truncated, leastTTL(m)
			e.Extended = extendedErrors(m)
		}
	})
	return m, err
}

// leastTTL is the time that the shortest-lived record of an answer may still be used.
func leastTTL(m *dnsmessage.Message) time.Duration {
	least := result.NoTTL
	for _, answer := range m.Answers {
		if ttl := time.Duration(answer.Header.TTL) * time.Second; least == result.NoTTL || ttl < least {
			least = ttl
		}
	}
	return least
}

// confirm asks again after an answer that does not repeat the letters: over TCP, where nobody else can answer, and
// where that is not to be had, once more over UDP: two forged answers that agree would need both IDs, both ports and
// both letter cases.
func (c *client) confirm(ctx context.Context, server string, q *question, first *letterCase) (*dnsmessage.Message,
	error) {
	if m, err := c.exchange(ctx, "tcp", server, q); err == nil || ctx.Err() != nil {
		return m, err
	}
	another, err := q.randomized()
	if err != nil {
		return nil, err
	}
	m, err := c.exchange(ctx, "udp", server, another)
	second, unsure := errors.AsType[*letterCase](err)
	if !unsure {
		return m, err
	}
	if !sameAnswer(first.answer, second.answer) {
		return nil, second
	}
	return second.answer, nil
}
