package config

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"errno_exporter/prober/module"
)

func TestOverrides(t *testing.T) {
	file := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(file, []byte("from the file"), 0o600); err != nil {
		t.Fatal(err)
	}
	type sent struct {
		Method, Host, Body string
		Header             http.Header
	}
	const form = "application/x-www-form-urlencoded"
	for _, row := range []struct {
		name string
		o    Overrides
		want sent
		err  string
	}{
		{"nothing", Overrides{}, sent{"GET", "", "", http.Header{"X-Team": {"web"}}}, ""},
		{"-X PUT", Overrides{Method: "PUT"}, sent{"PUT", "", "", http.Header{"X-Team": {"web"}}}, ""},
		{"-d makes it a POST", Overrides{Data: "a=b", HasData: true},
			sent{"POST", "", "a=b", http.Header{"X-Team": {"web"}, "Content-Type": {form}}}, ""},
		{"-d and -X", Overrides{Data: "a=b", HasData: true, Method: "PATCH"},
			sent{"PATCH", "", "a=b", http.Header{"X-Team": {"web"}, "Content-Type": {form}}}, ""},
		{"-d @FILE", Overrides{Data: "@" + file, HasData: true},
			sent{"POST", "", "from the file", http.Header{"X-Team": {"web"}, "Content-Type": {form}}}, ""},
		{"-d and its type", Overrides{Data: "{}", HasData: true, Headers: []string{"Content-Type: application/json"}},
			sent{"POST", "", "{}", http.Header{"X-Team": {"web"}, "Content-Type": {"application/json"}}}, ""},
		{"-H", Overrides{Headers: []string{"x-team: mail", "Accept:text/plain"}},
			sent{"GET", "", "", http.Header{"X-Team": {"mail"}, "Accept": {"text/plain"}}}, ""},
		{"-H removes", Overrides{Headers: []string{"X-Team:"}}, sent{"GET", "", "", http.Header{}}, ""},
		{"-H Host", Overrides{Headers: []string{"Host: other.example.com"}},
			sent{"GET", "other.example.com", "", http.Header{"X-Team": {"web"}}}, ""},
		{"-H without a colon", Overrides{Headers: []string{"X-Team"}}, sent{},
			`-H "X-Team": there is no colon in it, want "Name: value"`},
		{"-H that is no name", Overrides{Headers: []string{"a b: c"}}, sent{},
			`-H "a b: c": "a b" is not a header name`},
		{"-X in lower case", Overrides{Method: "get"}, sent{}, `-X "get": is not an HTTP method, want one such as GET`},
		{"-d @ no file", Overrides{Data: "@/nonexistent", HasData: true}, sent{},
			"-d @/nonexistent: open /nonexistent: no such file or directory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := module.New("m")
			m.Header.Set("X-Team", "web")
			changed, err := row.o.Apply(m)
			if err != nil || row.err != "" {
				if err == nil || err.Error() != row.err {
					t.Fatalf("error %v, want %s", err, row.err)
				}
				return
			}
			got := sent{changed.Method, changed.Host, string(changed.Body), changed.Header}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if m.Method != "GET" || m.Header.Get("X-Team") != "web" || len(m.Header) != 1 {
				t.Error("the module itself was changed")
			}
		})
	}
}

// All addresses are probed if the module or the person at the terminal wants it.
func TestOverrideAllAddresses(t *testing.T) {
	for _, row := range []struct{ module, override, want bool }{
		{false, false, false}, {true, false, true}, {false, true, true}, {true, true, true},
	} {
		m := module.New("m")
		m.AllAddresses = row.module
		changed, err := Overrides{AllAddresses: row.override}.Apply(m)
		if err != nil || changed.AllAddresses != row.want || m.AllAddresses != row.module {
			t.Errorf("module %t, override %t: %v, %v, want %t", row.module, row.override, changed.AllAddresses, err,
				row.want)
		}
	}
}
