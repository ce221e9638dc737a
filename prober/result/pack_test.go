package result

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"maps"
	"math/big"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"errno_exporter/internal/faultlab"
)

// A summary that was packed is what it was, whatever field is different. Where one has what is not packed, it is nil.
func TestPackedSummaries(t *testing.T) {
	whole := map[string]bool{} // fields of which something is not packed
	base := full().Summary()
	check := func(field string) {
		packed := base.Pack()
		if packed == nil {
			whole[field] = true
			return
		}
		if diff := cmp.Diff(base, packed.Summary(), sameResults); diff != "" {
			t.Errorf("%s: the packed summary is another one (-want +got):\n%s", field, diff)
		}
	}
	if check("nothing"); whole["nothing"] {
		t.Fatal("the summary of a success is not packed")
	}
	changeEach(t, reflect.ValueOf(base).Elem(), "", check)
	tls := base.Last().LastHop().TLS
	for _, expires := range []time.Time{tls.Chain[0].NotAfter, tls.Chain[1].NotAfter, time.Now().UTC()} {
		tls.VerifiedChains = [][]*x509.Certificate{{{NotAfter: expires}}}
		check("another verified chain")
	}
	tls.Chain, tls.VerifiedChains, tls.leaf = nil, nil, nil
	check("no certificate")
	want := []string{"Addresses", "Attempts", "Attempts.Failure", "Attempts.Hops.Compared",
		"Attempts.Hops.Lookup.Exchanges.Err", "Attempts.Hops.Lookup.Exchanges.Errno",
		"Attempts.Hops.Lookup.Exchanges.Extended", "Attempts.Hops.Request", "Attempts.Hops.Response.Body",
		"Attempts.Hops.Response.Header", "Attempts.Hops.Spans.Phase",
		"Attempts.Hops.TLS.Chain.Issuer.ExtraNames", "Attempts.Hops.TLS.Chain.Subject.ExtraNames",
		"Attempts.Hops.TLS.Revocations", "Attempts.Hops.TLS.VerifiedChains",
		"Attempts.Hops.TLS.VerifiedChains.Issuer.ExtraNames", "Attempts.Hops.TLS.VerifiedChains.Subject.ExtraNames",
		"Attempts.Hops.Upstream", "Attempts.Hops.Wire.Cause", "Attempts.Hops.Wire.Events",
		"Attempts.Hops.Wire.ICMP", "Attempts.Hops.Wire.Reset", "Failure"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(whole))); diff != "" {
		t.Errorf("fields of which something is not packed (-want +got):\n%s", diff)
	}
}

// What is not told by one clock alone is not packed: the system's was set between the beginning of the probe and that
// of its attempt.
func TestPackedWhenTheClockIsSet(t *testing.T) {
	r := full().Summary()
	r.Attempts[0].Start = faultlab.ClockSet(r.Attempts[0].Start, time.Minute)
	if r.Pack() != nil {
		t.Error("the summary is packed, want nil")
	}
}

// full is a success with as much as one may have that is packed.
func full() *Result {
	start, day := time.Now(), 24*time.Hour
	expires := time.Date(2027, 1, 2, 3, 4, 5, 6, time.UTC)
	name := func(common string) pkix.Name {
		var n pkix.Name
		n.FillFromRDNSequence(&pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "Example"}},
			{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: common}}})
		return n
	}
	leaf := &x509.Certificate{Raw: []byte{1}, SerialNumber: big.NewInt(1 << 40), Subject: name("api"), Issuer: name("ca"),
		NotBefore: expires.Add(-day), NotAfter: expires.Add(day), DNSNames: []string{"api.test", "*.api.test"}}
	above := &x509.Certificate{Raw: []byte{2}, SerialNumber: big.NewInt(7), NotBefore: expires.Add(-day),
		NotAfter: expires}
	addr := netip.MustParseAddrPort("[2001:db8::1]:443")
	first := Hop{URL: "http://api.test/", Spans: []Span{{Resolve, 0, 5, false, 5}, {Connect, 5, 1e6, false, 0}},
		Addr: netip.MustParseAddrPort("192.0.2.1:80"), Answers: []netip.Addr{addr.Addr(), netip.MustParseAddr("192.0.2.1")},
		Lookup: &Lookup{"api.test", []DNSExchange{{"192.0.2.53:53", "udp", "api.test. A", true, 1, 2, 0, 2, true,
			time.Minute, false, 0, nil, nil}}}}
	second := Hop{URL: "https://api.test/", Addr: addr,
		Spans: []Span{{TLS, 2e6, 1e7, false, 3}, {Transfer, 3e7, 1 << 60, true, 1 << 60}},
		Proxy: "http://proxy.test:3128", Waited: 1e5,
		Wire: &Wire{Local: addr, Remote: addr, BytesSent: 900, BytesReceived: 1 << 40, Events: make([]Event, 3),
			KernelTimes: true, Established: 1e6, Acknowledged: 3, SYNRetransmits: 1 << 31, InfoAt: "close",
			Info: &TCPInfo{State: "ESTABLISHED", RTT: 1e6, Retransmits: 255, BytesAcked: 1 << 63, TotalRTO: 1 << 15}},
		TLS: &TLSState{Version: 772, ServerName: "api.test", ALPN: "h2", Chain: []*x509.Certificate{leaf, above},
			VerifiedChains: [][]*x509.Certificate{{leaf, above}}, Complete: true,
			Staple: &Staple{Status: StapleGood, ThisUpdate: expires, NextUpdate: expires.Add(day)}},
		Response: &Response{Proto: "HTTP/2.0", ProtoMajor: 2, Status: 200, StatusText: "200 OK", ContentLength: -1,
			Header: http.Header{"Location": {"/there"}, "Server": {"test"}}, BodyBytes: 4, Complete: true}}
	return &Result{Target: Target{URL: &url.URL{Scheme: "http", Host: "api.test"}, Host: "other.test"},
		URL: "http://api.test/", Module: "api", TraceID: "0123", Start: start, Elapsed: time.Second, Timeout: time.Minute,
		Attempts: []Attempt{{Start: start.Add(50), Elapsed: time.Second, Hops: []Hop{first, second}}}}
}

