// Package browser looks at the exporter's pages with a real browser.
package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

const repository = "../.."

// exporter runs the demo until the test ends, scrapes it a few times, and returns its address.
func exporter(t *testing.T, scrapes int) string {
	t.Helper()
	return run(t, scrapes, "--demo", "--probe.interval=0s")
}

// run runs the exporter until the test ends.
func run(t *testing.T, scrapes int, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "errno_exporter")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	command := exec.Command(program, append(flags, "--web.listen-address=127.0.0.1:0")...)
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Signal(syscall.SIGTERM); _ = command.Wait() })
	address := listening(t, log)
	for deadline := time.Now().Add(30 * time.Second); ; {
		if response, err := http.Get("http://" + address + "/-/ready"); err == nil {
			_ = response.Body.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the exporter does not answer")
		}
	}
	for range scrapes {
		scrape(t, address)
	}
	return address
}

// listening is the address of which the exporter's log says that it listens; the rest of the log is read and dropped.
func listening(t *testing.T, log io.Reader) string {
	t.Helper()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if _, address, found := strings.Cut(lines.Text(), `msg="Listening on" address=`); found {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return address
		}
	}
	t.Fatal("the exporter ended before it listened")
	return ""
}

func scrape(t *testing.T, address string) {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// page is a tab, with what it complained of and whom it asked.
type page struct {
	context.Context

	mu         sync.Mutex // guards what follows
	complaints []string
	hosts      []string
}

func open(t *testing.T) *page {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: apt-get install chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WindowSize(1400, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	p := &page{}
	if err := chromedp.Listen(tab, func(event any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			p.complaints = append(p.complaints, fmt.Sprint(e.Type, " ", len(e.Args)))
		case *runtime.EventExceptionThrown:
			p.complaints = append(p.complaints, e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			p.complaints = append(p.complaints, e.Entry.Text+" "+e.Entry.URL)
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(e.Request.URL); err == nil && u.Host != "" {
				p.hosts = append(p.hosts, u.Host)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(tab, 3*time.Minute)
	t.Cleanup(cancel)
	p.Context = limited
	call(t, p, network.Enable, network.EnableParams{})
	call(t, p, log.Enable, cdp.Empty{})
	return p
}

// call sends a command to the tab.
func call[P, R any](t *testing.T, p *page, command cdp.Command[P, R], params P) R {
	t.Helper()
	result, err := chromedp.Call(p, command, params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// get runs an action and returns its value.
func get[T any](t *testing.T, p *page, action chromedp.Action[T]) T {
	t.Helper()
	value, err := chromedp.Run(p, action)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func (p *page) run(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p, steps...); err != nil {
		t.Fatal(err)
	}
}

// From a failing target to its record, with no complaint of the browser and no request to any other host.
func TestFromTargetToRecord(t *testing.T) {
	address, p := exporter(t, 3), open(t)
	p.run(t, chromedp.Navigate("http://"+address+"/"))
	line := lineOf("reset-after-request")
	sentence := get(t, p, chromedp.Text(line+" td strong"))
	p.run(t, chromedp.Click(line+" td:nth-child(3) a"), chromedp.WaitVisible("svg.waterfall"))
	verdict, title := get(t, p, chromedp.Text(".verdict")), get(t, p, chromedp.Title())
	const want = "connection reset by the peer while waiting for the response (ECONNRESET)"
	if sentence != want || !strings.Contains(verdict, want) ||
		!strings.HasPrefix(title, "reset-after-request: connection reset by the peer") {
		t.Errorf("sentence %q, verdict %q, title %q", sentence, verdict, title)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.complaints) > 0 {
		t.Errorf("the browser complains: %q", p.complaints)
	}
	for _, host := range p.hosts {
		if host != address {
			t.Errorf("the page asked %s", host)
		}
	}
}

// lineOf selects the line of a target.
func lineOf(name string) string { return fmt.Sprintf(`tr:has(> th > a[href$="%s"])`, name) }

// names are the targets that the page shows.
const names = `[...document.querySelectorAll("tbody tr:not(.group) th > a")].map(a => a.textContent).join(" ")`

// Filters, and the results: one tab stop for each line, the arrow keys within it, and the way to a record.
func TestFilterAndResults(t *testing.T) {
	address, p := exporter(t, 3), open(t)
	p.run(t, chromedp.Navigate("http://"+address+"/"), chromedp.SetValue(`select[name="state"]`, "failing"),
		chromedp.SendKeys(`input[name="q"]`, "RESET-"),
		chromedp.Submit(`input[name="q"]`), chromedp.WaitNotPresent(lineOf("healthy")))
	shown := get(t, p, chromedp.Evaluate[string](names))
	stops := get(t, p, chromedp.Evaluate[string](`[...document.querySelectorAll("td svg")].map(s => `+
		`s.querySelectorAll("a").length + "/" + s.querySelectorAll("a:not([tabindex='-1'])").length).join(" ")`))
	if shown != "reset-after-request reset-in-body" || stops != "3/1 3/1" {
		t.Errorf("names %q, links and tab stops %q", shown, stops)
	}
	const place = `(() => { const all = [...document.querySelectorAll("td svg")[0].querySelectorAll("a")]; ` +
		`return all.indexOf(document.activeElement) + " " + all.findIndex(a => a.getAttribute("tabindex") !== "-1"); })()`
	p.run(t, chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("td svg a:not([tabindex='-1'])")[0].focus()`))
	for _, row := range []struct{ key, want string }{{"", "2 2"}, {kb.ArrowLeft, "1 1"}, {kb.Home, "0 0"},
		{kb.ArrowLeft, "0 0"}, {kb.ArrowRight, "1 1"}, {kb.End, "2 2"}, {kb.ArrowRight, "2 2"}} {
		if row.key != "" {
			p.run(t, chromedp.KeyEvent(row.key))
		}
		if got := get(t, p, chromedp.Evaluate[string](place)); got != row.want {
			t.Errorf("after %q the focus and the tab stop are %s, want %s", row.key, got, row.want)
		}
	}
	p.run(t, chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(".verdict"))
	if location := get(t, p, chromedp.Location()); !strings.Contains(location, "/history/") {
		t.Errorf("location %q", location)
	}
}

// What is new takes the place of what is old: where the reader has scrolled to, what is open and what has the focus
// stay.
func TestRefreshInPlace(t *testing.T) {
	address, p := exporter(t, 1), open(t)
	p.run(t, chromedp.Navigate("http://"+address+"/"), chromedp.WaitVisible("#targets"))
	const line = `[...document.querySelectorAll("tr")].find(r => r.textContent.startsWith("reset-in-body"))`
	const state = line + `.querySelectorAll("svg a").length + " " + (scrollY > 100) + " " + ` +
		line + `.querySelector("details").open + " " + document.querySelectorAll("details[open]").length + " " + ` +
		line + `.contains(document.activeElement) + " " + document.activeElement.tagName`
	before := get(t, p, chromedp.Evaluate[string](`(`+line+`.querySelector("details").open = true, `+line+
		`.querySelector("summary").focus(), scrollTo(0, 300), `+state+`)`))
	scrape(t, address)
	p.run(t, chromedp.Evaluate[chromedp.Void](`refresh()`, chromedp.EvalAwaitPromise))
	after := get(t, p, chromedp.Evaluate[string](state))
	if before != "1 true true 1 true SUMMARY" || after != "2 true true 1 true SUMMARY" {
		t.Errorf("before %q, after %q, want 1 and 2 results, and the rest the same", before, after)
	}
}

// Every control has a name, and the page its landmarks.
func TestAccessibilityTree(t *testing.T) {
	address, p := exporter(t, 1), open(t)
	p.run(t, chromedp.Navigate("http://"+address+"/"))
	text := func(v *accessibility.Value) string {
		var s string
		if v != nil {
			_ = json.Unmarshal(v.Value, &s) // not every value is a text
		}
		return s
	}
	named := []string{"link", "button", "textbox", "searchbox", "checkbox", "combobox", "img", "image", "article",
		"navigation", "region"}
	roles := map[string]int{}
	for _, n := range call(t, p, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored {
			continue
		}
		role, name := text(n.Role), text(n.Name)
		roles[role]++
		if slices.Contains(named, role) && strings.TrimSpace(name) == "" {
			t.Errorf("a %s has no name", role)
		}
	}
	for _, role := range []string{"banner", "navigation", "main", "search", "contentinfo", "heading", "searchbox",
		"checkbox", "button", "combobox", "textbox", "table", "rowheader", "columnheader"} {
		if roles[role] == 0 {
			t.Errorf("there is no %s: %v", role, roles)
		}
	}
}

// On a phone nothing is wider than the screen, in the dark as in the light.
func TestPhone(t *testing.T) {
	address, p := exporter(t, 1), open(t)
	for _, row := range []struct{ scheme, ground string }{{"light", "rgb(255, 255, 255)"},
		{"dark", "rgb(20, 23, 28)"}} {
		call(t, p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: row.scheme}}})
		p.run(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
		for _, path := range []string{"/", "/targets/expired-certificate", "/incidents", "/incidents/…", "/history", "/history/…"} {
			if list, first := strings.CutSuffix(path, "…"); first { // the one that the page before has first
				path = get(t, p, chromedp.Evaluate[string](`document.querySelector("main a[href*='`+list[1:]+`']").pathname`))
			}
			p.run(t, chromedp.Navigate("http://"+address+path), chromedp.WaitVisible("main"))
			width := get(t, p, chromedp.Evaluate[float64]("document.documentElement.scrollWidth - 390"))
			ground := get(t, p, chromedp.Evaluate[string]("getComputedStyle(document.body).backgroundColor"))
			if width > 0 || ground != row.ground {
				t.Errorf("%s, %s: %v wider than the screen, on %s, want %s", path, row.scheme, width, ground, row.ground)
			}
		}
	}
}

// Without JavaScript everything is there.
func TestWithoutJavaScript(t *testing.T) {
	address, p := exporter(t, 1), open(t)
	call(t, p, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	p.run(t, chromedp.Navigate("http://"+address+"/?failing=1"))
	if nodes := get(t, p, chromedp.Nodes("tr.f td svg a")); len(nodes) != 5 {
		t.Errorf("%d results of failing targets lead to their records, want 5", len(nodes))
	}
}

// What a hostile server says stays text: on the status page, in the list and in the record.
func TestHostileContentStaysText(t *testing.T) {
	const attack = `"><img src=x onerror="hacked=1"><script>hacked=1</script>`
	hostile := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Hostile", attack)
		w.Header().Set("Location", "/"+attack)
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "</pre>"+attack+"\x1b[31m\n</body>")
	}))
	t.Cleanup(hostile.Close)
	file := filepath.Join(t.TempDir(), "exporter.yml")
	text := fmt.Sprintf("modules: {api: {prober: http, timeout: 5s, http: {keep_body: true}}}\ntargets: [{name: "+
		"'%s', url: '%s', module: api, labels: {note: '%s'}}]\n",
		"<b>hostile</b>", hostile.URL, attack)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address, p := run(t, 1, "--config.file="+file), open(t)
	for _, path := range []string{"/", "/targets/%3Cb%3Ehostile%3C%2Fb%3E", "/incidents", "/history", "its record"} {
		if path == "its record" {
			path = "/" + get(t, p, chromedp.Evaluate[string](`document.querySelector("a[href^='history/']").getAttribute("href")`))
		}
		p.run(t, chromedp.Navigate("http://"+address+path), chromedp.WaitVisible("main"))
		got := get(t, p, chromedp.Evaluate[string](`typeof hacked + " " + document.querySelectorAll("img, b, main `+
			`script").length`))
		if got != "undefined 0" {
			t.Errorf("%s: hacked and its elements: %s, want undefined 0", path, got)
		}
	}
	if body := get(t, p, chromedp.Text("main")); !strings.Contains(body, attack) {
		t.Errorf("the record does not show what the server said:\n%s", body)
	}
}
