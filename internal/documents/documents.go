// Package documents renders the documents that the program carries as HTML: the runbook, the reasons, the causes and
// the rest of docs/. A page is rendered when it is asked for the first time.
package documents

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// suffix ends the names of documents' files; their pages are named without it.
const suffix = ".md"

// Source is a folder of documents.
type Source struct {
	Files fs.FS
	Path  string // of the folder in the repository, which links between documents are relative to
}

// Page is a document as HTML.
type Page struct {
	Name     string // failures for docs/failures.md
	Title    string // its first heading
	Sections []Section
	Body     template.HTML // everything below the first heading
}

// Section is a heading of the second level.
type Section struct{ ID, Title string }

// Library is a set of documents that link to each other.
type Library struct {
	names  []string                // in the order of the sources
	render map[string]func() *Page // by name
	at     map[string]string       // names by the path in the repository
}

// New returns the documents of the sources. Two with the same name are a bug of the program that carries them, and an
// error.
func New(sources ...Source) (*Library, error) {
	l := &Library{render: map[string]func() *Page{}, at: map[string]string{}}
	for _, from := range sources {
		files, err := fs.Glob(from.Files, "*"+suffix)
		if err != nil {
			return nil, fmt.Errorf("documents of %s: %w", from.Path, err)
		}
		for _, file := range files {
			name, at := strings.TrimSuffix(file, suffix), path.Join(from.Path, file)
			if l.Has(name) {
				return nil, fmt.Errorf("documents of %s: there are two pages %q", from.Path, name)
			}
			l.names, l.at[at] = append(l.names, name), name
			l.render[name] = sync.OnceValue(func() *Page { return l.page(name, at, read(from.Files, file)) })
		}
	}
	return l, nil
}

// Has reports whether there is a page of that name.
func (l *Library) Has(name string) bool { return l.render[name] != nil }

// Page returns the page of a name; nil if there is none.
func (l *Library) Page(name string) *Page {
	if render := l.render[name]; render != nil {
		return render()
	}
	return nil
}

// Pages are all pages, those of the first source first.
func (l *Library) Pages() []*Page {
	pages := make([]*Page, 0, len(l.names))
	for _, name := range l.names {
		pages = append(pages, l.Page(name))
	}
	return pages
}

// read reads a document when it is asked for: kept from the start, all of them would be half of the idle heap.
func read(files fs.FS, file string) []byte {
	markdown, err := fs.ReadFile(files, file)
	if err != nil {
		panic("documents: " + err.Error()) // the documents are the program's own, and it lists them
	}
	return markdown
}

// page renders a document. HTML in it is left out, and links to what is no document are text: see edit.
func (l *Library) page(name, at string, markdown []byte) *Page {
	m := goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough))
	tree := m.Parser().Parse(text.NewReader(markdown))
	p := &Page{Name: name, Title: name}
	(&editor{library: l, at: at, source: markdown, page: p, ids: map[string]bool{}}).edit(tree)
	var body bytes.Buffer
	if err := m.Renderer().Render(&body, markdown, tree); err != nil {
		panic("documents: " + err.Error()) // a buffer takes everything, and the documents are the program's own
	}
	p.Body = template.HTML(body.String()) // of the program's own documents, without their HTML
	return p
}
