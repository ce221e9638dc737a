package prober_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// requestUses are all places, by package, file and function, where a request is built, is given headers, or is sent,
// each with what it may hold. A new one belongs behind authorize and withhold (credentials.go): in this table a
// reviewer sees whether it is.
var requestUses = map[string]string{
	"config/compile/compile.go proxies: Header[]":                  "proxy_connect_header",
	"config/headers.go headers: Header[]":                          "the module's headers",
	"config/compile/compile.go authorized: RoundTripper.RoundTrip": "not sent: it adds the credentials",
	"config/compile/compile.go try: http.Request{}":                "not sent: the trial at load",
	"config/compile/compile.go hide: Module.Authorize":             "not sent: the trial that shows what to mask",
	"config/compile/compile.go hide: http.Request{}":               "not sent: the trial that shows what to mask",
	"config/compile/fetch.go RoundTrip: Header[]":                  "the User-Agent of the probe",
	"config/compile/fetch.go RoundTrip: Request.Clone":             "to the token endpoint, after checkRedirect",
	"config/compile/fetch.go RoundTrip: RoundTripper.RoundTrip":    "to the token endpoint, after checkRedirect",
	"config/compile/oauth2.go RoundTrip: Request.Clone":            "not sent: it adds the token",
	"config/compile/oauth2.go RoundTrip: RoundTripper.RoundTrip":   "the request, with its token",
	"config/compile/oauth2.go valid: http.Client{}":                "with checkRedirect",
	"config/override.go Apply: Header.Set":                         "the module's headers",
	"config/override.go overrideHeader: Header.Set":                "the module's headers",
	"prober/credentials.go addCredentials: Module.Authorize":       "if entitled",
	"prober/credentials.go addCredentials: Request.Clone":          "if entitled",
	"prober/credentials.go addCredentials: Request.SetBasicAuth":   "if entitled",
	"prober/credentials.go authorizeForward: Header.Set":           "Proxy-Authorization, to the proxy",
	"prober/credentials.go authorizeForward: Request.Clone":        "to the proxy, after authorize",
	"prober/credentials.go connectHeader: Header.Set":              "Proxy-Authorization and User-Agent, to the proxy",
	"prober/credentials.go repeat: Request.Clone":                  "a request before authorize",
	"prober/credentials.go withhold: Header.Set":                   "Referer",
	"prober/diagnose.go plain: Module.Authorizes":                  "not sent",
	"prober/dns/transport.go overHTTPS: NewRequestWithContext":     "to a name server, whose URL has no userinfo",
	"prober/dns/transport.go overHTTPS: Request.Header":            "Content-Type and Accept",
	"prober/dns/transport.go overHTTPS: Transport.RoundTrip":       "the same, redirects are not followed",
	"prober/exchange.go exchange: ClientConn.RoundTrip":            "a hop, after authorize",
	"prober/exchange_http3.go runHTTP3: ClientConn.RoundTrip":      "a hop, after authorize",
	"prober/hide.go hidden: Header[]":                              "not sent: a masked copy",
	"prober/keepalive.go Probe: attempt.newHop":                    "of repeat",
	"prober/module/secret.go remember: Header[]":                   "not sent: what was added, to be masked",
	"prober/nested.go sign: Header[]":                              "the names of exporters",
	"prober/panic.go panicked: attempt.newHop":                     "not sent",
	"prober/panic.go panicked: attempt.newRequest":                 "not sent",
	"prober/attempt.go runHops: attempt.newHop":                    "of firstRequest",
	"prober/proxy.go connectThrough: Request.Write":                "to the proxy",
	"prober/proxy.go connectThrough: http.Request{}":               "with connectHeader",
	"prober/redirect.go RoundTrip: attempt.newHop":                 "of net/http's client, after withhold",
	"prober/redirect.go follow: Client.Do":                         "a request before authorize",
	"prober/redirect.go follow: http.Client{}":                     "with check, which withholds",
	"prober/request.go firstRequest: attempt.newRequest":           "to the target",
	"prober/request.go newRequest: Header[]":                       "User-Agent and Traceparent",
	"prober/request.go newRequest: http.Request{}":                 "to the target, with the module's headers",
}

