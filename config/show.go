package config

import (
	"net/url"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// YAML is the configuration as it was written, merge keys put into effect, without comments and with every secret
// masked: what may be shown to whoever asks.
func (c *Config) YAML() []byte { return c.yaml }

// secretKeys are the keys whose values, whatever is in them, are not shown.
var secretKeys = []string{
	"password", "credentials", "bearer_token", "client_secret", "client_certificate_key", "key", "secrets",
	"proxy_connect_header",
	"endpoint_params", "claims",
}

// show writes a document for Config.YAML. params are the query parameters that some module names as secret.
func show(document *yaml.Node, params []string) ([]byte, error) {
	m := masker{params: params, shown: map[*yaml.Node]string{}, seen: map[visited]bool{}}
	m.walk(document, "", false)
	return yaml.Marshal(m.copy(document, map[*yaml.Node]*yaml.Node{}))
}

// masker finds the values that are not shown as they are.
type masker struct {
	params []string
	shown  map[*yaml.Node]string // what is shown instead
	seen   map[visited]bool
}

// visited is a value in a place that decides whether it is secret: an alias may stand in several.
type visited struct {
	node   *yaml.Node
	under  string
	secret bool
}

// walk looks at the value under a key, or under the name of a header.
func (m *masker) walk(node *yaml.Node, under string, secret bool) {
	node = resolved(node)
	if at := (visited{node, under, secret}); m.seen[at] {
		return
	} else {
		m.seen[at] = true
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			m.walk(node.Content[i+1], inside(under, name), secret || isSecret(under, name))
		}
	case yaml.ScalarNode:
		m.scalar(node, secret)
	default:
		for _, element := range node.Content {
			m.walk(element, under, secret)
		}
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

func (m *masker) scalar(node *yaml.Node, secret bool) {
	if secret && !isNull(node) {
		m.shown[node] = module.Masked
		return
	}
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
	m.walk(node, "", false)
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
