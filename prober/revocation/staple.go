package revocation

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"

	"errno_exporter/prober/result"
)

// Bounds of stapled responses.
const (
	// Of one, in bytes. The server chooses the key of a responder, whose signature is verified before it is known whether
	// the issuer has certified it; within this a key is too short to cost much time.
	maxStaple = 8 << 10
	// Of those that are kept. All are forgotten when there are more: they are read again.
	maxStaples = 1024
	perStaple  = 256 // about what one takes in memory, in bytes
)

// Staples keeps the OCSP responses whose signatures were verified: a server sends the same one for days. Only what does
// not depend on the time is kept, and no failure is.
type Staples struct {
	mu   sync.Mutex // guards kept
	kept map[[sha256.Size]byte]response
}

// response is what is kept of a response.
type response struct {
	status      result.StapleStatus // not StapleInvalid
	this, next  time.Time
	revokedAt   time.Time
	reason      string
	from, until time.Time // between which its responder is certified; zero: the issuer signed it
}

// NewStaples returns an empty store.
func NewStaples() *Staples { return &Staples{kept: map[[sha256.Size]byte]response{}} }

// Size is about how many bytes of memory the responses take.
func (s *Staples) Size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.kept) * perStaple
}

// Read reads the OCSP response that a server sent with its certificate (RFC 6066 section 8), and verifies that the
// certificate's issuer, or a responder that the issuer has certified for it, signed it (RFC 6960 section 4.2.2.2).
func (s *Staples) Read(der []byte, c, issuer *x509.Certificate, now time.Time) *result.Staple {
	if len(der) > maxStaple {
		return &result.Staple{Status: result.StapleInvalid, Problem: fmt.Sprintf("it has more than %d KiB", maxStaple>>10)}
	}
	key := stapleKey(der, c, issuer)
	s.mu.Lock()
	one, found := s.kept[key]
	s.mu.Unlock()
	if !found {
		var err error
		if one, err = verify(der, c, issuer); err != nil {
			return &result.Staple{Status: result.StapleInvalid, Problem: err.Error()}
		}
		s.keep(key, one)
	}
	return one.at(now)
}

// stapleKey identifies a response, and the certificates that it was verified with.
func stapleKey(der []byte, c, issuer *x509.Certificate) [sha256.Size]byte {
	parts := [3][sha256.Size]byte{sha256.Sum256(der), sha256.Sum256(c.Raw), sha256.Sum256(issuer.Raw)}
	return sha256.Sum256(slices.Concat(parts[0][:], parts[1][:], parts[2][:]))
}

func (s *Staples) keep(key [sha256.Size]byte, one response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= maxStaples {
		clear(s.kept)
	}
	s.kept[key] = one
}

// at is what the response says at a time. One that says revoked counts also when it should have been replaced:
// certificates stay revoked.
func (r *response) at(now time.Time) *result.Staple {
	s := &result.Staple{Status: result.StapleInvalid, ThisUpdate: r.this, NextUpdate: r.next}
	switch {
	case !r.until.IsZero() && (now.Before(r.from) || now.After(r.until)):
		s.Problem = "the certificate of its responder is not valid now"
	case r.this.After(now):
		s.Problem = "it is not valid yet"
	case r.status != result.StapleRevoked && !r.next.IsZero() && now.After(r.next):
		s.Problem = "it should have been replaced"
	default:
		s.Status, s.RevokedAt, s.Reason = r.status, r.revokedAt, r.reason
	}
	return s
}

// verify reads a response, and verifies who signed it. That of a responder whose certificate comes with it is verified
// with the responder's key by package ocsp.
func verify(der []byte, c, issuer *x509.Certificate) (response, error) {
	read, err := ocsp.ParseResponseForCert(der, c, nil)
	if err != nil {
		return response{}, err
	}
	r := response{status: result.StapleUnknown, this: read.ThisUpdate, next: read.NextUpdate}
	switch read.Status {
	case ocsp.Good:
		r.status = result.StapleGood
	case ocsp.Revoked:
		r.status, r.revokedAt, r.reason = result.StapleRevoked, read.RevokedAt, reasonOf(read.RevocationReason)
	}
	by := read.Certificate
	switch {
	case by == nil:
		if err := read.CheckSignatureFrom(issuer); err != nil {
			return response{}, fmt.Errorf("it is not signed by the certificate's issuer: %w", err)
		}
		return r, nil
	case bytes.Equal(by.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo):
		return r, nil
	case !bytes.Equal(by.RawIssuer, issuer.RawSubject):
		return response{}, errors.New("its responder is certified by another issuer")
	case !slices.Contains(by.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return response{}, errors.New("the certificate of its responder is not for signing OCSP responses")
	}
	if err := by.CheckSignatureFrom(issuer); err != nil {
		return response{}, fmt.Errorf("its responder is not certified by the certificate's issuer: %w", err)
	}
	r.from, r.until = by.NotBefore, by.NotAfter
	return r, nil
}

// reasonOf is the name of a CRLReason; empty for one that there is not.
func reasonOf(code int) string {
	if code < 0 || code > 10 {
		return ""
	}
	return reasons[int8(code)]
}
