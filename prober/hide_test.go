package prober

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/url"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// A certificate has many places for a text. The ones that no output shows today are masked as well.
func TestHiddenCertificate(t *testing.T) {
	const secret = "s3cr3t-t0ken"
	mask := new(module.Mask).With(secret)
	name := pkix.Name{Names: []pkix.AttributeTypeAndValue{{Type: []int{2, 5, 4, 65}, Value: "<" + secret + ">"}}}
	name.ExtraNames = name.Names
	for place, c := range map[string]*x509.Certificate{
		"subject":        {Subject: name},
		"issuer":         {Issuer: name},
		"DNS name":       {DNSNames: []string{"a", secret + ".test"}},
		"e-mail address": {EmailAddresses: []string{"a@test", secret + "@test"}},
		"URI": {URIs: []*url.URL{{Scheme: "https", Host: "a"},
			{Scheme: "https", Host: "a", Path: "/" + secret}}},
	} {
		masked := hiddenCertificate(c, mask)
		if masked == c {
			t.Errorf("%s: the certificate is shown as it is", place)
			continue
		}
		texts := append(append([]string{}, masked.DNSNames...), masked.EmailAddresses...)
		for _, uri := range masked.URIs {
			texts = append(texts, uri.String())
		}
		for _, attribute := range append(append([]pkix.AttributeTypeAndValue{}, masked.Subject.Names...),
			masked.Issuer.Names...) {
			texts = append(texts, attribute.Value.(string))
		}
		if all := strings.Join(texts, " "); strings.Contains(all, secret) || !strings.Contains(all, module.Masked) {
			t.Errorf("%s: shown as %q, want it masked", place, all)
		}
		if again := hiddenCertificate(masked, mask); again != masked {
			t.Errorf("%s: a certificate without secrets is copied", place)
		}
	}
}

// encoded reports whether a field of a certificate has bytes: no output shows them.
func encoded(field reflect.StructField) bool {
	return field.Type == reflect.TypeFor[[]byte]() || field.Name == "PublicKey" ||
		strings.HasSuffix(field.Name, "Extensions")
}

// ours are the texts of an attempt that no server can choose.
var ours = []string{
	".Hops[].Lookup.Exchanges[].Network", ".Hops[].Lookup.Exchanges[].Server",
	".Hops[].Compared.Lookup.Exchanges[].Network", ".Hops[].Compared.Lookup.Exchanges[].Server",
	".Hops[].Wire.InfoAt", ".Hops[].Wire.Info.State", ".Hops[].Request.Method",
	".Hops[].TLS.Staple.Reason", // of RFC 5280's list
}

// A secret in any text of an attempt is masked. A field that is new, and that nobody masks, fails this test.
func TestEveryTextIsMasked(t *testing.T) {
	const secret = "s3cr3t-t0ken"
	var attempt result.Attempt
	fill(reflect.ValueOf(&attempt).Elem(), "<"+secret+">")
	before := map[string]bool{}
	texts(reflect.ValueOf(attempt), "", secret, before)
	if len(before) < 40 {
		t.Fatalf("an attempt has %d texts, want all that are known: %v", len(before), before)
	}
	for i := range attempt.Hops {
		hideHop(&attempt.Hops[i], new(module.Mask).With(secret))
	}
	hideFailure(attempt.Failure, new(module.Mask).With(secret))
	after := map[string]bool{}
	texts(reflect.ValueOf(attempt), "", secret, after)
	for _, place := range ours {
		if !after[place] {
			t.Errorf("%s is in the list of exceptions, and is masked or not there", place)
		}
		delete(after, place)
	}
	for _, place := range slices.Sorted(maps.Keys(after)) {
		t.Errorf("%s is not masked", place)
	}
}

