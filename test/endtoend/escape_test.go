package endtoend

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"errno_exporter/internal/faultlab"
)

// hostileModules are a module for each thing that becomes of a certificate: it is accepted, its authority is unknown,
// its names are of others.
func hostileModules(roots []byte) (names []string, text string) {
	return []string{"accepts", "unknown", "trusts"}, "modules:\n" +
		"  accepts: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4, keep_body: true, tls_config: " +
		"{insecure_skip_verify: true}}}\n" +
		"  unknown: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4, tls_config: {server_name: " +
		"localhost}}}\n" +
		faultlab.Module("trusts", 5*time.Second, roots) + "        server_name: other.test\n"
}

// hostileServer puts the hostile text into its certificate and into every part of its answer that takes one.
func hostileServer(t *testing.T) (address string, roots []byte) {
	t.Helper()
	const text = "\u009b2J\u202eb" // others are not in headers (RFC 9110 section 5.5), which net/http refuses
	return faultlab.CertificateSays(t, faultlab.Hostile,
		"HTTP/1.1 500 "+strings.ReplaceAll(faultlab.Hostile, "\n", "")+"\r\nServer: "+text+"\r\nX-Text: "+text+
			"\r\nSet-Cookie: "+text+"="+text+"\r\nProxy-Status: p; error=dns_error; "+
			"details=\""+text+"\"\r\nLocation: /"+text+"\r\nContent-Type: "+text+
			"\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n\x1b[2J\x9b\n\r\n0\r\n\r\n")
}

// raw is the first character of a text that is no text, with what is around it; empty if there is none.
func raw(text string) string {
	i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !strconv.IsPrint(r) })
	if i < 0 {
		return ""
	}
	return strconv.Quote(text[max(0, i-40):min(len(text), i+40)])
}

// Certificates and answers that would drive a terminal stay text in all that the exporter answers and logs.
func TestHostileTextsAreEscaped(t *testing.T) {
	server, roots := hostileServer(t)
	plain := faultlab.Answer(t, "HTTP/1.1 500 "+strings.ReplaceAll(faultlab.Hostile, "\n",
		"")+"\r\nContent-Length: 0\r\n\r\n")
	malformed := faultlab.Answer(t, "HTTP/1.1 500 Oh\r\n"+strings.ReplaceAll(faultlab.Hostile, "\n", "")+"\r\n\r\n")
	names, modules := hostileModules(roots)
	for _, format := range []string{"logfmt", "json"} {
		d := runDaemon(t, modules+"targets: [{name: t, url: '"+server+"', module: accepts}]\n", "",
			"--log.level=debug", "--log.prober=debug", "--log.format="+format)
		for _, path := range []string{"/metrics", "/", "/?format=json", "/config", "/sd", "/logs?target=t"} {
			if _, body := d.get(t, path); raw(body) != "" {
				t.Errorf("GET %s has %s", path, raw(body))
			}
		}
		for _, module := range names {
			for _, target := range []string{server, plain, malformed, server + "?" + url.QueryEscape(faultlab.Hostile),
				faultlab.Hostile} {
				query := "/probe?module=" + module + "&target=" + url.QueryEscape(target)
				_, metrics := d.get(t, query)
				_, debug := d.get(t, query+"&debug=true")
				_, logs := d.get(t, "/logs?target="+url.QueryEscape(target))
				if raw(metrics) != "" || raw(debug) != "" || raw(logs) != "" {
					t.Errorf("%s %q: metrics have %s, the record %s, its page %s", module, target, raw(metrics),
						raw(debug), raw(logs))
				}
				if strings.HasPrefix(target, "http") && !strings.Contains(debug, `\u001b[31m`) && target != malformed {
					t.Errorf("%s %q: the record lacks the text:\n%s", module, target, debug)
				}
			}
		}
		_, list := d.get(t, "/history")
		pages := regexp.MustCompile(`href="(history/\w{26})"`).FindAllStringSubmatch(list, -1)
		if raw(list) != "" || len(pages) < 2*4*len(names) {
			t.Errorf("/history lists %d records and has %s", len(pages), raw(list))
		}
		for _, page := range pages {
			for _, path := range []string{"/" + page[1], "/" + page[1] + "?format=text"} {
				if _, body := d.get(t, path); raw(body) != "" {
					t.Errorf("GET %s has %s", path, raw(body))
				}
			}
		}
		d.signal(t, syscall.SIGTERM)
		if err := d.Wait(); err != nil {
			t.Error(err)
		}
		if log := d.out.text.String(); raw(log) != "" || !strings.Contains(log, "[31m") {
			t.Errorf("the log has %s", raw(log))
		}
	}
}

// Nor do the commands print them, on either output, nor does what is wrong with a command line or a configuration.
func TestHostileTextsAreNotPrinted(t *testing.T) {
	server, roots := hostileServer(t)
	names, modules := hostileModules(roots)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.yml", modules)
	odd := file("\x1b[2J\u202e.yml", modules)
	type row struct {
		args []string
		want string
	}
	rows := []row{
		{[]string{"check-config", "--config.file=" + odd}, `\u001b[2J\u202e.yml is good`},
		{[]string{"check-config", "--config.file=" + odd + "\u009b"}, `\u009b`},
		{[]string{"check-config", "--config.file=" +
			file("key.yml", "modules: {\"\\e[2J\\u202e\": {prober: http}, \"\\x7f\": {nosuch\\e: 1}}")}, "module"},
		{[]string{"check-config", "--config.file=" +
			file("url.yml", "modules: {http_2xx: {prober: http}}\ntargets: [{name: \"\\e\", url: "+
				"\"ftp://\\u202e/\\e\"}]")}, "target"},
		{[]string{"check-config", "--config.file=" +
			file("ca.yml", "modules: {m: {prober: http, http: {tls_config: {ca_file: \"/nosuch\\e[2J\\u202e\"}}}}")},
			"nosuch"},
		{[]string{"--config.file=" + odd + "\x7f"}, "yml"},
		{[]string{"--nosuch\x1b[2J\u202e"}, `\u001b[2J\u202e`},
		{[]string{"probe", "-m", "\x1b[2J\u202e", server}, "module"},
		{[]string{"probe", faultlab.Hostile}, "errno_exporter:"},
		{[]string{"probe", "-H", "\x1b: \u202e", server}, "errno_exporter:"},
	}
	for _, module := range names {
		for _, form := range []string{"text", "json", "metrics"} {
			want := `\u001b[31m`
			if module == "unknown" || form == "metrics" {
				want = "tls" // no text of the server's is in it
			}
			rows = append(rows, row{[]string{"probe", "--config.file=" + good, "-m", module, "-o", form, server}, want})
		}
	}
	for _, row := range rows {
		out, _ := exec.Command(exporter, row.args...).CombinedOutput() // most fail
		if raw(string(out)) != "" || !strings.Contains(string(out), row.want) {
			t.Errorf("%q prints %s, want %q in\n%q", row.args, raw(string(out)), row.want, out)
		}
	}
}
