package module

import (
	"net/url"
	"testing"
)

func TestMaySend(t *testing.T) {
	for _, row := range []struct {
		from, to string
		want     bool
		origin   string // of to
	}{
		{"http://a.test/x", "http://a.test/y?z", true, "http://a.test"},
		{"http://a.test", "http://A.TEST:80/", true, "http://a.test"},
		{"https://a.test", "HTTPS://a.test:443/", true, "https://a.test"},
		{"https://a.test:444", "https://user@a.test:444/", true, "https://a.test:444"},
		{"https://bücher.test", "https://xn--bcher-kva.test/", true, "https://xn--bcher-kva.test"},
		{"http://[::1]:80", "http://[::1]/", true, "http://[::1]"},
		{"http://[::1]", "http://[::1]:81/", false, "http://[::1]:81"},
		{"https://a.test", "http://a.test/", false, "http://a.test"},
		{"http://a.test", "https://a.test/", false, "https://a.test"},
		{"https://a.test", "http://a.test:443/", false, "http://a.test:443"},
		{"https://a.test", "https://a.test:444/", false, "https://a.test:444"},
		{"https://a.test", "https://b.a.test/", false, "https://b.a.test"},
		{"https://b.a.test", "https://a.test/", false, "https://a.test"},
		{"https://a.test", "https://a.test.b/", false, "https://a.test.b"},
		{"https://a.test", "https://a.test@b.test/", false, "https://b.test"},
		{"https://127.0.0.1", "https://127.1/", false, "https://127.1"},
	} {
		from, err := url.Parse(row.from)
		if err != nil {
			t.Fatal(err)
		}
		to, err := url.Parse(row.to)
		if err != nil {
			t.Fatal(err)
		}
		if got := MaySend(from, to); got != row.want {
			t.Errorf("MaySend(%s, %s) = %v, want %v", row.from, row.to, got, row.want)
		}
		if got := OriginOf(to).String(); got != row.origin {
			t.Errorf("OriginOf(%s) = %s, want %s", row.to, got, row.origin)
		}
	}
}
