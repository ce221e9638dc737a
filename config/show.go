package config

import (
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// YAML is the configuration as it was written, merge keys put into effect, without comments and with every secret
// masked: what may be shown to whoever asks. It is nothing for a Config that was not read.
func (c *Config) YAML() []byte {
	if c.shown == nil {
		return nil
	}
	return c.shown()
}

// secretKeys are the keys whose values, whatever is in them, are not shown.
var secretKeys = []string{
	"password", "credentials", "bearer_token", "client_secret", "client_certificate_key", "key", "secrets",
	"proxy_connect_header",
	"endpoint_params", "claims",
}

// show writes a document for Config.YAML. params are the query parameters that some module names as secret.
func show(p place, data []byte, params []string) []byte {
	document, err := p.document(decode(data))
	if err == nil {
		err = p.merged(document, len(data))
	}
	if err != nil {
		return []byte("# cannot be shown\n") // it was loaded, so this cannot be; the error might quote a secret
	}
	m := masker{params: params, shown: map[*yaml.Node]string{}, seen: map[visited]bool{}}
	m.walk(visited{node: document})
	shown, err := yaml.Marshal(m.copy(document, map[*yaml.Node]*yaml.Node{}))
	if err != nil {
		return []byte("# cannot be shown\n")
	}
	return shown
}

// masker finds the values that are not shown as they are.
type masker struct {
	params []string
	shown  map[*yaml.Node]string // what is shown instead
	seen   map[visited]bool
}

// visited is a value in a place that decides whether it is secret: an alias may appear in several.
type visited struct {
	node   *yaml.Node
	under  string // the key, or the name of a header
	secret bool
}

// walk finds the values to mask in a value and in all that it contains.
func (m *masker) walk(at visited) {
	at.node = resolved(at.node)
	if m.seen[at] {
		return
	}
	m.seen[at] = true
	node := at.node
	switch {
	case node.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			m.walk(visited{node.Content[i+1], inside(at.under, name), at.secret || isSecret(at.under, name)})
		}
	case node.Kind != yaml.ScalarNode:
		for _, element := range node.Content {
			m.walk(visited{element, at.under, at.secret})
		}
	case at.secret && !isNull(node):
		m.shown[node] = module.Masked
	default:
		m.maskURL(node)
	}
}

// Headers are told apart by where they stand: what is inside one of http_headers knows the header's name.
const inHeader = "http_headers of a secret "

func inside(under, name string) string {
	if under == "http_headers" && module.SoundsSecret(name) {
		return inHeader
	}
	return name
}

func isSecret(under, name string) bool {
	switch under {
	case "headers":
		return module.SoundsSecret(name)
	case "http_headers":
		return false // its files are no secret
	case inHeader:
		return name != "files"
	}
	return slices.Contains(secretKeys, name)
}

// maskURL masks the credentials and the query of a value that is a URL.
func (m *masker) maskURL(node *yaml.Node) {
	if u, err := url.Parse(node.Value); err == nil && u.Scheme != "" &&
		(u.User != nil || u.RawQuery != "" || u.Opaque != "") {
		m.shown[node] = module.MaskURL(u, m.params)
	} else if err != nil && strings.Contains(node.Value, "://") && strings.Contains(node.Value, "@") {
		m.shown[node] = module.Masked
	}
}

// copy copies what may be shown, and leaves the comments behind.
func (m *masker) copy(node *yaml.Node, done map[*yaml.Node]*yaml.Node) *yaml.Node {
	if c, ok := done[node]; ok {
		return c
	}
	c := &yaml.Node{Kind: node.Kind, Style: node.Style, Tag: node.Tag, Value: node.Value, Anchor: node.Anchor}
	done[node] = c
	if text, ok := m.shown[node]; ok && text != node.Value {
		c.Value, c.Style, c.Tag = text, 0, "!!str"
	}
	if node.Alias != nil {
		c.Alias = m.copy(node.Alias, done)
	}
	for _, element := range node.Content {
		c.Content = append(c.Content, m.copy(element, done))
	}
	return c
}

// secretsIn are the secrets in a part of the configuration: the values that /config does not show.
func secretsIn(node *yaml.Node, params []string) []string {
	m := masker{params: params, shown: map[*yaml.Node]string{}, seen: map[visited]bool{}}
	m.walk(visited{node: node})
	var all []string
	for node, shown := range m.shown {
		if shown == module.Masked {
			all = append(all, node.Value)
		} else if u, err := url.Parse(node.Value); err == nil {
			all = append(all, module.SecretsOfURL(u, params)...)
		}
	}
	slices.Sort(all)
	return all
}
