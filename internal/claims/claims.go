// Package claims ties the bounds in docs/security.md to the tests that prove them. A test ends with Prove, which fails
// it when the document gives another figure; TestSecurityClaims of the program fails when a row of the document has no
// test that does.
package claims

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Row is a row of the table of bounds.
type Row struct {
	What, Bound string
}

// Table is the table of bounds in docs/security.md: it begins with the columns what, bound and changed by.
func Table(page string) []Row {
	var rows []Row
	_, table, _ := strings.Cut(page, "\n| what | bound | changed by |\n")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			break
		}
		if what := strings.TrimSpace(cells[1]); !strings.HasPrefix(what, "---") {
			rows = append(rows, Row{what, strings.TrimSpace(cells[2])})
		}
	}
	return rows
}

var figure = regexp.MustCompile(`(\d[\d,]*)(?: ([KM])i?B)?`)

// Figures are the numbers in a row's bound; those of bytes are in bytes. Names of tests and versions of HTTP have none.
func (r Row) Figures() []int {
	var figures []int
	text := regexp.MustCompile("`[^`]*`|HTTP/[0-9.]+").ReplaceAllString(r.Bound, "")
	for _, found := range figure.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(strings.ReplaceAll(found[1], ",", "")) // digits
		figures = append(figures, n<<map[string]int{"": 0, "K": 10, "M": 20}[found[2]])
	}
	return figures
}

// Prove says that the test has shown the bounds of the row that begins with what. It fails the test if the document
// gives others.
func Prove(t testing.TB, what string, bounds ...int) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root(t), "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range Table(string(page)) {
		if !strings.HasPrefix(row.What, what) {
			continue
		}
		for _, bound := range bounds {
			if !slices.Contains(row.Figures(), bound) {
				t.Errorf("docs/security.md: the row %q says %q, the bound is %d", row.What, row.Bound, bound)
			}
		}
		return
	}
	t.Errorf("docs/security.md has no row that begins with %q", what)
}

// root is the repository's directory, above that of the test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test's directory")
		}
		dir = filepath.Dir(dir)
	}
}
