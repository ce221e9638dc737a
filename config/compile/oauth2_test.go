package compile

import (
	"testing"
	"time"

	"golang.org/x/oauth2"

	"errno_exporter/internal/faultlab"
)

// A token is sent until it expires, whatever somebody does to the system's clock. A clock that was set forward may be
// that of a machine that slept: a token that has expired by it is not sent.
func TestTokensWhenTheClockIsSet(t *testing.T) {
	start := time.Now()
	for _, row := range []struct {
		name       string
		token      string
		lives, age time.Duration // lives 0: for ever
		set        time.Duration
		want       bool
	}{
		{"no token", "", time.Hour, 0, 0, false},
		{"new", "t", time.Hour, 0, 0, true},
		{"for ever", "t", 0, 1000 * time.Hour, 0, true},
		{"shortly before its end", "t", time.Hour, time.Hour - 11*time.Second, 0, true},
		{"within the margin", "t", time.Hour, time.Hour - 9*time.Second, 0, false},
		{"new, set back", "t", time.Hour, time.Minute, -24 * time.Hour, true},
		{"expired, set back", "t", time.Hour, 2 * time.Hour, -24 * time.Hour, false},
		{"new, set forward", "t", time.Hour, time.Minute, 24 * time.Hour, false},
		{"expired, set forward", "t", time.Hour, 2 * time.Hour, 24 * time.Hour, false},
		{"for ever, set back", "t", 0, time.Hour, -24 * time.Hour, true},
	} {
		token := &oauth2.Token{AccessToken: row.token}
		if row.lives != 0 {
			token.Expiry = start.Add(row.lives)
		}
		if got := fresh(token, faultlab.ClockSet(start.Add(row.age), row.set)); got != row.want {
			t.Errorf("%s: fresh %t, want %t", row.name, got, row.want)
		}
	}
	if fresh(nil, start) {
		t.Error("no token is fresh")
	}
}
