package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// maxFunction is the length in lines of a function that still fits on a screen.
const maxFunction = 60

// maxReadme is the length in lines of a README that is still read.
const maxReadme = 200

// longFunctions are the functions that are longer, and why they may be.
var longFunctions = map[string]string{"keys": "a table of keys"}

// The reasons of boolParameters.
const (
	measuredValue = "the value is what was measured, not a mode"
	notYet        = "not changed yet"
)

// boolParameters are the functions with a parameter of type bool, and why they have it. A new one is not added.
var boolParameters = map[string]string{
	"note":                 measuredValue,
	"number":               measuredValue,
	"Reliable":             measuredValue,
	"Freshness":            measuredValue,
	"NewResetCapture":      measuredValue,
	"reasonOfDeadline":     measuredValue,
	"reasonOfAlert":        measuredValue,
	"malformedHTTP3":       measuredValue,
	"reasonOfTransport":    measuredValue,
	"reasonOfFrames":       measuredValue,
	"reasonOfDeadlineQUIC": measuredValue,
	"proxy":                measuredValue,
	"gateway":              measuredValue,
	"scalar":               notYet,
	"walk":                 notYet,
	"pick":                 notYet,
	"partOfBody":           notYet,
	"decide":               notYet,
	"SetKeepAlive":         notYet,
	"setKeepAlive":         notYet,
	"endWrite":             notYet,
	"enter":                notYet,
	"asks":                 notYet,
	"block":                notYet,
	"headers":              notYet,
	"otherAddress":         notYet,
	"ask":                  notYet,
	"handshakeTimes":       notYet,
	"tlsState":             notYet,
	"acknowledges":         notYet,
	"failQUIC":             notYet,
	"judgeStatus":          notYet,
	"stamped":              notYet,
	"stampRequest":         notYet,
}

// No function of the program is longer than a screen, and none has a bool parameter: a caller's true says nothing to a
// reader.
func TestFunctionsAreReadable(t *testing.T) {
	long, flags := map[string]string{}, map[string]string{}
	files := 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := f.Name.Name
			if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > maxFunction {
				long[name] = fmt.Sprintf("%s: %s has %d lines, want at most %d", set.Position(f.Pos()), f.Name.Name,
					lines, maxFunction)
			}
			if hasBool(f.Type) {
				flags[name] = fmt.Sprintf("%s: %s has a parameter of type bool", set.Position(f.Pos()), f.Name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 150 {
		t.Errorf("%d files were read, want all of the program", files)
	}
	compareBars(t, long, longFunctions)
	compareBars(t, flags, boolParameters)
}

// compareBars reports what was found and is not listed.
func compareBars(t *testing.T, found, listed map[string]string) {
	t.Helper()
	for name, text := range found {
		if listed[name] == "" {
			t.Error(text)
		}
	}
}

func hasBool(f *ast.FuncType) bool {
	for _, field := range f.Params.List {
		if name, ok := field.Type.(*ast.Ident); ok && name.Name == "bool" {
			return true
		}
	}
	return false
}

func TestReadmeIsShort(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(string(page), "\n"); lines > maxReadme {
		t.Errorf("README.md has %d lines, want at most %d", lines, maxReadme)
	}
}
