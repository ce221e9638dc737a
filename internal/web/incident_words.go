package web

import (
	"fmt"
	"strings"
	"time"

	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
)

// What an incident is, in words.

// headline is the target, what failed, and why.
func headline(i *incident.Incident) string {
	text := i.Target + ": " + i.Main().Sentence
	if others := len(i.Kinds) - 1 + min(i.OtherKinds, 1); others > 0 {
		text += ", and otherwise"
	}
	return text
}

// groupHeadline is what the incidents of a group have in common.
func groupHeadline(g *incident.Group) string {
	if len(g.Incidents) == 1 {
		return headline(g.Incidents[0])
	}
	targets := g.Targets()
	text := fmt.Sprintf("%d targets", len(targets))
	if len(targets) == 1 {
		text = fmt.Sprintf("%s, %d times", targets[0], len(g.Incidents))
	}
	text += ": " + g.Incidents[0].Main().Sentence
	switch g.Shared {
	case incident.OnNetwork:
		text += ", in the network " + g.Where
	case incident.OnHost:
		text += ", at " + g.Where
	case incident.OnResolver:
		text += ", names are not resolved"
	case incident.OnExporter:
		text += ", on the exporter's own side"
	}
	return text
}

// spell is when an incident was, how long it lasted, and how much of it failed.
func spell(i *incident.Incident, now time.Time) string {
	failed := fmt.Sprintf("%d of %d probes failed", i.Failed, i.Attempts)
	begin := i.Begin.UTC().Format(time.DateTime)
	long := record.Long(i.Duration(now))
	switch {
	case i.Recovering != nil && i.Open():
		return fmt.Sprintf("since %s UTC, %s, now recovering: %s", begin, long, failed)
	case i.Open():
		return fmt.Sprintf("since %s UTC, %s: %s", begin, long, failed)
	case i.Ended == incident.Unobserved:
		return fmt.Sprintf("from %s to %s UTC, when it was no longer probed: %s", begin,
			i.End.UTC().Format(time.DateTime), failed)
	}
	return fmt.Sprintf("from %s to %s UTC, %s: %s", begin, i.End.UTC().Format(time.DateTime), long, failed)
}

// stateOf is the state of an incident in a word.
func stateOf(i *incident.Incident) string {
	switch {
	case i.Recovering != nil && i.Open():
		return "recovering"
	case i.Open():
		return "failing"
	}
	return string(i.Ended)
}

// conclusion is the verdict in sentences; empty without one.
func conclusion(c *causeStatus) string {
	if c == nil {
		return ""
	}
	return strings.Join(strings.Fields(fmt.Sprintf("Cause: %s, party %s, %s confidence. %s %s", c.Cause, c.Party,
		c.Confidence, c.Sentence, c.Advice)), " ")
}
