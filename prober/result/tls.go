package result

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"
)

// TLSState is what is known of the TLS layer, also when verification or the handshake failed.
type TLSState struct {
	Version         uint16 // 0 when the handshake did not get that far
	CipherSuite     uint16
	Group           uint16 // that the keys were exchanged in; 0 with RSA key exchange, or when it did not get that far
	ServerName      string // SNI
	ALPN            string // negotiated protocol; empty if none
	Chain           []*x509.Certificate
	VerifiedChains  [][]*x509.Certificate // empty when nothing was verified
	Complete        bool                  // the handshake finished
	ClientCertAsked bool                  // the server asked for a client certificate
	Revocations     []Revocation          // of the chain's certificates, with check_revoked
	ListsTook       time.Duration         // how long getting the lists for them took
	Staple          *Staple               // nil if the server sent none, or its certificate was not verified
	Alert           uint8                 // the peer's fatal alert, RFC 8446 section 6; 0 if none

	leaf *[sha256.Size]byte // the first certificate's hash, where the chain is cut; else nil
}

// Fingerprint is the SHA-256 of the server's own certificate as it was sent. There is one if Chain is not empty.
func (s *TLSState) Fingerprint() [sha256.Size]byte {
	if s.leaf != nil {
		return *s.leaf
	}
	return sha256.Sum256(s.Chain[0].Raw)
}

// StapleStatus is what a stapled OCSP response says of the server's certificate.
type StapleStatus string

// The statuses. They are label values of probe_tls_ocsp_info.
const (
	StapleGood    StapleStatus = "good"
	StapleRevoked StapleStatus = "revoked"
	StapleUnknown StapleStatus = "unknown" // the responder does not know the certificate
	StapleInvalid StapleStatus = "invalid" // it cannot be used, see Problem
)

// Staple is the OCSP response that a server sent with its certificate (RFC 6066 section 8).
type Staple struct {
	Status     StapleStatus
	ThisUpdate time.Time // when its status was known to be right; zero if it could not be read
	NextUpdate time.Time // until when there is a newer one; zero if it does not say
	RevokedAt  time.Time // with StapleRevoked
	Reason     string    // with StapleRevoked, such as "key compromise"; empty if it does not say
	Problem    string    // with StapleInvalid
}

func (s *Staple) cut() *Staple {
	if s == nil {
		return nil
	}
	kept := *s
	kept.Problem = Cut(s.Problem, maxRevocationText)
	return &kept
}

func (s *Staple) size() int {
	if s == nil {
		return 0
	}
	return 2*perAllocation + textSize(s.Problem)
}

// Revocation is what a list of revoked certificates says of one certificate of a verified chain.
type Revocation struct {
	Fingerprint [sha256.Size]byte // of the certificate
	Subject     string
	Issuer      string
	Names       string // DNS names, with commas
	Serial      string // in hexadecimal
	List        string // the address of the list, the last one that was tried; empty if the certificate names none
	Available   bool   // the list says whether the certificate is revoked
	Revoked     bool
	Stale       bool      // the list should have been replaced
	NextUpdate  time.Time // when it is to be; zero if it does not say, or is not available
	Problem     string    // why it is not available; empty if it is
}

// maxRevocationText is what is kept of each text, in bytes.
const maxRevocationText = 512

// texts are those that others choose.
func (r *Revocation) texts() []*string {
	return []*string{&r.Subject, &r.Issuer, &r.Names, &r.Serial, &r.List, &r.Problem}
}

// Change replaces each text.
func (r *Revocation) Change(change func(string) string) {
	for _, text := range r.texts() {
		*text = change(*text)
	}
}

func (r *Revocation) cut() {
	r.Change(func(text string) string { return Cut(text, maxRevocationText) })
}

func (r *Revocation) size() int {
	n := perAllocation
	for _, text := range r.texts() {
		n += textSize(*text)
	}
	return n
}

// RevokedError says that a certificate is revoked.
type RevokedError struct {
	Subject, Serial string
	At              time.Time
	Reason          string // empty if the list does not say
	List            string // its address; empty if the server's OCSP response says it
}

func (e *RevokedError) Error() string {
	reason := ""
	if e.Reason != "" {
		reason = " (" + e.Reason + ")"
	}
	by := "the list at " + e.List
	if e.List == "" {
		by = "the OCSP response that the server sent"
	}
	return fmt.Sprintf("the certificate of %s with serial number %s is revoked since %s%s, by %s", e.Subject,
		e.Serial, e.At.UTC().Format(time.RFC3339), reason, by)
}

// PinError says that no key of the target's certificates is one of the module's pinned_keys.
type PinError struct {
	Key string // the server's own, as pinned_keys has it
}

func (e *PinError) Error() string {
	return "no key of the certificates is in pinned_keys, the server's own is " + e.Key
}
