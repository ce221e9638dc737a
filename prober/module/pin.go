package module

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"
)

// Pin is the SHA-256 of a public key as certificates have it, the SubjectPublicKeyInfo (RFC 7469 section 2.4).
type Pin [sha256.Size]byte

// pinPrefix is how curl's --pinnedpubkey and others write it.
const pinPrefix = "sha256//"

// PinOf is the pin of a certificate's key.
func PinOf(c *x509.Certificate) Pin { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// String returns the pin as ParsePin reads it.
func (p Pin) String() string { return pinPrefix + base64.StdEncoding.EncodeToString(p[:]) }

// ParsePin reads a pin such as sha256//MK2UEjMMTmfg67DNRkVLX9nG5mrTVqLFXV6sfIsqnbQ=.
func ParsePin(text string) (p Pin, err error) {
	encoded, found := strings.CutPrefix(text, pinPrefix)
	hash, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if !found || err != nil || len(hash) != len(p) {
		return p, errors.New("want sha256// and the base64 of the key's SHA-256, 44 characters that end in =")
	}
	copy(p[:], hash)
	return p, nil
}
