package documents

import (
	"html/template"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// Each row is the Markdown of docs/page.md below its title, and what its page has.
func TestPages(t *testing.T) {
	for _, row := range []struct {
		name, markdown, body string
		sections             []Section
	}{
		{"GitHub's anchors", "## What `gateways` state, and Why_\n", `<h2 id="what-gateways-state-and-why_">What <code>gateways</code> state, and Why_</h2>` + "\n",
			[]Section{{"what-gateways-state-and-why_", "What gateways state, and Why_"}}},
		{"the same heading again", "## Next\n### Next\n## Next-1\n",
			"<h2 id=\"next\">Next</h2>\n<h3 id=\"next-1\">Next</h3>\n<h2 id=\"next-1-1\">Next-1</h2>\n",
			[]Section{{"next", "Next"}, {"next-1-1", "Next-1"}}},
		{"a link to a document", "[a](other.md), [b](other.md#part), [c](../monitoring/runbook.md#errnox)\n",
			`<p><a href="other">a</a>, <a href="other#part">b</a>, <a href="runbook#errnox">c</a></p>` + "\n", nil},
		{"a link within the page, and to another site", "[a](#part) [b](https://example.com/a#b)\n",
			`<p><a href="#part">a</a> <a href="https://example.com/a#b">b</a></p>` + "\n", nil},
		{"a link to a file", "[`rules`](../deploy/a.yml), [../deploy/a.yml](../deploy/a.yml) and [a.yml](../deploy/a.yml).\n",
			"<p><code>rules</code> (deploy/a.yml), ../deploy/a.yml (deploy/a.yml) and a.yml.</p>\n", nil},
		{"a picture", "![a *good* <view>](pictures/x.png) and [![linked](y.png)](z.png)\n",
			"<p>[Picture: a good ] and [Picture: linked] (docs/z.png)</p>\n", nil},
		{"HTML", "<!-- mark -->\n\n<script>alert(1)</script>\n\na <b onclick=x>c</b>\n", "<p>a c</p>\n", nil},
		{"a link that runs code", "[a](javascript:alert(1)) <javascript:alert(1)>\n",
			`<p><a href="">a</a> <a href="">javascript:alert(1)</a></p>` + "\n", nil},
		{"anchors of a table's code", "| a | b |\n|---|---|\n| `tcp.reset` | `x` |\n| `m{l=\"v\"}`, `tcp.reset` | `--flag` |\n",
			"<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n" +
				"<td><code id=\"tcp.reset\">tcp.reset</code></td>\n<td><code>x</code></td>\n</tr>\n<tr>\n" +
				"<td><code id=\"m\">m{l=&quot;v&quot;}</code>, <code>tcp.reset</code></td>\n<td><code>--flag</code></td>\n" +
				"</tr>\n</tbody>\n</table>\n", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			library, err := New(
				Source{fstest.MapFS{"runbook.md": {Data: []byte("# Runbook\n")}, "alerts.yml": {}}, "monitoring"},
				Source{fstest.MapFS{"page.md": {Data: []byte("# The `page`\n\n" + row.markdown)}, "other.md": {}}, "docs"})
			if err != nil {
				t.Fatal(err)
			}
			want := &Page{Name: "page", Title: "The page", Sections: row.sections, Body: template.HTML(row.body)}
			if diff := cmp.Diff(want, library.Page("page")); diff != "" {
				t.Errorf("the page (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesOfPages(t *testing.T) {
	markdown := fstest.MapFS{"b.md": {Data: []byte("no title\n")}, "a.md": {Data: []byte("# A\n")}, "c.txt": {}}
	library, err := New(Source{fstest.MapFS{"runbook.md": {Data: []byte("# Runbook\n")}}, "monitoring"},
		Source{markdown, "docs"})
	if err != nil {
		t.Fatal(err)
	}
	titles := []string{}
	for _, p := range library.Pages() {
		titles = append(titles, p.Name+": "+p.Title)
	}
	if diff := cmp.Diff([]string{"runbook: Runbook", "a: A", "b: b"}, titles); diff != "" {
		t.Errorf("the pages (-want +got):\n%s", diff)
	}
	if p := library.Page("c"); p != nil {
		t.Errorf("Page(c) = %+v, want none", p)
	}
	if _, err := New(Source{markdown, "docs"}, Source{markdown, "other"}); err == nil {
		t.Error("New() of two pages with one name = nil error, want one")
	}
}
