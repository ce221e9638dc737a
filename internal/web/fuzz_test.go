package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/net/html"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/history"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/metrics/resulttest"
	"errno_exporter/internal/record"
	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// Whatever the header says, a probe has more than no time and not more than was allowed, or the client gets an error.
func FuzzTimeoutHeader(f *testing.F) {
	for _, seed := range []string{"", "10", "0.5", "0", "-1", "1e300", "NaN", "Inf", "0x1p-1074", "10s", "1_0", "\x00",
		"9223372036.854775807"} {
		f.Add(seed, int64(500*time.Millisecond), int64(0))
		f.Add(seed, int64(0), int64(5*time.Second))
	}
	f.Fuzz(func(t *testing.T, header string, offset, module int64) {
		o, m := time.Duration(max(0, offset)), time.Duration(max(0, module))
		got, err := budget(header, m, o)
		switch {
		case err != nil && got != 0, err == nil && got <= 0:
			t.Errorf("budget(%q, %s, %s) = %s, %v", header, m, o, got, err)
		case err == nil && m > 0 && got > m:
			t.Errorf("budget(%q, %s, %s) = %s, more than the module has", header, m, o, got)
		case err != nil && strings.ContainsAny(err.Error(), "\r\n"):
			t.Errorf("budget(%q): the error is more than a line: %q", header, err)
		}
	})
}

// strange is a result in which a server has put a text wherever it may choose one.
func strange(text string) result.Result {
	r := resulttest.Hostile()
	h := r.Last().LastHop()
	h.URL = module.New("m").MaskLink("http://a/" + text)
	r.URL = h.URL
	if h.Response == nil {
		h.Response = new(result.Response)
	}
	h.Response.StatusText, h.Response.Proto, h.Response.Body = text, text, []byte(text)
	h.Response.Header = http.Header{"Server": {text}, "Location": {text}, text: {"x"}}
	h.Lookup = &result.Lookup{Host: text, Exchanges: []result.DNSExchange{{Server: text, Network: "udp",
		Question: text}}}
	if r.Failure != nil {
		r.Failure.Err = errorText(text)
	}
	return r
}

type errorText string

func (e errorText) Error() string { return string(e) }

// tags are the elements of a page, in order.
func tags(page io.Reader) []string {
	var all []string
	for tokens := html.NewTokenizer(page); ; {
		switch tokens.Next() {
		case html.ErrorToken:
			return all
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := tokens.TagName()
			all = append(all, string(name))
		}
	}
}

// What a server sends stays text: the record is printable, and its page has the elements of any other.
func FuzzRecord(f *testing.F) {
	for _, seed := range []string{"plain", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "\x1b[31m",
		"\xff\xfe", "a\r\nb", "</pre><b>", "&lt;", "{{.}}", "\u202e", "`'\"", "javascript:alert(1)"} {
		f.Add(seed)
	}
	module := module.New("m")
	page := func(text string) (string, []string) {
		r := strange(text)
		e := metrics.NewExposition()
		e.Probe(&r, module)
		plain := record.Text(&r, module, cause.Findings{}, nil, e)
		w := httptest.NewRecorder()
		if err := recordTemplate.Execute(w, newRecordPage(&history.Record{ID: ulid.ULID{15: 1}, Result: &r, Module: module},
			string(plain))); err != nil {
			panic(err)
		}
		return string(plain), tags(w.Body)
	}
	_, want := page("plain")
	f.Fuzz(func(t *testing.T, text string) {
		plain, got := page(text)
		if i := strings.IndexFunc(plain, func(r rune) bool { return r != '\n' && (r < ' ' || r == 0x7f) }); i >= 0 {
			t.Errorf("the record of %q has a control character at %d", text, i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("the page of %q has the elements %q, want %q", text, got, want)
		}
	})
}
