package config

import (
	"regexp"

	"gopkg.in/yaml.v3"
)

// variable is a reference to an environment variable, as shells and other programs replace it.
var variable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)

// warnOfVariables warns of each value that seems to wait for an environment variable. None is replaced: whoever may ask
// for the configuration, or for a process's environment, would see the secret.
func (p place) warnOfVariables(node *yaml.Node) {
	node = resolved(node)
	if node.Kind == yaml.ScalarNode {
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