// fill puts a text into every place of a value that has one.
func fill(v reflect.Value, text string) {
	switch {
	case !v.CanSet():
	case v.Type() == reflect.TypeFor[error]():
		v.Set(reflect.ValueOf(errors.New(text)))
	case v.Kind() == reflect.Interface:
		v.Set(reflect.ValueOf(text)) // the value of an attribute of a distinguished name
	case v.Type() == reflect.TypeFor[*url.URL]():
		v.Set(reflect.ValueOf(&url.URL{Opaque: text}))
	case v.Type() == reflect.TypeFor[string]():
		v.SetString(text)
	case v.Type() == reflect.TypeFor[[]byte]():
		v.SetBytes([]byte(text))
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() == reflect.Struct:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case v.Kind() == reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(text), value)
	case v.Kind() == reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, text)
		}
	}
}

// texts finds the places of a value that have a text.
func texts(v reflect.Value, at, text string, found map[string]bool) {
	add := func(s string) {
		if strings.Contains(s, text) {
			found[at] = true
		}
	}
	if err, ok := v.Interface().(error); ok && v.Kind() != reflect.Struct {
		add(err.Error())
		return
	}
	switch v.Kind() {
	case reflect.String:
		add(v.String())
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			texts(v.Elem(), at, text, found)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			add(string(v.Bytes()))
			return
		}
		for i := range v.Len() {
			texts(v.Index(i), at+"[]", text, found)
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			add(key.String())
			texts(value, at, text, found)
		}
	case reflect.Struct:
		for field, value := range v.Fields() {
			if field.IsExported() && !(v.Type() == reflect.TypeFor[x509.Certificate]() && encoded(field)) {
				texts(value, at+"."+field.Name, text, found)
			}
		}
	}
}

// Every function that hands an attempt on has sealed it, or calls what does.
func TestEveryAttemptIsSealed(t *testing.T) {
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	handing := map[string]bool{}
	for _, name := range all {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				if hands, seals := attemptIn(f.Body); hands {
					handing[f.Name.Name] = seals
				}
			}
		}
	}
	for name, seals := range handing {
		if !seals {
			t.Errorf("%s hands on an attempt that is not sealed", name)
		}
	}
	for _, name := range []string{"Probe", "end", "experiment", "attempts"} {
		if _, found := handing[name]; !found {
			t.Errorf("%s is not found among those that hand on an attempt: %v", name, handing)
		}
	}
}

// attemptIn reports whether a function makes or copies an attempt's record, and whether it seals one.
func attemptIn(body *ast.BlockStmt) (hands, seals bool) {
	part := map[ast.Node]bool{} // of a longer selector, or of which the address is taken
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			part[n.X] = true
			hands = hands || n.Sel.Name == "record" && !part[n]
		case *ast.UnaryExpr:
			part[n.X] = n.Op == token.AND
		case *ast.CompositeLit:
			of, ok := n.Type.(*ast.SelectorExpr)
			if list, is := n.Type.(*ast.ArrayType); is && len(n.Elts) > 0 {
				of, ok = list.Elt.(*ast.SelectorExpr)
			}
			hands = hands || ok && of.Sel.Name == "Attempt"
		case *ast.CallExpr:
			switch f := n.Fun.(type) {
			case *ast.SelectorExpr:
				seals = seals || f.Sel.Name == "run" || f.Sel.Name == "seal"
			case *ast.Ident:
				seals = seals || f.Name == "sealed"
			}
		}
		return true
	})
	return hands, seals
}

// A probe without secrets builds no mask: what the program adds to each request is none.
func TestNothingToHide(t *testing.T) {
	target, err := ParseTarget(faultlab.Handler(t, faultlab.Healthy))
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{UserAgent: "test"})
	a := p.newAttempt(t.Context(), target, module.New("plain"), "0af7651916cd43dd8448eb211c80319c")
	a.run()
	if a.record.Failure != nil {
		t.Fatal(a.record.Failure)
	}
	if found := a.secrets(); len(found) > 0 || a.mask != nil {
		t.Errorf("%q are secrets, want none", found)
	}
}
