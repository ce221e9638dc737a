package prober

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/url"
	"strings"
	"testing"

	"errno_exporter/prober/module"
)

// A certificate has many places for a text. The ones that no output shows today are masked as well.
func TestHiddenCertificate(t *testing.T) {
	const secret = "s3cr3t-t0ken"
	mask := new(module.Mask).With(secret)
	name := pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 65}, Value: "<" + secret + ">"}}}
	name.ExtraNames = name.Names
	for place, c := range map[string]*x509.Certificate{
		"subject":        {Subject: name},
		"issuer":         {Issuer: name},
		"DNS name":       {DNSNames: []string{"a", secret + ".test"}},
		"e-mail address": {EmailAddresses: []string{"a@test", secret + "@test"}},
		"URI": {URIs: []*url.URL{{Scheme: "https", Host: "a"},
			{Scheme: "https", Host: "a", Path: "/" + secret}}},
	} {
		masked := hiddenCertificate(c, mask)
		if masked == c {
			t.Errorf("%s: the certificate is shown as it is", place)
			continue
		}
		texts := append(append([]string{}, masked.DNSNames...), masked.EmailAddresses...)
		for _, uri := range masked.URIs {
			texts = append(texts, uri.String())
		}
		for _, attribute := range append(append([]pkix.AttributeTypeAndValue{}, masked.Subject.Names...),
			masked.Issuer.Names...) {
			texts = append(texts, attribute.Value.(string))
		}
		if all := strings.Join(texts, " "); strings.Contains(all, secret) || !strings.Contains(all, module.Masked) {
			t.Errorf("%s: shown as %q, want it masked", place, all)
		}
		if again := hiddenCertificate(masked, mask); again != masked {
			t.Errorf("%s: a certificate without secrets is copied", place)
		}
	}
}
