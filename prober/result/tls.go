package result

import (
	"crypto/sha256"
	"crypto/x509"
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
