package web

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// luminance is the relative luminance of a colour such as #fff or #14171c (WCAG 2.2, "relative luminance").
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	hex := strings.TrimPrefix(colour, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("%s: %v", colour, err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// Colours of text have a contrast of 4.5 on every ground, and those of bars, the failed phase's too, of 3, in the light
// and in the dark (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	style, err := files.ReadFile("static/style.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(style), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of colours, want those of the light and the dark", len(blocks))
	}
	for i, scheme := range []string{"light", "dark"} {
		colours := map[string]string{}
		for _, c := range regexp.MustCompile(`--([a-z]+): (#[0-9a-f]+);`).FindAllStringSubmatch(blocks[i][1], -1) {
			colours[c[1]] = c[2]
		}
		least := map[string]float64{"text": 4.5, "faint": 4.5, "good": 4.5, "bad": 4.5, "warn": 4.5, "link": 4.5}
		for _, phase := range phases() {
			least[phase] = 3
		}
		for name, want := range least {
			for _, ground := range []string{"ground", "card"} {
				if colours[name] == "" || colours[ground] == "" {
					t.Errorf("%s: there is no --%s, or no --%s", scheme, name, ground)
					continue
				}
				a, b := luminance(t, colours[name]), luminance(t, colours[ground])
				if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < want {
					t.Errorf("%s: --%s on --%s has a contrast of %.2f, want %.1f", scheme, name, ground, got, want)
				}
			}
		}
	}
	if !strings.Contains(string(style), "rect.failed { fill: var(--bad); }") {
		t.Error("the failed phase does not have the colour --bad")
	}
}
