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
	if method == "" || !httpguts.ValidHeaderFieldName(method) || strings.ToUpper(method) != method {
		return errors.New("is not an HTTP method, want one such as GET")
	}
	if method == http.MethodConnect {
		return errors.New("makes a tunnel and no exchange, want one such as GET")
	}
	return nil
}

func checkStatusCodes(codes []int) error {
	for _, code := range codes {
		if code < 100 || code > 599 {
			return fmt.Errorf("%d is not an HTTP status, want 100 to 599", code)
		}
	}
	return nil
}

func checkHTTPVersions(versions []string) error {
	known := []string{"HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}
	for _, v := range versions {
		if v == "HTTP/2" {
			return errors.New(`"HTTP/2" never matches: the version is written "HTTP/2.0"`)
		}
		if !slices.Contains(known, v) {
			return fmt.Errorf("%q is not a version that a response can have, want %s", v, strings.Join(known, ", "))
		}
	}
	return nil
}

func checkCompression(c string) error {
	if !slices.Contains([]string{"", "gzip", "br", "deflate", "identity"}, c) {
		return errors.New("is not supported, want gzip, br, deflate or identity")
	}
	return nil
}

// accepts reports whether an Accept-Encoding header allows an encoding (RFC 9110 section 12.5.3).
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
	return starred || encoding == "identity"
}

func checkIPProtocol(s string) error {
	if s != "ip4" && s != "ip6" {
		return errors.New("want ip4 or ip6")
	}
	return nil
}
