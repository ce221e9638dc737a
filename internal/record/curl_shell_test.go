package record

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"errno_exporter/prober/module"
	"errno_exporter/prober/result"
)

// The command, run by a real shell with a real curl, sends one request: the one that was made, whatever a server put
// into its URL.
func TestCurlSendsTheRequest(t *testing.T) {
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not there", program)
		}
	}
	for _, row := range []string{
		"/?[1-40]", "/{a,b}?x={c,d}", "/?'a'%27", `/?"a"`, "/?!x!!", "/?$HOME$(id)`id`", "/-o/etc", "/?a=1&b=2;c|d>e<f",
		`/?a\\b`, "/?*~#", "/?a%0Ab", "/?]", "/?{", "/?}",
	} {
		requests := make(chan *http.Request, 100)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { requests <- r }))
		m := module.New("m")
		m.Header.Set("X-Odd", "@/etc/passwd '$(id)` !")
		m.Header.Set("X-Empty", "")
		r := result.Result{Timeout: 10 * time.Second}
		h := result.Hop{URL: server.URL + row, Addr: netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://")),
			Request: &result.RequestHead{Method: "GET", Header: m.Header}}
		command := Curl(&r, &h, m)
		if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		server.Close()
		close(requests)
		want, _, _ := strings.Cut(row, "#")
		n := 0
		for request := range requests {
			if n++; request.RequestURI != want || request.Header.Get("X-Odd") != m.Header.Get("X-Odd") ||
				len(request.Header["X-Empty"]) != 1 {
				t.Errorf("%s sent %q with %q, want %q", command, request.RequestURI, request.Header, want)
			}
		}
		if n != 1 {
			t.Errorf("%s sent %d requests, want 1", command, n)
		}
	}
}

// Every word reaches a program as it was, on one printable line, wherever in the command it is.
func TestCommandLine(t *testing.T) {
	for _, word := range []string{
		"", "plain", "it's", `"`, `\`, "$HOME", "`id`", "!!", "-x", "a b", "a  b", "*", "{a,b}", "[1-9]", "~", "#",
		"a\nb", "\x1b[31m", "\u202e", "ä", "\xff", "%s%n", "\t'\\",
		"\n", "a\n", "a\n\n\n", "\n\na \n", "\r\n", "'\n", "\\\n", "\x1b !$(id)`id`* \n",
	} {
		line := commandLine("printf", "%s|", word, "between", word)
		if Printable(line) != line {
			t.Errorf("commandLine with %q = %q is not printable", word, line)
		}
		out, err := exec.Command("sh", "-c", line).Output()
		if want := word + "|between|" + word + "|"; err != nil || string(out) != want {
			t.Errorf("%s prints %q, %v, want %q", line, out, err, want)
		}
	}
}
