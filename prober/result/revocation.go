package result

import (
	"crypto/sha256"
	"fmt"
	"time"
)

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
