package lifetime

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"errno_exporter/prober/result"
)

// docs/errno-104.md has a row for each known timeout, with the same document.
func TestKnownTimeoutsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/errno-104.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range Timeouts {
		var ends []string
		for _, e := range k.Ends {
			ends = append(ends, map[End]string{FIN: "FIN", RST: "RST", GoAway: "GOAWAY",
				Silence: "silence"}[e])
		}
		want := fmt.Sprintf("| %s | %s | %s | %s |\n", k.Who, seconds(k.Idle), strings.Join(ends, " or "), k.Document)
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/errno-104.md lacks the row\n%s", want)
		}
		if i > 0 && k.Idle < Timeouts[i-1].Idle {
			t.Errorf("%s is not in its place by the time", k.Who)
		}
	}
}

// A measured bracket is matched with the documents.
func TestMatches(t *testing.T) {
	for _, row := range []struct {
		name   string
		search Search
		party  Party
		want   string
	}{
		{"nothing yet", Search{}, "", "it is not known yet for how long idle connections live"},
		{"at least", Search{Survived: most}, "", "idle connections live for at least 900s"},
		{"the AWS document", Search{Survived: 340 * s, Died: 360 * s, End: RST}, Path,
			"idle connections live for between 340s and 360s, then they are reset; documented for: " +
				"AWS Network Load Balancer (350s), AWS NAT gateway (350s)"},
		{"the same age, another end", Search{Survived: 340 * s, Died: 360 * s, End: Silence}, "",
			"idle connections live for between 340s and 360s, then the next request is not answered"},
		{"silence in Azure", Search{Survived: 232 * s, Died: 240 * s, End: Silence}, Path,
			"idle connections live for between 232s and 240s, then the next request is not answered; documented for: " +
				"Azure Load Balancer (240s)"},
		{"Node and Apache", Search{Survived: 4800 * time.Millisecond, Died: 5*s + time.Millisecond, End: FIN}, Server,
			"idle connections live for between 4.8s and 5s, then they are closed with a FIN; documented for: " +
				"Node.js http.Server (5s), Apache httpd (5s)"},
		{"HTTP/2", Search{Survived: 72 * s, Died: 75 * s, End: GoAway}, Server,
			"idle connections live for between 72s and 75s, then they are closed with a GOAWAY; documented for: nginx (75s)"},
		{"a wide bracket names nobody", Search{Survived: 64 * s, Died: 128 * s, End: FIN}, "",
			"idle connections live for between 64s and 128s, then they are closed with a FIN"},
		{"no lower end names nobody", Search{Died: 5 * s, End: FIN}, "",
			"idle connections live for less than 5s, then they are closed with a FIN"},
		{"another failure", Search{Survived: 14 * s, Died: 15 * s, End: Other}, "",
			"idle connections live for between 14s and 15s, then they fail in another way"},
	} {
		if got := row.search.String(); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
		if got := row.search.Party(); got != row.party {
			t.Errorf("%s: party %q, want %q", row.name, got, row.party)
		}
	}
}

// What became of a connection is a trial, unless this host ended it.
func TestOf(t *testing.T) {
	answer := result.Attempt{Hops: []result.Hop{{Response: &result.Response{Status: 503}}}}
	for _, row := range []struct {
		name    string
		used    bool
		attempt result.Attempt
		failure *result.Failure
		end     End
		ok      bool
	}{
		{"served", true, answer, nil, "", true},
		{"a bad status", true, answer, &result.Failure{Reason: result.HTTPError}, "", true},
		{"closed while idle", false, result.Attempt{}, &result.Failure{Reason: result.TCPClosed}, FIN, true},
		{"reset while idle", false, result.Attempt{}, &result.Failure{Reason: result.TCPReset}, RST, true},
		{"reset on use", true, result.Attempt{}, &result.Failure{Reason: result.TCPReset}, RST, true},
		{"reset in the body", true, answer, &result.Failure{Reason: result.TCPReset}, "", true},
		{"GOAWAY", false, result.Attempt{}, &result.Failure{Reason: result.H2GoAway}, GoAway, true},
		{"nothing is acknowledged", true, result.Attempt{}, &result.Failure{Reason: result.TCPAborted}, Silence, true},
		{"nothing is answered", true, result.Attempt{}, &result.Failure{Reason: result.HTTPResponseTimedOut}, Silence,
			true},
		{"an alert", false, result.Attempt{}, &result.Failure{Reason: result.TLSFailed}, Other, true},
		{"interrupted", true, result.Attempt{}, &result.Failure{Reason: result.Abandoned}, "", false},
		{"a panic", true, result.Attempt{}, &result.Failure{Reason: result.Unknown, Err: errors.New("x")}, "", false},
		{"no route here", true, result.Attempt{}, &result.Failure{Reason: result.LocalNoRoute, Origin: result.Local}, "",
			false},
	} {
		got, ok := Of(s, &result.IdleResult{Idle: 2 * s, Used: row.used, Attempt: row.attempt, Failure: row.failure})
		if want := (Trial{Age: s, Idle: 2 * s, End: row.end}); got != want || ok != row.ok {
			t.Errorf("%s: %+v, %t, want %+v, %t", row.name, got, ok, want, row.ok)
		}
	}
}
