package config

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Checks of single values: each error says what is wanted.

func checkMethod(method string) error {
	if strings.ToUpper(method) != method {
		return errors.New("is not an HTTP method, want one such as GET")
	}
	return checkToken(method)
}

// checkToken checks a method of any case.
func checkToken(method string) error {
	if method == "" || !httpguts.ValidHeaderFieldName(method) {
		return errors.New("is not an HTTP method, want one such as GET")
	}
	if method == http.MethodConnect {
		return errors.New("makes a tunnel and no exchange, want one such as GET")
	}
	return nil
}

func checkStatusCodes(codes []int) error {
	for _, code := range codes {
		if code < 100 || code > 999 { // some servers use 999; net/http takes any three digits
			return fmt.Errorf("%d is not an HTTP status, want 100 to 999", code)
		}
	}
	return nil
}

func checkCompression(c string) error {
	if !slices.Contains([]string{"", "gzip", "br", "deflate", "identity"}, strings.ToLower(c)) {
		return errors.New("is not supported, want gzip, br, deflate or identity")
	}
	return nil
}

// accepts reports whether an Accept-Encoding header names an encoding, or all (RFC 9110 section 12.5.3). As in
// blackbox_exporter, identity has to be named too.
func accepts(header, encoding string) bool {
	starred := false
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		refused := regexp.MustCompile(`^\s*q\s*=\s*0(\.0*)?\s*$`).MatchString(parameters)
		if name == encoding {
			return !refused
		}
		starred = starred || name == "*" && !refused
	}
	return starred
}
