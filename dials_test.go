package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// target is the row of most of them.
const target = "targets, redirects, and follow-up attempts"

// dialSites are the functions that connect, or make what connects, and the row of docs/security.md ("Where it connects
// to") that says what bounds them. A new one has to be added here, and decided there.
var dialSites = map[string]string{
	"prober/socket.Connect":                target,
	"prober/socket.dial":                   target,
	"prober/socket.dialOnce":               target,
	"prober/socket.beginConnect":           target, // Linux
	"prober/socket.(tcpConn).connectError": target, // connect(2) again, on the same socket to the same address

	"prober.(attempt).connect": target,
	"prober.(hop).connect":     target, // after hop.permitted, in hop.run
	"prober.(hop).run":         target,

	"prober.(Prober).traceHop":             target,
	"prober.(Prober).knock":                target,
	"prober.(Prober).tracePath":            target, // after its own comparison with the policy
	"prober.(Prober).accepted":             target, // after its own comparison with the policy
	"prober.(measurement).send":            target, // after the comparisons of distance and knock with the policy
	"prober.(hop).runHTTP3":                target, // after hop.permitted, in hop.run
	"prober.(attempt).follow":              "targets, redirects, and follow-up attempts",
	"prober.(attempt).openUDP":             target, // HTTP/3
	"prober.(hop).dialQUIC":                target,
	"prober.newHTTP3":                      target, // is given connections
	"prober.newTransport":                  target, // is given connections
	"prober.(hop).dialProxy":               "proxies",
	"prober/dns.(lookup).dial":             "name servers",
	"prober/dns.dialBounded":               "name servers",
	"prober/dns.(client).overUDP":          "name servers",
	"prober/dns.(client).overHTTPS":        "name servers",
	"prober/dns.(Query).System":            "name servers",
	"config/compile.newFetchTransport":     "token endpoints",
	"config/compile.dialForFetch":          "token endpoints",
	"config/compile.(tokens).valid":        "token endpoints",
	"internal/egress.(References).reached": "reference targets",
	"internal/cli.healthyTransport":        "the exporter itself, for the command `healthy`",
}

// dialling are the names by which Go programs connect: package and identifier. An identifier with a final * is a
// beginning.
var dialling = []string{
	"net.Dial*", "net.Lookup*", "net.Resolver", "net.ListenUDP", "net.ListenPacket", "net.ListenConfig", "tls.Dial*",
	"http.Transport", "http.Client",
	"http.DefaultClient", "http.DefaultTransport", "http.Get", "http.Head", "http.Post*", "http3.Transport",
	"http3.Dial*", "quic.Dial*", "quic.Transport", "socket.Connect",
	"unix.Connect", "unix.Send*", "unix.SYS_CONNECT", "unix.SYS_SEND*", "syscall.Connect", "syscall.Send*",
	"syscall.SYS_CONNECT", "syscall.SYS_SEND*",
	"oauth2.NewClient", "websocket.Dial*", "grpc.NewClient", "exec.Command*",
}

// ours are the prober's own functions and methods that connect: whoever calls them is such a place too.
var ours = map[string]bool{"beginConnect": true, "dial": true, "dialOnce": true, "connect": true, "openUDP": true,
	"dialQUIC": true, "traceHop": true}

// notThePrograms are directories whose packages no command of the program runs against anything but itself: tests,
// their servers, those of the demo, benchmarks, and what the documents show.
var notThePrograms = []string{"internal/faultlab", "internal/bench", "test/accuracy", "test/application", "test/build",
	"test/cost", "test/endtoend", "test/sidebyside", "internal/demo", "testdata", "docs/clients/"}

// Every place that connects is known, and docs/security.md says what bounds it.
func TestDialSites(t *testing.T) {
	found := map[string]string{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		for _, dir := range notThePrograms {
			if strings.HasPrefix(path, dir) {
				return fs.SkipDir
			}
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		return addDialSites(path, found)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dialSites, found); diff != "" {
		t.Errorf("functions that connect (-dialSites +program):\n%s", diff)
	}
	page, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for function, row := range dialSites {
		if !strings.Contains(string(page), "\n| "+row+" | ") {
			t.Errorf("docs/security.md has no row %q, which is to say what bounds %s", row, function)
		}
	}
}

// addDialSites adds the functions of a file that mention what connects.
func addDialSites(path string, found map[string]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, declaration := range file.Decls {
		name := "a declaration"
		function, isFunction := declaration.(*ast.FuncDecl)
		if isFunction {
			name = function.Name.Name
			if function.Recv != nil {
				name = "(" + receiver(function.Recv.List[0].Type) + ")." + name
			}
		}
		if isFunction && function.Body == nil {
			continue
		}
		ast.Inspect(declaration, func(n ast.Node) bool {
			if connects(n) {
				site := filepath.Dir(path) + "." + name
				found[site] = dialSites[site]
			}
			return true
		})
	}
	return nil
}

func receiver(expr ast.Expr) string {
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if name, ok := expr.(*ast.Ident); ok {
		return name.Name
	}
	return "?"
}

// connects reports whether a node makes or uses what connects: one of the names above other than as a parameter's or a
// field's type, or a method called Dial….
func connects(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.CallExpr:
		if called, ok := n.Fun.(*ast.Ident); ok && ours[called.Name] {
			return true
		}
		s, ok := n.Fun.(*ast.SelectorExpr)
		if ok && (strings.HasPrefix(s.Sel.Name, "Dial") || ours[s.Sel.Name] || named(s)) {
			return true
		}
		for _, argument := range n.Args { // new(net.Dialer), syscall.Syscall(unix.SYS_CONNECT, …)
			if s, ok := argument.(*ast.SelectorExpr); ok && named(s) {
				return true
			}
		}
	case *ast.CompositeLit:
		s, ok := n.Type.(*ast.SelectorExpr)
		return ok && named(s)
	case *ast.ValueSpec:
		s, ok := n.Type.(*ast.SelectorExpr)
		return ok && named(s)
	case *ast.SelectorExpr:
		x, ok := n.X.(*ast.Ident)
		return ok && x.Name == "http" && strings.HasPrefix(n.Sel.Name, "Default") && named(n)
	}
	return false
}

// named reports whether an identifier of a package is one of the names that connect.
func named(s *ast.SelectorExpr) bool {
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return false
	}
	for _, one := range dialling {
		name := x.Name + "." + s.Sel.Name
		if beginning, many := strings.CutSuffix(one, "*"); one == name || many && strings.HasPrefix(name, beginning) {
			return true
		}
	}
	return false
}
