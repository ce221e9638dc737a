package web

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/metrics"
	"errno_exporter/internal/record"
	"errno_exporter/internal/target"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// The facts of a target's last probe, and of its idle connections.

// lastProbe is what the last probe found.
type lastProbe struct {
	Record      ulid.ULID          `json:"record,omitzero"`
	Start       time.Time          `json:"start"`
	Seconds     float64            `json:"duration_seconds"`
	Address     string             `json:"address,omitempty"`
	Proxy       string             `json:"proxy,omitempty"`
	Addresses   []string           `json:"addresses,omitempty"`
	Probed      []probedAddress    `json:"probed_addresses,omitempty"` // with addresses: all
	Protocol    string             `json:"protocol,omitempty"`
	Status      string             `json:"status,omitempty"`
	Bytes       int64              `json:"body_bytes,omitempty"`
	RTT         float64            `json:"tcp_rtt_seconds,omitempty"`
	Retransmits uint32             `json:"tcp_retransmits,omitempty"`
	TLS         *tlsFacts          `json:"tls,omitempty"`
	Certificate *certificateFacts  `json:"certificate,omitempty"`
	Phases      map[string]float64 `json:"phases,omitempty"` // seconds
}

type probedAddress struct {
	Address  string `json:"address"`
	Success  bool   `json:"success"`
	Sentence string `json:"sentence"`
}

type tlsFacts struct {
	Version    string `json:"version,omitempty"`
	Cipher     string `json:"cipher,omitempty"`
	Group      string `json:"group,omitempty"`
	Protocol   string `json:"alpn,omitempty"`
	ServerName string `json:"server_name,omitempty"`
	Verified   bool   `json:"verified"`
}

type certificateFacts struct {
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Names       []string  `json:"names,omitempty"`
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	Fingerprint string    `json:"fingerprint_sha256"`
}

// idleStatus is what became of idle connections.
type idleStatus struct {
	Announced   float64    `json:"announced_seconds,omitempty"` // by the server's Keep-Alive
	Closes      bool       `json:"closes_after_each_response,omitempty"`
	Measured    string     `json:"measured,omitempty"`
	Connections []idleFact `json:"connections,omitempty"`
}

type idleFact struct {
	Age      string  `json:"age"`
	Idle     float64 `json:"idle_seconds"`
	Success  bool    `json:"success"`
	Sentence string  `json:"sentence"`
}

func newLastProbe(o *target.Outcome) *lastProbe {
	r := o.Result
	last := r.Last()
	hop := last.LastHop()
	l := &lastProbe{Start: r.Start.UTC(), Seconds: r.Elapsed.Seconds(), Proxy: hop.Proxy,
		Phases: phaseSeconds(state.PhaseTimesOf(last))}
	if hop.Addr.IsValid() && hop.Addr.Port() != 0 {
		l.Address = hop.Addr.String()
	}
	l.Addresses = addressTexts(last.Hops[0].Answers)
	for i := range r.Addresses {
		a := &r.Addresses[i]
		found := probedAddress{Address: a.Addr.String(), Success: a.Failure == nil, Sentence: "succeeded"}
		if a.Failure != nil {
			found.Sentence = a.Failure.Sentence()
		}
		l.Probed = append(l.Probed, found)
	}
	if response := hop.Response; response != nil {
		l.Protocol, l.Status, l.Bytes = response.Proto, response.StatusText, response.BodyBytes
	}
	if hop.Wire != nil && hop.Wire.Info != nil {
		l.RTT, l.Retransmits = hop.Wire.Info.RTT.Seconds(), hop.Wire.Info.TotalRetrans
	}
	for i := range last.Hops {
		if s := last.Hops[i].TLS; s != nil {
			l.TLS, l.Certificate = toTLS(s), toCertificate(s)
		}
	}
	return l
}

func addressTexts(all []netip.Addr) []string {
	var texts []string
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return texts
}

func phaseSeconds(times state.PhaseTimes) map[string]float64 {
	phases := map[string]float64{}
	for i, seconds := range times {
		if seconds > 0 {
			phases[string(result.Phases[i].Phase)] = float64(seconds)
		}
	}
	return phases
}

func toTLS(s *result.TLSState) *tlsFacts {
	f := &tlsFacts{ServerName: s.ServerName, Protocol: s.ALPN, Verified: len(s.VerifiedChains) > 0}
	if s.Version != 0 {
		f.Version, f.Cipher = tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite)
	}
	if s.Group != 0 {
		f.Group = tls.CurveID(s.Group).String()
	}
	return f
}

func toCertificate(s *result.TLSState) *certificateFacts {
	if len(s.Chain) == 0 {
		return nil
	}
	c := s.Chain[0]
	return &certificateFacts{Subject: c.Subject.String(), Issuer: c.Issuer.String(), Names: c.DNSNames,
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Fingerprint: fmt.Sprintf("%x", s.Fingerprint())}
}

