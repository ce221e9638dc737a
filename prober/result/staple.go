package result

import "time"

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
