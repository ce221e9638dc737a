package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// maxFunction is the length in lines of a function that still fits on a screen.
const maxFunction = 60

// maxFile is the length in lines of a file with one subject, and maxLine that of a line in columns (a tab is one).
const (
	maxFile = 300
	maxLine = 120
)

// longFiles are the files that are longer, and why they may be.
var longFiles = map[string]string{
	"test/incident/scripts_linux.go": "one table: the scripts of all incidents",
}

// maxReadme is the length in lines of a README that is still read.
const maxReadme = 200

// longFunctions are the functions that are longer, by directory and name, and why they may be.
var longFunctions = map[string]string{}

// The reasons of boolParameters.
const (
	measuredValue = "the value is what was measured, not a mode"
	standard      = "a method that the standard library's types have"
)

// boolParameters are the functions with a parameter of type bool, by directory and name, and why they have it. A new
// one is not added.
var boolParameters = map[string]string{
	"internal/cause.note":                  measuredValue,
	"internal/cause.proxy":                 measuredValue,
	"internal/metrics.NewResetCapture":     measuredValue,
	"internal/metrics.Reliable":            measuredValue,
	"internal/metrics.number":              measuredValue,
	"prober/classify.malformedHTTP3":       measuredValue,
	"prober/classify.reasonOfAlert":        measuredValue,
	"prober/classify.reasonOfDeadline":     measuredValue,
	"prober/classify.reasonOfDeadlineQUIC": measuredValue,
	"prober/classify.reasonOfFrames":       measuredValue,
	"prober/classify.reasonOfTransport":    measuredValue,
	"prober/socket.SetKeepAlive":           standard, // net.TCPConn has it
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
			name := filepath.ToSlash(filepath.Dir(path)) + "." + f.Name.Name
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

// compareBars reports what was found and is not listed, and what is listed without need.
func compareBars(t *testing.T, found, listed map[string]string) {
	t.Helper()
	for name, text := range found {
		if listed[name] == "" {
			t.Errorf("%s (%s)", text, name)
		}
	}
	for name := range listed {
		if found[name] == "" {
			t.Errorf("%s is listed as an exception, and is none: remove it", name)
		}
	}
}

// No file of the program has more than one subject's length, and no line is longer than a screen is wide. Lines of raw
// strings are what others read or write, such as a page, and stay as they are.
func TestFilesAreReadable(t *testing.T) {
	long := map[string]string{}
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if len(lines) > maxFile {
			long[filepath.ToSlash(path)] = fmt.Sprintf("%s has %d lines, want at most %d", path, len(lines), maxFile)
		}
		raw := rawLines(path, text)
		for i, line := range lines {
			if n := utf8.RuneCountInString(line); n > maxLine && !raw[i+1] {
				t.Errorf("%s:%d: a line of %d columns, want at most %d", path, i+1, n, maxLine)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	compareBars(t, long, longFiles)
}

// rawLines are the numbers of the lines that a raw string has a part of.
func rawLines(path string, text []byte) map[int]bool {
	set := token.NewFileSet()
	file := set.AddFile(path, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	raw := map[int]bool{}
	for {
		pos, kind, literal := s.Scan()
		if kind == token.EOF {
			return raw
		}
		if kind == token.STRING && literal[0] == '`' {
			first := file.Line(pos)
			for n := first; n <= first+strings.Count(literal, "\n"); n++ {
				raw[n] = true
			}
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
