package module

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// CheckHeader checks the name and the value of a header. The error repeats no value, which may be a secret.
func CheckHeader(name, value string) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return fmt.Errorf("%q is not a header name", name)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("the value of %q has a character that no header may have", name)
	}
	return nil
}

// ASCIIHostHeader is a Host header as it is sent: its name in the ASCII form, as net/http sends it.
func ASCIIHostHeader(host string) (string, error) {
	if isASCII(host) {
		return host, CheckHost(host)
	}
	name, port, colon := strings.Cut(host, ":")
	ascii, err := ASCIIHost(name)
	if err != nil {
		return "", err
	}
	if colon {
		ascii += ":" + port
	}
	return ascii, CheckHost(ascii)
}

// CheckHost checks what takes the place of the URL's host, in the header Host and as the name in TLS.
func CheckHost(host string) error {
	if !httpguts.ValidHostHeader(host) || strings.ContainsAny(host, "/ @") {
		return fmt.Errorf("%q is not a Host, want a name such as www.example.com", host)
	}
	return CheckHostPort(host)
}
