package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unguarded are the packages of the program whose goroutines may be without a guard, and why.
var unguarded = map[string]string{
	"errno_exporter/guard": "it is the guard",
}

// starters are what starts goroutines besides the statement go, by the import's path.
var starters = map[string][]string{
	"sync":                       {"WaitGroup"}, // by its method Go; a guard.Group does the same
	"time":                       {"AfterFunc"},
	"context":                    {"AfterFunc"},
	"golang.org/x/sync/errgroup": {"Group", "WithContext"},
}

// dropped is a Report that nobody gets.
func dropped(n *ast.CallExpr, imports map[string]string) bool {
	what, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || what.Sel.Name != "Report" || len(n.Args) != 1 {
		return false
	}
	from, ok := what.X.(*ast.Ident)
	argument, is := n.Args[0].(*ast.Ident)
	return ok && is && imports[from.Name] == "errno_exporter/guard" && argument.Name == "nil"
}

// Every goroutine of the program is started through the package guard: a panic ends no more than what it happened in.
func TestGoroutinesAreGuarded(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{if not .Standard}}{{.ImportPath}} {{.Dir}}{{end}}`,
		".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := 0
	for line := range strings.Lines(string(out)) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		if pkg != "errno_exporter" && !strings.HasPrefix(pkg, "errno_exporter/") || unguarded[pkg] != "" {
			continue
		}
		paths, err := filepath.Glob(filepath.Join(dir, "*.go")) // of every system
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			files++
			for _, found := range goroutines(t, path, nil) {
				t.Errorf("%s: start it through errno_exporter/guard, so that its panic does not end the process", found)
			}
		}
	}
	if files < 80 {
		t.Errorf("%d files were read, want all of the program", files)
	}
}

// goroutines are the places of a file that start goroutines by themselves. source is the file's text, nil to read it.
func goroutines(t *testing.T, path string, source any) []string {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string]string{}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value) // it was parsed
		name := filepath.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[name] = imported
	}
	var found []string
	ast.Inspect(file, func(n ast.Node) bool {
		what := ""
		switch n := n.(type) {
		case *ast.GoStmt:
			what = "go"
		case *ast.CallExpr:
			if dropped(n, imports) {
				what = "a Report that is nil"
			}
		case *ast.SelectorExpr:
			if from, ok := n.X.(*ast.Ident); ok && slices.Contains(starters[imports[from.Name]], n.Sel.Name) {
				what = from.Name + "." + n.Sel.Name
			}
		}
		if what != "" {
			found = append(found, fmt.Sprintf("%s: %s", set.Position(n.Pos()), what))
		}
		return true
	})
	return found
}

// TestGoroutinesAreFound: what starts a goroutine is found in whatever form it is written.
func TestGoroutinesAreFound(t *testing.T) {
	for _, row := range []struct{ name, source, want string }{
		{"go", "func f() { go f() }", "x.go:4:12: go"},
		{"in a function literal", "var f = func() { go println() }", "x.go:4:18: go"},
		{"a group", "func f() { var g s.WaitGroup; g.Go(f) }", "x.go:4:18: s.WaitGroup"},
		{"a group in a struct", "type a struct { g s.WaitGroup }", "x.go:4:19: s.WaitGroup"},
		{"a timer", "var _ = time.AfterFunc", "x.go:4:9: time.AfterFunc"},
		{"the end of a context", "var _ = context.AfterFunc", "x.go:4:9: context.AfterFunc"},
		{"an errgroup", "var g errgroup.Group", "x.go:4:7: errgroup.Group"},
		{"a panic that nobody is told", "func f() { g.Report(nil).Go(f) }", "x.go:4:12: a Report that is nil"},
		{"none", "var l s.Mutex\nvar _ = time.After", ""},
	} {
		source := "package x\nimport (s \"sync\"; g \"errno_exporter/guard\"; \"time\"; \"context\"; " +
			"\"golang.org/x/sync/errgroup\"); type guard int\n\n" + row.source
		if got := strings.Join(goroutines(t, "x.go", source), ", "); got != row.want {
			t.Errorf("%s: found %q, want %q", row.name, got, row.want)
		}
	}
}
