package module

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
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

// A part of a secret is one, whatever is between its characters, and so is one that is read behind escapes.
func TestMaskPieces(t *testing.T) {
	const secret = "KeyCanary_ABCdef123456"
	mask := (*Mask)(nil).With("Bearer "+secret, "https://api.example.com/audience", "joe:production-01")
	for _, row := range []struct{ name, text, want string }{
		{"its first half", "bad key KeyCanary_A", "bad key <hidden>"},
		{"its second half", "BCdef123456 is bad", "<hidden> is bad"},
		{"the beginning in quotation marks", `{"error":"bad KeyCanary_ABC..."}`, `{"error":"bad <hidden>..."}`},
		{"without its first and last character", "eyCanary_ABCdef12345", "<hidden>"},
		{"in mixed case", "x kEyCaNaRy_aBcDeF123456 y", "x <hidden> y"},
		{"a space between characters", "K e y C a n a r y _ A B C d e f", "<hidden>"},
		{"a dash instead of its own", "keycanary-abcdef123456", "<hidden>"},
		{"hexadecimal with colons", "4b:65:79:43:61:6e:61:72:79:5f:41", "<hidden>"},
		{"base64 in lines", "dXNlcjpL\nZXlDYW5h\r\ncnlfQUJD\nZGVmMTIz\nNDU2", "dXNlcjp<hidden>"},
		{"its first half in base64", "S2V5Q2FuYXJ5XzEx", "<hidden>zEx"},
		{"its second half in base64, behind one byte", "IEFCQ2RlZjEyMzQ1Ng==", "IE<hidden>g=="},
		{"base64 of both alphabets", "+S2V5Q2Fu-YXJ5/X0+", "+<hidden>+"},
		{"each character percent-encoded", "%4b%65%79%43%61%6e%61%72%79%5f%41%42%43", "%<hidden>"},
		{"each character an escape of JSON", `\u004b\u0065\u0079\u0043\u0061\u006E\u0061\u0072\u0079\u005F\u0041`, Masked},
		{"each character an escape of ECMAScript",
			`\u{4b}\u{65}\u{79}\u{43}\u{61}\u{6e}\u{61}\u{72}\u{79}\u{5f}\u{41}`, Masked},
		{"each character a long escape", `\U0000004b\U00000065\U00000079\U00000043\U00000061\U0000006e\U00000061\U00000072` +
			`\U00000079\U0000005f\U00000041`, Masked},
		{"each character an escape of IIS", "%u004b%u0065%u0079%u0043%u0061%u006e%u0061%u0072%u0079%u005f%u0041", Masked},
		{"each character an escape of C", `\113\145\171\103\141\156\141\162\171\137\101`, Masked},
		{"each character an escape of HTML", "&#75;&#101;&#121;&#67;&#x61;&#110;&#97;&#114;&#121;&#95;&#65;", Masked},
		{"percent-encoded twice", "KeyCa%256Eary%255fABCd", Masked},
		{"percent-encoded four times is not read", "KeyCa%2525256Eary", "KeyCa%2525256Eary"},
		{"fewer than ten letters", "KeyCanary", "KeyCanary"},
		{"a part of a URL, or of a user", "www.example.com production-01", "www.example.com production-01"},
		{"escapes of something else", `100%25 \u0061 &amp; %zz \9 %`, `100%25 \u0061 &amp; %zz \9 %`},
	} {
		if got := mask.Text(row.text); got != row.want {
			t.Errorf("%s: Text(%q) = %q, want %q", row.name, row.text, got, row.want)
		}
	}
}

// A user without a password is the token itself.
func TestSecretsOfURL(t *testing.T) {
	for _, row := range []struct {
		url  string
		want []string
	}{
		{"https://gh0-token@a/?b=1", []string{"gh0-token"}},
		{"https://gh0-token:@a/", []string{"gh0-token"}},
		{"https://joe:pass@a/?token=t&b=1&sig=s", []string{"joe:pass", "pass", "s", "t"}},
		{"https://a/?b=1", nil},
		{"https://a/?b=1;token=t;c=2", []string{"t"}},
		{"https://a/?to=https%3A%2F%2Fjoe%3Apass@b/%3Fkey=k",
			[]string{"https://joe:pass@b/?key=k", "joe:pass", "k", "pass"}},
	} {
		u, err := url.Parse(row.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := SecretsOfURL(u, []string{"sig"}); !slices.Equal(got, row.want) {
			t.Errorf("SecretsOfURL(%s) = %q, want %q", row.url, got, row.want)
		}
	}
}

// A parameter is masked by its name, whatever separates it from others, and where it is a URL that has one.
func TestMaskURL(t *testing.T) {
	for link, want := range map[string]string{
		"https://u:p@a/?b=1&token=t":                      "https://a/?b=1&token=<hidden>",
		"https://a/?b=1;api_key=t;c=2":                    "https://a/?b=1;api_key=<hidden>;c=2",
		"https://a/?sig=t&pwd=t&jwt=t&design=d":           "https://a/?sig=<hidden>&pwd=<hidden>&jwt=<hidden>&design=d",
		"https://a/?code=t&token&co%64e=t&=&&":            "https://a/?code=<hidden>&token&co%64e=<hidden>&=&&",
		"https://a/?to=https%3A%2F%2Fb%2F%3Ftoken%3Dt&c=": "https://a/?to=<hidden>&c=",
		"https://a/?to=https://b/?c=d?token=t":            "https://a/?to=<hidden>",
		"https://a/?to=https%3A%2F%2Fu%3Ap%40b":           "https://a/?to=<hidden>",
		"https://a/?to=https%3A%2F%2Fb%2F%3Fc%3Dd&e=f@g":  "https://a/?to=https%3A%2F%2Fb%2F%3Fc%3Dd&e=f@g",
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if got := MaskURL(u, []string{"code"}); got != want {
			t.Errorf("MaskURL(%s) = %s, want %s", link, got, want)
		}
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

// A head of 4 KiB that has no secret in it.
func BenchmarkMaskNothing(b *testing.B) {
	mask := (*Mask)(nil).With("Bearer hunter2hunter2hunter2hunter2")
	text := strings.Repeat("Cache-Control: max-age=3600, must-revalidate 0123456789abcdef%2F\n", 63)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		mask.Text(text)
	}
}
