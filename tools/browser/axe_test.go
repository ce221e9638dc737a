package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// findings runs axe-core in the page, and is what it finds.
const findings = `(async () => {
	const found = await axe.run(document);
	return found.violations.map(v => v.id + ": " + v.help + "\n" +
		v.nodes.slice(0, 3).map(n => "  " + n.html.slice(0, 150) + "\n    " + n.failureSummary).join("\n")).join("\n");
})()`

// axe-core finds nothing on the pages, in the light and in the dark.
func TestAxe(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(repository, ".tools", "axe-core-*.min.js"))
	if err != nil || len(scripts) == 0 {
		t.Skip("axe-core is not there: make axe")
	}
	axe, err := os.ReadFile(scripts[0])
	if err != nil {
		t.Fatal(err)
	}
	address, p := exporter(t, 3), open(t)
	p.run(t, chromedp.Navigate("http://"+address+"/"))
	record := get(t, p, chromedp.Evaluate[string](`document.querySelector("tr.f td:nth-child(3) a").pathname`))
	p.run(t, chromedp.Navigate("http://"+address+"/incidents"))
	incident := get(t, p, chromedp.Evaluate[string](`document.querySelector(".group a").pathname`))
	for _, scheme := range []string{"light", "dark"} {
		call(t, p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}}})
		for _, path := range []string{"/", "/history", record, "/targets/reset-after-request",
			"/targets/closes-idle", "/incidents", incident, "/docs/"} {
			p.run(t, chromedp.Navigate("http://"+address+path), chromedp.WaitVisible("main"),
				chromedp.Evaluate[chromedp.Void](`for (const d of document.querySelectorAll("details")) d.open = true`),
				chromedp.Evaluate[chromedp.Void](string(axe)))
			if got := get(t, p, chromedp.Evaluate[string](findings, chromedp.EvalAwaitPromise)); got != "" {
				t.Errorf("%s, %s:\n%s", path, scheme, got)
			}
		}
	}
}
