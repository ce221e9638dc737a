package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/internal/faultlab"
)

// described is what the test reads of the description.
type openAPI struct {
	OpenAPI string
	Info    struct{ Title, Version string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct {
		Summary    string
		Parameters []struct {
			Name, In string
			Schema   struct{ Enum []string }
		}
		Responses map[string]struct{ Description string }
	}
}

// The description has every operation that the handlers answer and no other, every parameter that they accept and no
// other, and each of its values is accepted.
func TestOpenAPI(t *testing.T) {
	server := serveText(t, labModule()+fmt.Sprintf("targets: [{name: payments, url: %q, module: other}]\n",
		faultlab.ResetAfterRequest(t)))
	ask(t, http.MethodGet, server.URL+"/metrics", nil)
	var d openAPI
	got := ask(t, http.MethodGet, server.URL+"/api", nil)
	if err := json.Unmarshal([]byte(got.Body), &d); err != nil || got.ContentType != "application/json" ||
		d.OpenAPI != "3.1.0" || d.Info.Title == "" || d.Info.Version == "" || d.Servers[0].URL != server.URL {
		t.Fatalf("%s: %v: %s", got.ContentType, err, got.Body)
	}
	var operations []string
	for path, methods := range d.Paths {
		for method, o := range methods {
			operations = append(operations, strings.ToUpper(method)+" "+path)
			if o.Summary == "" || len(o.Responses) == 0 {
				t.Errorf("%s %s has no summary or no response", method, path)
			}
		}
	}
	slices.Sort(operations)
	if diff := cmp.Diff(handled(t), operations); diff != "" {
		t.Errorf("operations (-handled +described):\n%s", diff)
	}
	wanted := regexp.MustCompile(`is unknown, want (?:one of )?(.*)`)
	for path, methods := range d.Paths {
		o, gets := methods["get"]
		if _, refuses := o.Responses["400"]; !gets || !refuses || path == "/probe" || path == "/logs" || path == "/metrics" {
			continue // the parameters of blackbox_exporter's paths are not checked, as it does not
		}
		at := server.URL + strings.NewReplacer("{name}", "payments", "{id}", id(1)).Replace(path)
		var documented []string
		for _, p := range o.Parameters {
			if p.In != "query" {
				continue
			}
			documented = append(documented, p.Name)
			for _, value := range p.Schema.Enum {
				if got := ask(t, http.MethodGet, at+"?"+url.Values{p.Name: {value}}.Encode(), nil); got.Status != 200 {
					t.Errorf("%s?%s=%s: %d %s", path, p.Name, value, got.Status, got.Body)
				}
			}
		}
		refused := ask(t, http.MethodGet, at+"?no-such-parameter=1", nil)
		found := wanted.FindStringSubmatch(refused.Body)
		if refused.Status != 400 || found == nil {
			t.Errorf("%s with an unknown parameter: %d %s", path, refused.Status, refused.Body)
			continue
		}
		accepted := strings.Split(strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(found[1]), ", or ", ", "),
			"=1", ""), ", ")
		slices.Sort(accepted)
		slices.Sort(documented)
		if diff := cmp.Diff(accepted, documented); diff != "" {
			t.Errorf("%s (-accepted +described):\n%s", path, diff)
		}
	}
}

// handled are the operations that handlers are registered for in this package, but for files and profiles.
func handled(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	pattern := regexp.MustCompile(`mux\.Handle(?:Func)?\("(?:(\w+) )?(/[^"]*)"`)
	for _, name := range sources {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
			path := strings.NewReplacer("{$}", "", "...}", "}").Replace(match[2])
			switch {
			case strings.HasPrefix(path, "/debug/"), strings.HasPrefix(path, "/static/"):
			case path == "/-/reload": // which looks at the method itself
				found["POST "+path], found["PUT "+path] = true, true
			default:
				found[match[1]+" "+path] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// The description of an incident has every field that its JSON has, with its type.
func TestIncidentIsDescribed(t *testing.T) {
	address := serveRemembered(t)
	var d struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Content map[string]struct{ Schema map[string]any }
			}
		}
	}
	if err := json.Unmarshal([]byte(ask(t, http.MethodGet, address+"/api", nil).Body), &d); err != nil {
		t.Fatal(err)
	}
	for path, at := range map[string]string{"/incidents": "/incidents", "/incidents/{id}": "/incidents/" + id(4)} {
		schema := d.Paths[path]["get"].Responses["200"].Content["application/json"].Schema
		var answer any
		if err := json.Unmarshal([]byte(ask(t, http.MethodGet, address+at+"?format=json", nil).Body), &answer); err != nil {
			t.Fatal(err)
		}
		for _, wrong := range undescribed(path, schema, answer) {
			t.Error(wrong)
		}
		if wrong := undescribed(path, schema, map[string]any{"schema": 1.0, "more": true}); len(wrong) != 1 {
			t.Errorf("%s: of a field that there is not: %q, want one line", path, wrong)
		}
	}
}

// undescribed is what of a value its schema does not allow.
func undescribed(at string, schema map[string]any, value any) (wrong []string) {
	kind := "null"
	switch v := value.(type) {
	case map[string]any:
		kind = "object"
		properties, _ := schema["properties"].(map[string]any)
		for name, inner := range v {
			described, is := properties[name].(map[string]any)
			if !is {
				wrong = append(wrong, at+"."+name+" is not described")
				continue
			}
			wrong = append(wrong, undescribed(at+"."+name, described, inner)...)
		}
	case []any:
		kind = "array"
		items, _ := schema["items"].(map[string]any)
		for _, inner := range v {
			wrong = append(wrong, undescribed(at+"[]", items, inner)...)
		}
	case string:
		kind = "string"
	case bool:
		kind = "boolean"
	case float64:
		if kind = "number"; v == float64(int64(v)) && schema["type"] == "integer" || schema["const"] == v {
			return nil
		}
	}
	if schema["type"] != kind {
		wrong = append(wrong, fmt.Sprintf("%s is %s, described as %v", at, kind, schema["type"]))
	}
	return wrong
}
