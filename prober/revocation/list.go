// Package revocation reads certificate revocation lists (RFC 5280 section 5) and the OCSP responses that servers
// staple, and keeps them: it fetches nothing by itself.
package revocation

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"
)

// List is what is kept of a list whose signature was verified.
type List struct {
	NextUpdate time.Time // zero if the list does not say

	revoked []revoked // by serial number
	users   bool      // it is about certificates of servers and users alone
	cas     bool      // it is about certificates of authorities alone
}

// serial is a certificate's serial number, which has at most 20 bytes (RFC 5280 section 4.1.2.2).
type serial [20]byte

// revoked is one entry.
type revoked struct {
	serial serial
	reason int8
	at     int64 // Unix time
}

// Bytes that an entry and a list take in memory.
const (
	perEntry = 40
	perList  = 1 << 10
)

// Critical extensions of lists (RFC 5280 sections 5.2.4 and 5.2.5).
var issuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}

// Parse reads a list that was fetched from an address, in DER or PEM, and verifies that the issuer of a certificate
// signed it and that it is meant for that address.
func Parse(data []byte, address string, issuer *x509.Certificate, now time.Time) (*List, error) {
	if block, _ := pem.Decode(data); block != nil && block.Type == "X509 CRL" {
		data = block.Bytes
	}
	parsed, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, fmt.Errorf("it is no revocation list: %w", err)
	}
	if !bytes.Equal(parsed.RawIssuer, issuer.RawSubject) {
		return nil, errors.New("the list is another issuer's")
	}
	if err := parsed.CheckSignatureFrom(issuer); err != nil {
		return nil, fmt.Errorf("the list is not signed by the certificate's issuer: %w", err)
	}
	if parsed.ThisUpdate.After(now) {
		return nil, fmt.Errorf("the list is not valid before %s", parsed.ThisUpdate.UTC().Format(time.RFC3339))
	}
	l := &List{NextUpdate: parsed.NextUpdate}
	for _, extension := range parsed.Extensions {
		if err := l.restrict(extension, address); err != nil {
			return nil, err
		}
	}
	l.revoked = make([]revoked, 0, len(parsed.RevokedCertificateEntries))
	for _, entry := range parsed.RevokedCertificateEntries {
		if number := entry.SerialNumber; number.Sign() >= 0 && number.BitLen() <= 8*len(serial{}) {
			one := revoked{reason: int8(entry.ReasonCode), at: entry.RevocationTime.Unix()}
			number.FillBytes(one.serial[:])
			l.revoked = append(l.revoked, one)
		}
	}
	slices.SortFunc(l.revoked, func(a, b revoked) int { return bytes.Compare(a.serial[:], b.serial[:]) })
	return l, nil
}

// distributionPoint is IssuingDistributionPoint (RFC 5280 section 5.2.5).
type distributionPoint struct {
	Name       asn1.RawValue  `asn1:"optional,tag:0"`
	Users      bool           `asn1:"optional,tag:1"`
	CAs        bool           `asn1:"optional,tag:2"`
	Reasons    asn1.BitString `asn1:"optional,tag:3"`
	Indirect   bool           `asn1:"optional,tag:4"`
	Attributes bool           `asn1:"optional,tag:5"`
}

// restrict applies an extension. A list with a critical one that is not understood must not be used (RFC 5280 section
// 5.2): it may be a list of changes alone, or of another issuer's certificates.
func (l *List) restrict(extension pkix.Extension, address string) error {
	if !extension.Id.Equal(issuingDistributionPoint) {
		if extension.Critical {
			return fmt.Errorf("the list has the critical extension %s, which is not supported", extension.Id)
		}
		return nil
	}
	var point distributionPoint
	if rest, err := asn1.Unmarshal(extension.Value, &point); err != nil || len(rest) > 0 {
		return errors.New("the list has a malformed issuing distribution point")
	}
	if point.Indirect || point.Attributes {
		return errors.New("the list is an indirect one, or one of attribute certificates, which are not supported")
	}
	if len(point.Name.Bytes) > 0 && !names(point.Name.Bytes, address) {
		return errors.New("the list is that of another distribution point")
	}
	l.users, l.cas = point.Users, point.CAs
	return nil
}

// names reports whether a distribution point's full name has a URL. It is a list of general names, of which tag 6 is a
// URL (RFC 5280 section 4.2.1.6).
func names(name []byte, address string) bool {
	var full asn1.RawValue
	if _, err := asn1.Unmarshal(name, &full); err != nil || full.Tag != 0 {
		return false
	}
	for rest := full.Bytes; len(rest) > 0; {
		var one asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &one); err != nil {
			return false
		}
		if one.Tag == 6 && string(one.Bytes) == address {
			return true
		}
	}
	return false
}

// Entry is a certificate's entry in a list.
type Entry struct {
	At     time.Time
	Reason string // such as "key compromise"; empty if the list does not say
}

// reasons are CRLReason (RFC 5280 section 5.3.1).
var reasons = map[int8]string{1: "key compromise", 2: "CA compromise", 3: "affiliation changed", 4: "superseded",
	5: "cessation of operation", 6: "certificate hold", 9: "privilege withdrawn", 10: "AA compromise"}

// Find returns a certificate's entry, nil if it has none. The error says why the list does not say anything of it.
func (l *List) Find(c *x509.Certificate) (*Entry, error) {
	if l.users && c.IsCA || l.cas && !c.IsCA {
		return nil, errors.New("the list is about other kinds of certificates")
	}
	var number serial
	if c.SerialNumber.Sign() < 0 || c.SerialNumber.BitLen() > 8*len(number) {
		return nil, errors.New("the certificate's serial number has more than 20 bytes")
	}
	c.SerialNumber.FillBytes(number[:])
	i, found := slices.BinarySearchFunc(l.revoked, number, func(r revoked, number serial) int {
		return bytes.Compare(r.serial[:], number[:])
	})
	if !found {
		return nil, nil
	}
	return &Entry{At: time.Unix(l.revoked[i].at, 0).UTC(), Reason: reasons[l.revoked[i].reason]}, nil
}

// Stale reports whether the list should have been replaced by another one.
func (l *List) Stale(now time.Time) bool { return !l.NextUpdate.IsZero() && now.After(l.NextUpdate) }

// size is about how many bytes of memory the list takes.
func (l *List) size() int { return perList + perEntry*cap(l.revoked) }