// toIdle is the status of idle connections; nil where none are kept.
func toIdle(k *state.Idle) *idleStatus {
	s := &idleStatus{Announced: max(0, k.Announced).Seconds(), Closes: k.Announced < 0}
	if k.Lifetime.Survived != 0 || k.Lifetime.Died != 0 {
		s.Measured = k.Lifetime.String()
	}
	for _, a := range k.Ages {
		fact := idleFact{metrics.AgeLabel(a.Age), a.Last.Idle.Seconds(), a.Last.Failure == nil, "served a request"}
		if a.Last.Failure != nil {
			fact.Sentence = a.Last.Failure.Sentence()
		}
		s.Connections = append(s.Connections, fact)
	}
	if len(s.Connections) == 0 && s.Announced == 0 && !s.Closes && s.Measured == "" {
		return nil
	}
	return s
}

// facts are names and values under a heading.
type facts struct {
	ID, Title string
	Rows      []fact
}

type fact struct{ Name, Value string }

// add adds a fact, unless it is empty.
func (f *facts) add(name, value string) {
	if value != "" {
		f.Rows = append(f.Rows, fact{name, value})
	}
}

// facts are those of the last probe and of the connections, without the empty ones.
func (p *targetPage) facts() []facts {
	var all []facts
	for _, f := range []facts{p.Last.connection(), p.Last.http(), p.Last.security(p.Time), p.idleFacts(),
		p.applicationFacts()} {
		if len(f.Rows) > 0 {
			all = append(all, f)
		}
	}
	return all
}

func (l *lastProbe) connection() facts {
	f := facts{ID: "connection", Title: "Addresses and connection"}
	if l == nil {
		return f
	}
	f.add("dialled", l.Address)
	f.add("proxy", l.Proxy)
	f.add("resolved", strings.Join(l.Addresses, ", "))
	for _, a := range l.Probed {
		f.add(a.Address, a.Sentence)
	}
	if l.RTT > 0 {
		f.add("TCP RTT", record.Short(time.Duration(l.RTT*float64(time.Second))))
	}
	if l.Retransmits > 0 {
		f.add("retransmits", fmt.Sprint(l.Retransmits))
	}
	return f
}

func (l *lastProbe) http() facts {
	f := facts{ID: "http", Title: "HTTP"}
	if l == nil {
		return f
	}
	f.add("response", strings.TrimSpace(l.Protocol+" "+l.Status))
	if l.Status != "" {
		f.add("body", fmt.Sprintf("%d bytes", l.Bytes))
	}
	return f
}

func (l *lastProbe) security(now time.Time) facts {
	f := facts{ID: "tls", Title: "TLS and certificate"}
	if l == nil || l.TLS == nil {
		return f
	}
	f.add("version", l.TLS.Version)
	f.add("cipher", l.TLS.Cipher)
	f.add("group", l.TLS.Group)
	f.add("ALPN", l.TLS.Protocol)
	f.add("server name", l.TLS.ServerName)
	f.add("chain", map[bool]string{true: "verified", false: "not verified"}[l.TLS.Verified])
	if c := l.Certificate; c != nil {
		f.add("subject", cmp.Or(c.Subject, "(empty)"))
		f.add("issuer", c.Issuer)
		f.add("names", strings.Join(c.Names[:min(len(c.Names), 20)], ", "))
		f.add("valid", fmt.Sprintf("%s to %s UTC", c.NotBefore.Format(time.DateTime), c.NotAfter.Format(time.DateTime)))
		if left := c.NotAfter.Sub(now); left > 0 {
			f.add("expires", "in "+record.Long(left))
		} else {
			f.add("expires", "EXPIRED "+record.Long(-left)+" ago")
		}
		f.add("SHA-256", c.Fingerprint)
	}
	return f
}

func (p *targetPage) idleFacts() facts {
	f := facts{ID: "idle", Title: "Idle connections"}
	if p.Idle == nil {
		return f
	}
	if p.Idle.Closes {
		f.add("announced", "the server closes the connection after each response")
	} else if p.Idle.Announced > 0 {
		f.add("announced", fmt.Sprintf("%g s, by the server's Keep-Alive", p.Idle.Announced))
	}
	f.add("lifetime", p.Idle.Measured)
	for _, c := range p.Idle.Connections {
		f.add("idle "+c.Age, c.Sentence)
	}
	return f
}

func (p *targetPage) applicationFacts() facts {
	f := facts{ID: "application", Title: "The application's connections"}
	if a := p.Application; a != nil {
		f.add("open", a.Open)
		f.add("opened", fmt.Sprint(a.Opened))
		f.add("ended", cmp.Or(a.Ends, "none"))
		f.add("lost", a.Unanswered)
		f.add("CLOSE_WAIT", a.CloseWait)
		f.transmission(a)
		for i := range a.Containers[:min(len(a.Containers), maxContainerFacts)] {
			f.add("container", a.Containers[i].Text)
		}
		if n := len(a.Containers) - maxContainerFacts; n > 0 {
			f.add("container", fmt.Sprintf("%d more", n))
		}
	}
	return f
}

// maxContainerFacts bounds the containers on a target's page; its JSON has all of them.
const maxContainerFacts = 20
