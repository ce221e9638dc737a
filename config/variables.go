package config

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"errno_exporter/prober/module"
)

// variable is a reference to an environment variable, as shells and other programs replace it.
var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// warnOfVariables warns of each value that seems to wait for something: an environment variable, none of which is
// replaced, since whoever may ask for the configuration, or for a process's environment, would see the secret; the
// program that a tag such as !vault is for; or the secret that a page masked.
func (p place) warnOfVariables(node *yaml.Node) {
	node = resolved(node)
	if strings.HasPrefix(node.Tag, "!") && !strings.HasPrefix(node.Tag, "!!") {
		p.warn(node, "the tag %s has no effect: the value is taken as it is written", module.Shortened(node.Tag))
	}
	if node.Kind == yaml.ScalarNode {
		if node.Value == module.Masked || node.Value == "<secret>" { // of blackbox_exporter
			p.warn(node, "%s is what /config shows in the place of a secret: want the secret itself", node.Value)
		}
		if name := variable.FindString(node.Value); name != "" {
			p.warn(node, "%s is taken as it is written, environment variables are not replaced: want a key that "+
				"reads a file, such as password_file, credentials_file or http_headers with files", name)
		}
		return
	}
	for i, inside := range node.Content {
		if node.Kind != yaml.MappingNode || i%2 == 1 {
			p.warnOfVariables(inside)
		}
	}
}

// unreplaced says of a wrong value that it waits for an environment variable.
func unreplaced(value *yaml.Node) string {
	if value.Kind == yaml.ScalarNode && variable.MatchString(value.Value) {
		return "; environment variables are not replaced"
	}
	return ""
}
