package module

import (
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
	} {
		if got := mask.Text(row.text); got != row.want {
			t.Errorf("%s: Text(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
	if mask.With(secret, "abc") != mask || (*Mask)(nil).Text("a") != "a" || (*Mask)(nil).With("abc") != nil {
		t.Error("a Mask is made again where nothing is new")
	}
}