// changeEach changes one value after the other of those within a value, calls check with the path of its fields, and
// changes it back.
func changeEach(t *testing.T, v reflect.Value, path string, check func(field string)) {
	t.Helper()
	before := reflect.New(v.Type()).Elem()
	before.Set(v)
	try := func(to reflect.Value) {
		v.Set(to)
		check(path)
		v.Set(before)
	}
	fields := func(names ...string) {
		for _, name := range names {
			changeEach(t, v.FieldByName(name), strings.TrimPrefix(path+"."+name, "."), check)
		}
	}
	switch v.Interface().(type) {
	case *url.URL: // the same one, not a copy
		return
	case *x509.Certificate: // of which none is nil
		changeEach(t, v.Elem(), path, check)
		return
	case time.Time, netip.Addr, netip.AddrPort, *big.Int:
		try(another(t, v))
		return
	case x509.Certificate: // of which a summary has these
		fields("SerialNumber", "Subject", "Issuer", "NotBefore", "NotAfter", "DNSNames")
		return
	case pkix.Name: // whose other fields are made of its Names
		fields("ExtraNames")
		try(another(t, v))
		return
	}
	switch v.Kind() {
	case reflect.Slice:
		more := reflect.Zero(v.Type().Elem())
		if v.Len() > 0 {
			more = v.Index(0)
		}
		try(reflect.Append(v.Slice3(0, v.Len(), v.Len()), more))
		for i := range v.Len() {
			changeEach(t, v.Index(i), path, check)
		}
	case reflect.Pointer:
		if v.IsNil() {
			try(reflect.New(v.Type().Elem()))
			return
		}
		changeEach(t, v.Elem(), path, check)
		try(reflect.Zero(v.Type()))
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				fields(field.Name)
			}
		}
	default:
		try(another(t, v))
	}
}

// another is a value that differs from one.
func another(t *testing.T, v reflect.Value) reflect.Value {
	t.Helper()
	switch one := v.Interface().(type) {
	case time.Time:
		return reflect.ValueOf(one.Add(time.Hour))
	case netip.Addr:
		return reflect.ValueOf(netip.MustParseAddr("fe80::1%eth0"))
	case netip.AddrPort:
		return reflect.ValueOf(netip.AddrPort{})
	case *big.Int:
		return reflect.ValueOf(big.NewInt(77))
	case http.Header:
		return reflect.ValueOf(http.Header{"Server": {"x"}})
	case pkix.Name:
		one.FillFromRDNSequence(&pkix.RDNSequence{{{Type: asn1.ObjectIdentifier{2, 5, 4, 1 << 20}, Value: "ü"}}})
		return reflect.ValueOf(one)
	}
	switch v.Kind() {
	case reflect.Bool:
		return reflect.ValueOf(!v.Bool())
	case reflect.String:
		return reflect.ValueOf(v.String() + "ü").Convert(v.Type())
	case reflect.Int, reflect.Int64:
		return reflect.ValueOf(^v.Int() << 7).Convert(v.Type())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return reflect.ValueOf(^v.Uint()).Convert(v.Type())
	case reflect.Array: // a fingerprint
		return reflect.ValueOf([32]byte{1})
	case reflect.Interface: // an error
		return reflect.ValueOf(errors.New("different"))
	}
	t.Fatalf("there is no other %s", v.Type())
	return v
}

// shownCertificate is what a summary has of a certificate.
type shownCertificate struct {
	Serial              string
	Subject, Issuer     pkix.Name
	NotBefore, NotAfter time.Time
	DNSNames            []string
}

// sameResults compares results by all that they have.
var sameResults = cmp.Options{
	cmpopts.EquateEmpty(), cmp.AllowUnexported(TLSState{}), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}),
	cmp.Transformer("shown", func(c *x509.Certificate) *shownCertificate {
		if c == nil {
			return nil
		}
		shown := &shownCertificate{"", c.Subject, c.Issuer, c.NotBefore, c.NotAfter, c.DNSNames}
		if c.SerialNumber != nil {
			shown.Serial = c.SerialNumber.String()
		}
		return shown
	}),
}

// BenchmarkPack is what packing a summary costs, and the summary.
func BenchmarkPack(b *testing.B) {
	r := full()
	b.Run("summary", func(b *testing.B) {
		for b.Loop() {
			r.Summary()
		}
	})
	s := r.Summary()
	b.Run("pack", func(b *testing.B) {
		for b.Loop() {
			s.Pack()
		}
	})
	p := s.Pack()
	b.Run("unpack", func(b *testing.B) {
		for b.Loop() {
			p.Summary()
		}
	})
}
