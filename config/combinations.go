package config

import (
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"
)

// checkCombinations refuses keys that exclude each other.
func (h *httpKeys) checkCombinations(node *yaml.Node) error {
	m := h.Module
	if m.FailIfSSL && m.FailIfNotSSL {
		return h.wrong(node, errors.New("fail_if_ssl and fail_if_not_ssl exclude each other: every response would "+
			"fail"), "fail_if_not_ssl")
	}
	if m.Trace && m.Header.Get("Traceparent") != "" {
		return h.wrong(node, errors.New("trace and a Traceparent header exclude each other: remove one"), "trace")
	}
	if err := h.checkVersions(); err != nil {
		return h.wrong(node, err, "valid_http_versions")
	}
	if m.CheckRevoked && h.client.TLSConfig.InsecureSkipVerify {
		h.place.warn(h.given["check_revoked"], "check_revoked has no effect with insecure_skip_verify: the issuer of the "+
			"certificate, who signs the list, is not verified either")
	}
	if err := checkTLS(&h.client.TLSConfig); err != nil {
		return h.wrong(node, err, "tls_config")
	}
	if c := h.client.OAuth2; c != nil {
		if err := checkTLS(&c.TLSConfig); err != nil {
			return h.wrong(node, fmt.Errorf("oauth2: %w", err), "oauth2")
		}
	}
	if err := h.client.ProxyConfig.Validate(); err != nil {
		return h.wrong(node, err, "proxy_from_environment", "no_proxy", "proxy_connect_header")
	}
	if err := h.client.Validate(); err != nil {
		return h.wrong(node, err, "authorization", "bearer_token_file", "bearer_token", "oauth2", "basic_auth")
	}
	if m.AnyAddress && !m.AllAddresses {
		return h.wrong(node, errors.New("addresses_success: any needs addresses: all"), "addresses_success")
	}
	if m.AllAddresses && (h.client.ProxyURL.URL != nil || h.client.ProxyFromEnvironment) {
		return h.wrong(node, errors.New("addresses: all cannot be combined with a proxy, which chooses the address "+
			"itself: remove one"), "addresses")
	}
	if h.EnableHTTP3 && (len(h.Keepalive) > 0 || h.KeepaliveMax > 0) {
		return h.wrong(node, errors.New("keepalive cannot be combined with enable_http3: remove one"), "keepalive")
	}
	if err := h.checkHTTP3(); err != nil {
		return h.wrong(node, err, "enable_http3")
	}
	return h.checkHandshake(node)
}

// checkHTTP3 refuses what HTTP/3 cannot be combined with.
func (h *httpKeys) checkHTTP3() error {
	switch {
	case !h.EnableHTTP3:
		return nil
	case h.EnableHTTP2:
		return errors.New("enable_http3 speaks nothing but HTTP/3: set enable_http2: false")
	case h.client.ProxyURL.URL != nil || h.client.ProxyFromEnvironment:
		return errors.New("enable_http3 cannot go through a proxy, which has no way for QUIC: remove proxy_url and " +
			"proxy_from_environment")
	case h.FailIfSSL:
		return errors.New("enable_http3 and fail_if_ssl exclude each other: HTTP/3 is always over TLS")
	case h.client.TLSConfig.MaxVersion != 0 && h.client.TLSConfig.MaxVersion < tls.VersionTLS13:
		return errors.New("enable_http3 needs TLS 1.3: remove tls_config max_version, or set it to TLS13")
	}
	return nil
}

// checkTLS refuses keys that exclude or need each other, whether the files that they name are there or not.
func checkTLS(c *promconfig.TLSConfig) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("tls_config: %w", err)
	}
	if c.MinVersion != 0 && c.MaxVersion != 0 && c.MaxVersion < c.MinVersion {
		return errors.New("tls_config: max_version is older than min_version, want it the same or newer")
	}
	return nil
}

// refs are keys of secret managers in the texts of Prometheus' library, of which there are none here.
var refs = regexp.MustCompile(`, (\w+) & \w+_ref\b`)

func withoutRefs(err error) error {
	if text := refs.ReplaceAllString(err.Error(), " & $1"); text != err.Error() {
		return errors.New(text)
	}
	return err
}
