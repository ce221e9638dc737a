// Command sbom writes the bill of materials of a built program, in the format CycloneDX 1.5 (JSON), from what the Go
// linker recorded in it:
//
//	sbom PROGRAM DOCUMENT VERSION TIME
//
// The same program gives the same bytes.
package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: sbom PROGRAM DOCUMENT VERSION TIME")
		os.Exit(1)
	}
	if err := write(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(program, document, version, at string) error {
	if _, err := time.Parse(time.RFC3339, at); err != nil {
		return err
	}
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	b := of(info, version)
	b.Metadata.Timestamp = at
	b.Metadata.Component.Hashes = []digest{{"SHA-256", hex.EncodeToString(sum[:])}}
	encoded, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(document, append(encoded, '\n'), 0o644)
}

// bill is a BOM (https://cyclonedx.org/docs/1.5/json/).
type bill struct {
	Format       string       `json:"bomFormat"`
	Spec         string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	Hashes     []digest   `json:"hashes,omitempty"`
	PackageURL string     `json:"purl,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type digest struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// of lists the modules that are linked into a program, and Go's standard library, whose vulnerabilities count too. The
// linker does not say which of them needs which: all are what the program depends on.
func of(info *debug.BuildInfo, version string) *bill {
	main := component{Ref: "errno_exporter@" + version, Type: "application", Name: "errno_exporter", Version: version}
	for _, s := range info.Settings {
		if s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "GOARM" {
			main.Properties = append(main.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	linked := []component{module("stdlib", "v"+strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		linked = append(linked, module(m.Path, m.Version, m.Sum))
	}
	slices.SortFunc(linked, func(a, b component) int { return cmp.Compare(a.Ref, b.Ref) })
	b := &bill{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{Component: main}, Components: linked}
	root := dependency{Ref: main.Ref}
	for _, c := range linked {
		root.DependsOn = append(root.DependsOn, c.Ref)
	}
	b.Dependencies = append(b.Dependencies, root)
	for _, c := range linked {
		b.Dependencies = append(b.Dependencies, dependency{Ref: c.Ref})
	}
	return b
}

// module is a Go module as a component. Its sum is that of a tree of files
// (https://go.dev/ref/mod#go-sum-files), which is none of CycloneDX' kinds of hashes.
func module(path, version, sum string) component {
	url := "pkg:golang/" + path + "@" + version
	c := component{Ref: url, Type: "library", Name: path, Version: version, PackageURL: url}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}
