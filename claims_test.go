package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"errno_exporter/internal/claims"
)

// Every test that docs/security.md names exists, and every figure in its table of bounds is proven by a test that the
// row names: those tests give claims.Prove as many figures as the row has.
func TestSecurityClaims(t *testing.T) {
	page, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	proven := provenRows(t)
	name := regexp.MustCompile("`((?:Test|Fuzz)\\w+)`")
	named := name.FindAllSubmatch(page, -1)
	if len(named) < 15 {
		t.Errorf("docs/security.md names %d tests, want one for each claim", len(named))
	}
	for _, test := range named {
		if _, defined := proven[string(test[1])]; !defined {
			t.Errorf("docs/security.md names %s, which does not exist", test[1])
		}
	}
	rows := claims.Table(string(page))
	if len(rows) < 15 {
		t.Errorf("docs/security.md has %d bounds, want its whole table", len(rows))
	}
	for _, row := range rows {
		held, figures := false, 0
		for _, test := range name.FindAllStringSubmatch(row.Bound, -1) {
			for _, claim := range proven[test[1]] {
				if strings.HasPrefix(row.What, claim.what) {
					held, figures = true, figures+claim.figures
				}
			}
		}
		if !held {
			t.Errorf("docs/security.md: the row %q is proven by none of the tests that it names", row.What)
		} else if figures < len(row.Figures()) {
			t.Errorf("docs/security.md: the row %q has the figures %v, and its tests prove %d of them", row.What,
				row.Figures(), figures)
		}
	}
}

// proof is a row that a test proves, and how many figures of it.
type proof struct {
	what    string
	figures int
}

// provenRows are all tests, and the rows that each proves by claims.Prove.
func provenRows(t *testing.T) map[string][]proof {
	t.Helper()
	proven := map[string][]proof{}
	files := token.NewFileSet()
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if ok && f.Recv == nil && (strings.HasPrefix(f.Name.Name, "Test") ||
				strings.HasPrefix(f.Name.Name, "Fuzz")) {
				proven[f.Name.Name] = append(proven[f.Name.Name], provenBy(f)...)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return proven
}

// provenBy are the rows that a test proves.
func provenBy(f *ast.FuncDecl) []proof {
	var rows []proof
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 2 {
			return true
		}
		function, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || function.Sel.Name != "Prove" {
			return true
		}
		if from, ok := function.X.(*ast.Ident); !ok || from.Name != "claims" {
			return true
		}
		if text, ok := call.Args[1].(*ast.BasicLit); ok && text.Kind == token.STRING {
			row, _ := strconv.Unquote(text.Value) // the parser has read it
			rows = append(rows, proof{row, len(call.Args) - 2})
		}
		return true
	})
	return rows
}

// The figures that flags change are those of their defaults.
func TestDefaultLimits(t *testing.T) {
	o := parseFlags([]string{commandCheck})
	claims.Prove(t, "records", o.historyLimit)
	claims.Prove(t, "targets of `/probe` whose counters are kept", o.remember)
	claims.Prove(t, "the store's file", int(o.storage.maxSize), int(o.storage.retention/(24*time.Hour)))
}
