package documents

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence    = regexp.MustCompile("(?ms)^```.*?^```$")
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	quoted   = regexp.MustCompile("`([^`\n]+)`")
	isFile   = regexp.MustCompile(`^[\w.-]+(?:/[\w.*-]+)*/?$`)
	notInURL = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchor is the fragment that GitHub gives a heading.
func anchor(title string) string {
	title = notInURL.ReplaceAllString(strings.ToLower(strings.ReplaceAll(title, "`", "")), "")
	return strings.ReplaceAll(title, " ", "-")
}

// anchors are the fragments of a page.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		found[anchor(match[1])] = true
	}
	return found
}

// Every relative link of every document leads to a file, and its fragment to a heading.
func TestLinks(t *testing.T) {
	files, checked := texts(t), 0
	for name, page := range files {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			target, fragment, _ := strings.Cut(match[1], "#")
			if strings.Contains(match[1], ":") {
				continue // another site
			}
			checked++
			at := name
			if target != "" {
				at = path.Join(path.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(root, at)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere: %v", name, match[1], err)
			} else if fragment != "" && !anchors(files[at])[fragment] {
				t.Errorf("%s: the link to %s leads to no heading of %s", name, match[1], at)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d links were checked", checked)
	}
}

// Every path that the README, CONTRIBUTING and the documents quote exists; a star stands for any name.
func TestPaths(t *testing.T) {
	checked := 0
	for name, page := range texts(t) {
		if path.Ext(name) != ".md" || name == "CHANGELOG.md" {
			continue
		}
		for _, match := range quoted.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			quote := match[1]
			first, _, nested := strings.Cut(quote, "/")
			if !isFile.MatchString(quote) || !nested && !strings.HasSuffix(quote, ".yml") &&
				!strings.HasSuffix(quote, ".md") {
				continue
			}
			is, err := os.Stat(filepath.Join(root, first))
			if nested && (err != nil || !is.IsDir()) || err != nil && quote == "blackbox.yml" {
				continue // a path of another program, a media type, or what begins with the name of the built program
			}
			checked++
			pattern := strings.ReplaceAll(quote, "KEY", "*")
			at, _ := filepath.Glob(filepath.Join(root, pattern))
			beside, _ := filepath.Glob(filepath.Join(root, path.Dir(name), pattern))
			if len(at)+len(beside) == 0 {
				t.Errorf("%s: there is no %s", name, quote)
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d paths were checked", checked)
	}
}
