package documents

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extension "github.com/yuin/goldmark/extension/ast"
)

// What becomes of a document's parsed Markdown before it is rendered:
//
//   - Headings get GitHub's anchors, so that a link to a heading works there and here.
//   - What a table's first column has as code (a reason, a cause, a metric) is an anchor, too: #tcp.reset.
//   - A link to another document leads to its page, relative to this one's: it works under any prefix.
//   - A link to any other file of the repository is text, with the file's path: the program does not carry it.
//   - A picture is its description.
//   - HTML is left out.

// editor edits one document.
type editor struct {
	library *Library
	at      string // the document's path in the repository
	source  []byte
	page    *Page
	ids     map[string]bool // that the page has
	titled  bool            // the title was found
}

func (e *editor) edit(tree ast.Node) {
	var nodes []ast.Node // collected first: edits change what is walked
	// fails only if the function given does
	_ = ast.Walk(tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			nodes = append(nodes, n)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range nodes { // headings first: their anchors are GitHub's whatever a table has
		if h, ok := n.(*ast.Heading); ok {
			e.heading(h)
		}
	}
	for _, n := range nodes {
		switch n := n.(type) {
		case *ast.HTMLBlock, *ast.RawHTML:
			n.Parent().RemoveChild(n.Parent(), n)
		case *ast.Image:
			replace(n, plain("[Picture: "+e.text(n)+"]"))
		case *ast.Link:
			e.link(n)
		case *extension.TableRow:
			e.row(n)
		}
	}
}

// heading gives a heading its anchor. The first one of the first level is the page's title, and leaves the body.
func (e *editor) heading(h *ast.Heading) {
	title := e.text(h)
	id := e.unique(anchor(title))
	h.SetAttributeString("id", []byte(id))
	switch {
	case h.Level == 1 && !e.titled:
		e.page.Title, e.titled = title, true
		h.Parent().RemoveChild(h.Parent(), h)
	case h.Level == 2:
		e.page.Sections = append(e.page.Sections, Section{ID: id, Title: title})
	}
}

// notInAnchor is what GitHub leaves out of an anchor: all but letters, marks, digits, "_", "-" and spaces.
var notInAnchor = regexp.MustCompile(`[^\p{L}\p{M}\p{Nd}\p{Pc} -]`)

// anchor is the fragment that GitHub gives a heading.
func anchor(title string) string {
	return strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}

// unique appends to an anchor that the page has the next number, as GitHub does.
func (e *editor) unique(id string) string {
	free := id
	for n := 1; e.ids[free]; n++ {
		free = id + "-" + strconv.Itoa(n)
	}
	e.ids[free] = true
	return free
}

// isAnchor is code that is an anchor as it is.
var isAnchor = regexp.MustCompile(`^[A-Za-z][\w.:-]*$`)

// row makes anchors of the code in a row's first column. A metric's labels are not part of its name.
func (e *editor) row(row *extension.TableRow) {
	if row.FirstChild() == nil {
		return
	}
	for n := row.FirstChild().FirstChild(); n != nil; n = n.NextSibling() {
		if n.Kind() != ast.KindCodeSpan {
			continue
		}
		id, _, _ := strings.Cut(e.text(n), "{")
		if isAnchor.MatchString(id) && !e.ids[id] {
			e.ids[id] = true
			n.SetAttributeString("id", []byte(id))
		}
	}
}

// link makes a link to a document one to its page, and one to another file text. A link to another site stays: what
// may begin one is goldmark's rule.
func (e *editor) link(n *ast.Link) {
	target, fragment, has := strings.Cut(string(n.Destination), "#")
	if target == "" || strings.Contains(target, ":") {
		return
	}
	file := path.Join(path.Dir(e.at), target)
	if name, ok := e.library.at[file]; ok {
		if has {
			name += "#" + fragment
		}
		n.Destination = []byte(name)
		return
	}
	said := e.text(n)
	parent, before := n.Parent(), ast.Node(n)
	for _, child := range children(n) {
		parent.InsertAfter(parent, before, child)
		before = child
	}
	if said != file && said != path.Base(file) {
		parent.InsertAfter(parent, before, plain(" ("+file+")"))
	}
	parent.RemoveChild(parent, n)
}

// text is what a node says, without markup.
func (e *editor) text(n ast.Node) string {
	var b strings.Builder
	for _, child := range children(n) {
		switch child := child.(type) {
		case *ast.Text:
			b.Write(child.Value(e.source))
		case *ast.String:
			b.Write(child.Value)
		default:
			b.WriteString(e.text(child))
		}
	}
	return b.String()
}

// children are a node's children, as a list that edits do not change.
func children(n ast.Node) []ast.Node {
	var all []ast.Node
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		all = append(all, child)
	}
	return all
}

// plain is text as it is.
func plain(text string) ast.Node {
	n := ast.NewString([]byte(text))
	n.SetRaw(true)
	return n
}

func replace(n, with ast.Node) { n.Parent().ReplaceChild(n.Parent(), n, with) }
