package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

// TestDocuments serves the documents under a prefix, and asks for them.
func TestDocuments(t *testing.T) {
	server := documentServer(t)
	for _, row := range []struct {
		path          string
		status        int
		location, has string
	}{
		{"/docs", 302, "docs/", ""},
		{"/docs/", 200, "", `<a href="failures">Failures: phases, reasons, errnos, origins</a>`},
		{"/docs/runbook", 200, "", `<h2 id="errnoconnectionreset">ErrnoConnectionReset</h2>`},
		{"/docs/failures", 200, "", `<code id="tcp.reset">tcp.reset</code>`},
		{"/docs/failures.md", 302, "failures", ""},
		{"/docs/nothing", 404, "", "no document has this name, see /docs/ for all"},
		{"/docs/nothing.md", 404, "", "no document has this name"},
		{"/docs/..%2fexporter.yml", 404, "", "no document has this name"},
		{"/docs/%3Cscript%3E", 404, "", "no document has this name"},
	} {
		t.Run(row.path, func(t *testing.T) {
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/errno"+row.path, nil))
			if w.Code != row.status || w.Header().Get("Location") != row.location ||
				!strings.Contains(w.Body.String(), row.has) || strings.Contains(w.Body.String(), "<script") {
				t.Errorf("GET %s = %d to %q, want %d to %q, with %q and no script:\n%s", row.path, w.Code,
					w.Header().Get("Location"), row.status, row.location, row.has, w.Body)
			}
		})
	}
}

// TestDocumentsLinks follows every link of every document: under a prefix, each leads to a page of the exporter, and
// its fragment to an element there.
func TestDocumentsLinks(t *testing.T) {
	server := documentServer(t)
	pages := map[string]*pageOf{}
	read := func(path string) *pageOf {
		if pages[path] == nil {
			w := httptest.NewRecorder()
			server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			pages[path] = newPageOf(t, w)
		}
		return pages[path]
	}
	const index = "/errno/docs/"
	checked := 0
	for _, link := range read(index).links {
		from := resolved(t, index, link).Path
		if !strings.HasPrefix(from, index) {
			continue // a page of the targets
		}
		for _, link := range read(from).links {
			to := resolved(t, from, link)
			if to.Host != "" || !strings.HasPrefix(to.Path, index) {
				continue // another site, and as above
			}
			checked++
			if p := read(to.Path); p.status != http.StatusOK || to.Fragment != "" && !p.ids[to.Fragment] {
				t.Errorf("%s links to %s: status %d, or no such element", from, link, p.status)
			}
		}
	}
	if checked < 300 {
		t.Errorf("%d links were followed, want all of the documents", checked)
	}
	for _, r := range result.Reasons {
		if !read(index + "failures").ids[string(r.Reason)] {
			t.Errorf("/docs/failures has no element %q, to which records link", r.Reason)
		}
	}
	for _, c := range cause.Causes {
		if !read(index + "causes").ids[string(c.Cause)] {
			t.Errorf("/docs/causes has no element %q, to which records link", c.Cause)
		}
	}
}

func documentServer(t *testing.T) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	documented(mux, newSpools(maxSpooled))
	return (&Endpoints{RoutePrefix: "/errno"}).prefixed(mux)
}

// pageOf is what a page's HTML has.
type pageOf struct {
	status int
	links  []string
	ids    map[string]bool
}

// newPageOf parses an answer. Ids are unique.
func newPageOf(t *testing.T, w *httptest.ResponseRecorder) *pageOf {
	t.Helper()
	p := &pageOf{status: w.Code, ids: map[string]bool{}}
	tree, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range tree.Descendants() {
		for _, a := range n.Attr {
			switch {
			case a.Key == "id" && p.ids[a.Val]:
				t.Errorf("the id %q is there twice", a.Val)
			case a.Key == "id":
				p.ids[a.Val] = true
			case a.Key == "href" && n.Data == "a":
				p.links = append(p.links, a.Val)
			}
		}
	}
	return p
}

func resolved(t *testing.T, from, link string) *url.URL {
	t.Helper()
	to, err := (&url.URL{Path: from}).Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func BenchmarkDocuments(b *testing.B) {
	for b.Loop() {
		mux := http.NewServeMux()
		documented(mux, newSpools(maxSpooled))
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/docs/", nil))
		if w.Code != http.StatusOK {
			b.Fatalf("status %d", w.Code)
		}
	}
}
