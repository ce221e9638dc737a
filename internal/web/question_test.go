package web

import (
	"testing"
	"time"
)

func TestBudget(t *testing.T) {
	const refused = ` is not a timeout, want seconds as a number larger than 0 such as "10"`
	for _, row := range []struct {
		name   string
		header string
		module time.Duration
		want   time.Duration
		err    string
	}{
		{"nobody says", "", 0, 120 * time.Second, ""},
		{"the module alone", "", 200 * time.Second, 200 * time.Second, ""},
		{"the scrape alone", "10", 0, 9500 * time.Millisecond, ""},
		{"the scrape is sooner", "10", 20 * time.Second, 9500 * time.Millisecond, ""},
		{"the module is sooner", "10", 2 * time.Second, 2 * time.Second, ""},
		{"both the same", "10.5", 10 * time.Second, 10 * time.Second, ""},
		{"longer than the offset", "0.6", 0, 100 * time.Millisecond, ""},
		{"as long as the offset", "0.5", 0, 250 * time.Millisecond, ""},
		{"shorter than the offset", "0.3", 0, 150 * time.Millisecond, ""},
		{"shorter than the offset, the module shorter still", "0.3", time.Millisecond, time.Millisecond, ""},
		{"next to nothing", "1e-300", 0, 1, ""},
		{"longer than a Duration", "1e300", 0, 2*time.Minute - 500*time.Millisecond, ""},
		{"a day", "86400", 0, 2*time.Minute - 500*time.Millisecond, ""},
		{"a day, a module with five minutes", "86400", 5 * time.Minute, 2*time.Minute - 500*time.Millisecond, ""},
		{"longer than a Duration, a module with a timeout", "1e300", time.Second, time.Second, ""},
		{"more than a float64 holds", "1e400", 0, 0, `header X-Prometheus-Scrape-Timeout-Seconds "1e400"` + refused},
		{"zero", "0", 0, 120 * time.Second, ""},
		{"zero, a module with a timeout", "0", time.Second, time.Second, ""},
		{"negative", "-1", 0, 120 * time.Second, ""},
		{"negative, a module with a timeout", "-1", time.Second, time.Second, ""},
		{"not a number", "NaN", 0, 120 * time.Second, ""},
		{"not a number, a module with a timeout", "NaN", time.Second, time.Second, ""},
		{"negative infinity", "-Inf", time.Second, time.Second, ""},
		{"infinite", "+Inf", 0, 2*time.Minute - 500*time.Millisecond, ""},
		{"nothing but a space", " ", 0, 0, `header X-Prometheus-Scrape-Timeout-Seconds " "` + refused},
		{"a word", "abc", 0, 0, `header X-Prometheus-Scrape-Timeout-Seconds "abc"` + refused},
		{"a Go duration", "10s", 0, 0, `header X-Prometheus-Scrape-Timeout-Seconds "10s"` + refused},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := budget(row.header, row.module, 500*time.Millisecond)
			if got != row.want || message(err) != row.err {
				t.Errorf("budget(%q, %s, 500ms) = %s, %q, want %s, %q", row.header, row.module, got, message(err),
					row.want, row.err)
			}
		})
	}
}

// message is an error's text, "" for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
