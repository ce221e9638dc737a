package config

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"gopkg.in/yaml.v3"

	"errno_exporter/config/file"
)

// Fingerprint is a hash of a configuration file's content and of the content of every file that it names, readable or
// not. It tells whether loading it again could give something else.
type Fingerprint [sha256.Size]byte

// FingerprintOf reads the file and those it names.
func FingerprintOf(path string) Fingerprint {
	_, fingerprint := read(path)
	return fingerprint
}

// read reads a file, and those it names for their fingerprint. What changes later, during the load, counts as a change.
func read(path string) (*source, Fingerprint) {
	sum := sha256.New()
	data, err := addFile(sum, path)
	written := decode(data)
	written.unread = err
	if written.broken == nil {
		for _, named := range namedFiles(&written.document, filepath.Dir(path)) {
			_, _ = addFile(sum, named.path) // the sum has the error
		}
		for _, path := range targetPathsIn(&written.document, filepath.Dir(path)) {
			_, _ = addFile(sum, path)
		}
	}
	return written, Fingerprint(sum.Sum(nil))
}

func addFile(sum hash.Hash, path string) ([]byte, error) {
	data, err := file.Read(path)
	fmt.Fprintf(sum, "%q %d %v\n", path, len(data), err)
	sum.Write(data) // fails never
	return data, err
}

// targetFingerprint is that of target_files, as they are now.
func (c *Config) targetFingerprint() Fingerprint {
	sum := sha256.New()
	paths, _ := targetPaths(c.dir, c.targetPatterns) // the patterns were checked at load
	for _, path := range paths {
		_, _ = addFile(sum, path) // the sum has the error
	}
	return Fingerprint(sum.Sum(nil))
}

// targetPathsIn are the files of target_files in a document, none if it is not as it should be.
func targetPathsIn(document *yaml.Node, dir string) []string {
	var top struct {
		Patterns []string `yaml:"target_files"`
	}
	_ = document.Decode(&top) // a load says what is wrong
	paths, _ := targetPaths(dir, top.Patterns)
	return paths
}

// namedFile is a file that a configuration names.
type namedFile struct {
	path string
	node *yaml.Node // that names it
}

// namedFiles are the files that a configuration names: the values of the keys *_file, and of files under http_headers.
func namedFiles(root *yaml.Node, dir string) []namedFile {
	var files []namedFile
	seen := map[visited]bool{}
	var walk func(node *yaml.Node, key string)
	walk = func(node *yaml.Node, key string) {
		node = resolved(node)
		names := strings.HasSuffix(key, "_file") || key == "files"
		if node == nil || node.Kind == yaml.ScalarNode && !names || seen[visited{node: node, under: key}] {
			return
		}
		seen[visited{node: node, under: key}] = true
		if node.Kind == yaml.ScalarNode && node.Value != "" {
			files = append(files, namedFile{promconfig.JoinDir(dir, node.Value), node})
		}
		for i, inside := range node.Content {
			if node.Kind != yaml.MappingNode {
				walk(inside, key)
			} else if i%2 == 1 {
				walk(inside, node.Content[i-1].Value)
			}
		}
	}
	walk(root, "")
	return files
}

// checkNamedFiles refuses files that would hold up who reads them. A directory does not, and Docker makes one where the
// file that a volume names is not there: it fails its module's probes, like any file that cannot be used.
func checkNamedFiles(p place, root *yaml.Node, dir string) error {
	var problems []error
	for _, named := range namedFiles(root, dir) {
		if info, err := os.Stat(named.path); err == nil && info.IsDir() {
			continue
		}
		if err := file.CheckRegular(named.path); err != nil {
			problems = append(problems, p.errorAt(named.node, "%w", err))
		}
	}
	return joined(problems)
}
