package config

import (
	"errors"
	"fmt"
	"net/textproto"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// headerMapping reads a mapping whose keys are header names, each in one spelling. Its errors repeat no values: many
// are secrets.
func (p place) headerMapping(node *yaml.Node, what string, read func(name string, value *yaml.Node) error) error {
	keys := map[string]key{}
	spelled := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name := node.Content[i].Value
		keys[name] = func(value *yaml.Node) error {
			canonical := textproto.CanonicalMIMEHeaderKey(name)
			err := module.CheckHeader(name, "")
			if spelled[canonical] {
				err = fmt.Errorf("%q is duplicated in different spellings: remove one", canonical)
			}
			spelled[canonical] = true
			if err == nil {
				err = read(name, value)
			}
			if _, placed := errors.AsType[placedError](err); err == nil || placed {
				return err
			}
			return placedError{p.errorAt(value, "%s: %w", what, err)}
		}
	}
	return p.mapping(node, what, keys)
}

// headers reads plain headers. Host is the request's Host and the TLS server name, not a header to be added.
func (h *httpKeys) headers(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode && !isNull(node) {
		return errors.New("want a mapping from header names to texts")
	}
	return h.place.headerMapping(node, "headers", func(name string, value *yaml.Node) error {
		if value.Kind != yaml.ScalarNode {
			return fmt.Errorf("the value of %q is %s, want a text", name, kindName(value))
		}
		var text string // stays empty for no value
		if err := value.Decode(&text); err != nil {
			return fmt.Errorf("the value of %q is no text, want one", name)
		}
		if err := module.CheckHeader(name, text); err != nil {
			return err
		}
		if canonical := textproto.CanonicalMIMEHeaderKey(name); canonical != "Host" {
			h.Header[canonical] = []string{text}
			return nil
		}
		if text == "" {
			return nil // the target's
		}
		var err error
		h.Host, err = module.ASCIIHostHeader(text)
		return err
	})
}

// httpHeaders reads headers with several values, secrets and files. What they give is checked when they are first read.
func (h *httpKeys) httpHeaders(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return errors.New("want a mapping from header names to {values, secrets, files}")
	}
	headers := &promconfig.Headers{Headers: map[string]promconfig.Header{}}
	err := h.place.headerMapping(node, "http_headers", func(name string, value *yaml.Node) error {
		var header promconfig.Header
		err := strictly(h.place, fmt.Sprintf("http_headers %q", name), &header)(value)
		headers.Headers[name] = header
		return err
	})
	if err != nil {
		return err
	}
	if err := headers.Validate(); err != nil {
		return fmt.Errorf("%w here: use headers, basic_auth or authorization", err)
	}
	h.client.HTTPHeaders = headers
	return nil
}

// proxyConnectHeader reads the headers for a proxy's CONNECT, which may be secrets.
func (h *httpKeys) proxyConnectHeader(node *yaml.Node) error {
	if node.Kind != yaml.MappingNode {
		return errors.New("want a mapping from header names to lists of texts")
	}
	h.client.ProxyConnectHeader = promconfig.ProxyHeader{}
	return h.place.headerMapping(node, "proxy_connect_header", func(name string, value *yaml.Node) error {
		if isNull(value) {
			return nil
		}
		var values []promconfig.Secret
		if err := value.Decode(&values); err != nil || value.Kind != yaml.SequenceNode {
			return fmt.Errorf("the value of %q is %s, want a list of texts", name, kindName(value))
		}
		for _, v := range values {
			if err := module.CheckHeader(name, string(v)); err != nil {
				return err
			}
		}
		h.client.ProxyConnectHeader[name] = values
		return nil
	})
}