// TestRequestsAreBuiltInOnePlace finds them by their types.
func TestRequestsAreBuiltInOnePlace(t *testing.T) {
	found := map[string]bool{}
	for _, pkg := range []string{"prober", "prober/dns", "prober/socket", "prober/module", "config", "config/compile"} {
		files, info := checkedSources(t, pkg)
		for name, file := range files {
			for _, declaration := range file.Decls {
				where := pkg + "/" + name
				if f, ok := declaration.(*ast.FuncDecl); ok {
					where += " " + f.Name.Name
				}
				ast.Inspect(declaration, func(n ast.Node) bool {
					if use := requestUse(info, n); use != "" {
						found[where+": "+use] = true
					}
					return true
				})
			}
		}
	}
	want := slices.Sorted(maps.Keys(requestUses))
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("requests are built, changed or sent (-want +got):\n%s", diff)
	}
}

// checkedSources are a package's files by name, and the types in them.
func checkedSources(t *testing.T, pkg string) (map[string]*ast.File, *types.Info) {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f",
		"{{.ImportPath}} {{.Export}}\n{{if not .DepOnly}}{{range .GoFiles}}source {{.}}\n{{end}}{{end}}",
		"errno_exporter/"+pkg).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	set, exports := token.NewFileSet(), map[string]string{}
	files := map[string]*ast.File{}
	var list []*ast.File
	for line := range strings.Lines(string(out)) {
		first, second, _ := strings.Cut(strings.TrimSpace(line), " ")
		if first != "source" {
			exports[first] = second
			continue
		}
		file, err := parser.ParseFile(set, filepath.Join("..", pkg, second), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[second], list = file, append(list, file)
	}
	from := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	if _, err := (&types.Config{Importer: from}).Check("errno_exporter/"+pkg, set, list, info); err != nil {
		t.Fatal(err)
	}
	return files, info
}

// requestUse names what a piece of source does with requests; empty for nothing.
func requestUse(info *types.Info, n ast.Node) string {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if name := typeName(info.TypeOf(n)); name == "net/http.Request" || name == "net/http.Client" {
			return strings.TrimPrefix(name, "net/") + "{}"
		}
	case *ast.AssignStmt:
		for _, to := range n.Lhs {
			if index, ok := to.(*ast.IndexExpr); ok && typeName(info.TypeOf(index.X)) == "net/http.Header" {
				return "Header[]"
			}
			if field, ok := to.(*ast.SelectorExpr); ok && field.Sel.Name == "Header" &&
				typeName(info.TypeOf(field.X)) == "net/http.Request" {
				return "Request.Header"
			}
		}
	case *ast.Ident:
		if f, ok := info.Uses[n].(*types.Func); ok {
			return requestFunc(f)
		}
	}
	return ""
}

// requestFunc names a function that builds, authorises, changes or sends requests.
func requestFunc(f *types.Func) string {
	if f.Pkg() == nil {
		return ""
	}
	pkg, of := f.Pkg().Path(), f.Name()
	if receiver := f.Signature().Recv(); receiver != nil {
		name := typeName(receiver.Type())
		of = name[strings.LastIndex(name, ".")+1:] + "." + of
	}
	reading := []string{"Header.Get", "Header.Clone", "Header.Values", "Header.Del", "Request.Context",
		"Request.WithContext", "Response.Cookies"}
	switch {
	case pkg == "net/http" && (strings.HasPrefix(of, "NewRequest") ||
		slices.Contains([]string{"Get", "Head", "Post", "PostForm"}, of)),
		strings.HasSuffix(of, ".RoundTrip"), strings.HasSuffix(of, ".SendRequestHeader"),
		strings.HasSuffix(of, ".OpenRequestStream"),
		pkg == "net/http" && (strings.HasPrefix(of, "Header.") || strings.HasPrefix(of, "Request.") ||
			strings.HasPrefix(of, "Client.")) && !slices.Contains(reading, of),
		strings.HasPrefix(of, "Module.Authorize"), of == "attempt.newRequest", of == "attempt.newHop":
		return of
	}
	return ""
}

// typeName is a type's name with its package's path, without a pointer.
func typeName(t types.Type) string { return strings.TrimPrefix(types.TypeString(t, nil), "*") }
