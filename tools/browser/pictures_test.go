package browser

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var pictures = flag.String("pictures", "", "draw every page into this directory: docs/pictures/pages")

// TestPictures draws every page, light and dark, 1400 and 390 wide: of the demo with its nine targets, and the status page
// with none and with a thousand.
//
//	go test -C tools/browser -run Pictures -pictures $PWD/docs/pictures/pages
func TestPictures(t *testing.T) {
	if *pictures == "" {
		t.Skip("pictures are drawn with -pictures DIRECTORY")
	}
	p := open(t)
	nine, none, thousand := exporter(t, 4), run(t, 1, "--config.file="+configured(t, 0)), run(t, 1, "--config.file="+configured(t, 1000))
	for _, row := range []struct{ name, at, link string }{ // the page at an address, or the first that it links to
		{"status-9", nine + "/", ""}, {"status-0", none + "/", ""}, {"status-1000", thousand + "/", ""},
		{"target", nine + "/targets/flapping", ""}, {"incidents", nine + "/incidents", ""},
		{"incident", nine + "/incidents", "/incidents/"}, {"history", nine + "/history", ""},
		{"record", nine + "/history?target=flapping", "/history/"}, {"documents", nine + "/docs/", ""},
	} {
		p.run(t, chromedp.Navigate("http://"+row.at), chromedp.WaitVisible("main"))
		address := "http://" + row.at
		if row.link != "" {
			address = get(t, p, chromedp.Evaluate[string](`document.querySelector("main a[href*='`+row.link[1:]+`']").href`))
		}
		for _, scheme := range []string{"light", "dark"} {
			call(t, p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
			for _, size := range [][2]int64{{1400, 1000}, {390, 844}} {
				p.run(t, chromedp.EmulateViewport(size[0], size[1]), chromedp.Navigate(address), chromedp.WaitVisible("main"))
				drawn := call(t, p, cdppage.CaptureScreenshot, cdppage.CaptureScreenshotParams{Format: "webp", Quality: new(int64(60))})
				name := fmt.Sprintf("%s-%d-%s.webp", row.name, size[0], scheme)
				if err := os.WriteFile(filepath.Join(*pictures, name), drawn.Data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// configured is a configuration with so many targets, of which a tenth are refused, and the others are an exporter.
func configured(t *testing.T, targets int) string {
	t.Helper()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	_ = closed.Close()
	healthy := run(t, 0, "--demo", "--probe.interval=0s")
	var text strings.Builder
	text.WriteString("modules: {api: {prober: http, timeout: 5s}}\ntargets: [")
	for i := range targets {
		at := healthy + "/-/healthy"
		if i%10 == 0 {
			at = refused
		}
		fmt.Fprintf(&text, "\n  {name: api-%03d, url: \"http://%s\", module: api, labels: {team: team-%d}},", i, at, i%7)
	}
	text.WriteString("]\n")
	file := filepath.Join(t.TempDir(), "exporter.yml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
