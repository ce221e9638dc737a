package record

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"errno_exporter/internal/incident"
	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// Application is what became of the application's connections in an incident, in words: how many ended, then how;
// nothing where they were not observed.
func Application(a *incident.Application) []string {
	if a == nil {
		return nil
	}
	since := " ended since " + a.Since.UTC().Format(time.DateTime) + " UTC"
	lines := []string{"none" + since}
	if a.Ended > 0 {
		lines[0] = fmt.Sprint(a.Ended) + since
	}
	if lost := a.Lost(); lost > 0 {
		lines[0] += fmt.Sprintf(", %d of them with a request in progress", lost)
	}
	for i := range a.Ends {
		lines = append(lines, endsWords(&a.Ends[i]))
	}
	if a.OldestCloseWait > 0 {
		lines = append(lines, "the oldest was in CLOSE_WAIT for "+idleWords(a.OldestCloseWait)+
			": closed by the peer, and not by the application")
	}
	return lines
}

// endsWords are the connections that ended in one way.
func endsWords(e *incident.Ends) string {
	idle := idleWords(e.Idle / float64(max(1, e.Count)))
	text := fmt.Sprintf("%d %s, idle for %s", e.Count, EndWords(e.How, e.Origin), idle)
	if from, below := e.IdleRange(); e.Count > 1 && below > 0 {
		text += fmt.Sprintf(" on average, from %s to %s", idleWords(from), idleWords(below))
	} else if e.Count > 1 {
		text += " on average, at least " + idleWords(from)
	}
	for _, lost := range []struct {
		count uint64
		words string
	}{{e.Unacknowledged, "unacknowledged"}, {e.Unanswered, "unanswered"}} {
		switch {
		case lost.count == 1:
			text += "; 1 with its last request " + lost.words
		case lost.count > 1:
			text += fmt.Sprintf("; %d with their last request %s", lost.count, lost.words)
		}
	}
	return text
}

// EndWords are how connections ended, and by whom.
func EndWords(how observe.How, origin result.Origin) string {
	switch how {
	case observe.ResetReceived:
		if origin == result.Path {
			return "reset by a middlebox"
		}
		if origin == result.Peer {
			return "reset by the peer"
		}
		return "reset (RST received)"
	case observe.ResetSent:
		return "reset by the application (RST sent)"
	case observe.FINReceived:
		return "closed by the peer (FIN received)"
	case observe.FINSent:
		return "closed by the application (FIN sent)"
	case observe.TimedOut:
		return "given up by the kernel without an answer (timed out)"
	}
	return "ended in an unknown way"
}

// idleWords is a time that was measured in seconds.
func idleWords(seconds float64) string {
	if d := time.Duration(seconds * float64(time.Second)); d >= 2*time.Minute {
		return Long(d)
	}
	return strconv.FormatFloat(math.Round(seconds*1000)/1000, 'f', -1, 64) + " s"
}
