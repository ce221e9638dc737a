package config

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"
)

// Fingerprint is a hash of a configuration file's content and of the content of every file that it names, readable or not. It tells
// whether loading it again could give something else.
type Fingerprint [sha256.Size]byte

// FingerprintOf reads the file and those it names.
func FingerprintOf(path string) Fingerprint {
	hash := sha256.New()
	add := func(path string) []byte {
		data, err := os.ReadFile(path)
		fmt.Fprintf(hash, "%q %d %v\n", path, len(data), err)
		hash.Write(data) // fails never
		return data
	}
	for _, file := range namedFiles(add(path), filepath.Dir(path)) {
		add(file)
	}
	return Fingerprint(hash.Sum(nil))
}

// namedFiles are the files that a configuration names, as far as it is YAML: the values of the keys *_file, and of files under
// http_headers.
func namedFiles(data []byte, dir string) []string {
	var document yaml.Node
	if yaml.NewDecoder(bytes.NewReader(data)).Decode(&document) != nil {
		return nil
	}
	var files []string
	seen := map[visited]bool{}
	var walk func(node *yaml.Node, key string)
	walk = func(node *yaml.Node, key string) {
		node = resolved(node)
		if node == nil || seen[visited{node: node, under: key}] {
			return
		}
		seen[visited{node: node, under: key}] = true
		if node.Kind == yaml.ScalarNode && node.Value != "" && (strings.HasSuffix(key, "_file") || key == "files") {
			files = append(files, promconfig.JoinDir(dir, node.Value))
		}
		for i, inside := range node.Content {
			if node.Kind != yaml.MappingNode {
				walk(inside, key)
			} else if i%2 == 1 {
				walk(inside, node.Content[i-1].Value)
			}
		}
	}
	walk(&document, "")
	return files
}
