package module

import (
	"encoding/base64"
	"net/url"
	"testing"
)

func TestMask(t *testing.T) {
	const secret = "s3cr+t/\"ä value"
	mask := (*Mask)(nil).With(secret, "abc", "Basic dTpodW50ZXIy", "id=0123456789; b=1")
	for _, row := range []struct{ name, text, want string }{
		{"as it is", "x " + secret + " y", "x <hidden> y"},
		{"in a query", url.QueryEscape(secret), "<hidden>"},
		{"in a path", url.PathEscape(secret), "<hidden>"},
		{"in JSON", `{"a":"s3cr+t/\"ä value"}`, `{"a":"<hidden>"}`},
		{"in base64", "czNjcit0LyLDpCB2YWx1ZQ==", "<hidden>"},
		{"in base64 without padding", "czNjcit0LyLDpCB2YWx1ZQ", "<hidden>"},
		{"too short to be masked by its value", "abc", "abc"},
		{"basic authentication", "Basic dTpodW50ZXIy", "<hidden>"},
		{"its credentials", "dTpodW50ZXIy", "<hidden>"},
		{"its password", "hunter2", "<hidden>"},
		{"a cookie's value", "0123456789", "<hidden>"},
		{"two", "hunter2hunter2", "<hidden><hidden>"},
		{"nothing", "harmless", "harmless"},
		{"in JSON without needless escapes", `s3cr+t/\"ä value`, "<hidden>"},
		{"in JSON with escaped slashes", `s3cr+t\/\"ä value`, "<hidden>"},
		{"as Go quotes it", `s3cr+t/\"\u00e4 value`, "<hidden>"},
		{"in HTML", "s3cr+t/&#34;ä value", "<hidden>"},
		{"percent-encoded in lower case", "s3cr%2bt%2f%22%c3%a4+value", "<hidden>"},
		{"as encodeURIComponent has it", "s3cr%2Bt%2F%22%C3%A4%20value", "<hidden>"},
		{"in hexadecimal", "733363722b742f22c3a42076616c7565", "<hidden>"},
		{"in hexadecimal, upper case", "733363722B742F22C3A42076616C7565", "<hidden>"},
		{"in base64 behind one byte", base64.StdEncoding.EncodeToString([]byte("u" + secret)), "dX<hidden>U="},
		{"in base64 behind two bytes", base64.StdEncoding.EncodeToString([]byte("u:" + secret)), "dTp<hidden>"},
		{"in base64 within a text", base64.URLEncoding.EncodeToString([]byte("use" + secret + "!")), "dXNl<hidden>SE="},
		{"escaped, then in base64", base64.StdEncoding.EncodeToString([]byte("u:" + url.QueryEscape(secret))),
			"dTp<hidden>Q=="},
		{"its beginning where a text was cut", "x s3cr+t/…", "x <hidden>…"},
		{"its first bytes where a text was cut", "x s3c…", "x s3c…"},
	} {
		if got := mask.Text(row.text); got != row.want {
			t.Errorf("%s: Text(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
	if mask.With(secret, "abc") != mask || (*Mask)(nil).Text("a") != "a" || (*Mask)(nil).With("abc") != nil {
		t.Error("a Mask is made again where nothing is new")
	}
}

// The first bytes of a secret are not shown either where a text ends within it.
func TestMaskBeginning(t *testing.T) {
	mask := (*Mask)(nil).With("hunter2hunter2")
	for text, want := range map[string]string{
		"x hunter2hunter2 y": "x <hidden> y",
		"x hunter2hunter":    "x <hidden>",
		"x hunt":             "x <hidden>",
		"x hun":              "x hun",
		"aHVudGVyMmh1bnRl":   "<hidden>",
		"":                   "",
	} {
		if got := mask.Beginning(text); got != want {
			t.Errorf("Beginning(%q) = %q, want %q", text, got, want)
		}
	}
	if got := (*Mask)(nil).Beginning("hunter"); got != "hunter" {
		t.Errorf("without a mask: %q", got)
	}
}

func BenchmarkMask(b *testing.B) {
	base := (*Mask)(nil).With("Bearer hunter2hunter2hunter2hunter2")
	for b.Loop() {
		base.With("0123456789abcdef0123456789abcdef").Text("x 0123456789abcdef0123456789abcdef y")
	}
}
