package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"errno_exporter/internal/cause"
	"errno_exporter/internal/target/state"
	"errno_exporter/prober/result"
)

// The groups of the status page: failing targets by what they share, or all targets by a label.

// group is targets that belong together.
type group struct {
	heading  string
	sentence string // of the failure that they share; empty for none
	cause    string // that they share
	targets  []seen
}

// shared is what failing targets have in common.
type shared struct {
	cause  cause.Cause
	party  cause.Party
	phase  result.Phase
	reason result.Reason
	errno  string
}

// sharedBy is what a failing target may share with others.
func sharedBy(t *seen) shared {
	var s shared
	if f := t.Failure; f != nil {
		s.phase, s.reason, s.errno = f.Phase, f.Reason, f.Errno
	}
	if t.Verdict != nil {
		s.cause, s.party = t.Verdict.Cause, t.Verdict.Party
	}
	return s
}

// groups divides targets, which are sorted.
func (q *statusQuery) groups(all []seen) []group {
	if len(all) == 0 {
		return nil
	}
	switch q.Group {
	case byNothing:
		return []group{{heading: targetCount(len(all)), targets: all}}
	case byCause:
		if q.Sort == "state" {
			return append(causeGroups(all), stateGroups(all)...)
		}
		return append(causeGroups(all), notFailing(all)...)
	}
	return labelGroups(all, q.Group)
}

// causeGroups are the failing targets: those that share what fails, the largest group first, then the others.
func causeGroups(all []seen) []group {
	by := map[shared][]seen{}
	var order []shared
	for i := range all {
		if all[i].State != string(state.Failing) {
			continue
		}
		s := sharedBy(&all[i])
		if by[s] == nil {
			order = append(order, s)
		}
		by[s] = append(by[s], all[i])
	}
	slices.SortStableFunc(order, func(a, b shared) int { return cmp.Compare(len(by[b]), len(by[a])) })
	var groups []group
	var alone []seen
	for _, s := range order {
		if targets := by[s]; len(targets) > 1 {
			text, at := sharedFailure(targets)
			groups = append(groups, group{heading: targetCount(len(targets)) + ": " + text + at, sentence: text,
				cause: causeText(targets[0].Verdict), targets: targets})
		} else {
			alone = append(alone, targets...)
		}
	}
	if len(alone) > 0 {
		groups = append(groups, group{heading: "Failing: " + targetCount(len(alone)), targets: alone})
	}
	return groups
}

// sharedFailure is the failure that targets share, and where it is.
func sharedFailure(targets []seen) (text, at string) {
	addresses := map[netip.AddrPort]bool{}
	for i := range targets {
		if last := targets[i].Last; last != nil {
			addresses[last.Result.Last().LastHop().Addr] = true
		}
	}
	text = targets[0].Failure.Sentence
	for i := range targets {
		if f := targets[i].Failure; f.Sentence != text { // they have the check in common, not what it found
			text = (&result.Failure{Phase: f.Phase, Reason: f.Reason}).Sentence()
			break
		}
	}
	delete(addresses, netip.AddrPort{})
	switch {
	case len(addresses) == 1:
		for address := range addresses {
			at = " at " + address.String()
		}
	case len(addresses) > 1:
		at = fmt.Sprintf(" at %d addresses", len(addresses))
	}
	return text, at
}

// stateGroups are the targets that do not fail, by their states.
func stateGroups(all []seen) []group {
	var groups []group
	for _, state := range []struct{ state, heading string }{{degraded, "Degraded: "}, {"unknown", "No result: "},
		{"ok", "OK: "}} {
		var targets []seen
		for i := range all {
			if all[i].State == state.state {
				targets = append(targets, all[i])
			}
		}
		if len(targets) > 0 {
			groups = append(groups, group{heading: state.heading + targetCount(len(targets)), targets: targets})
		}
	}
	return groups
}

// notFailing are the targets that do not fail, together.
func notFailing(all []seen) []group {
	var targets []seen
	for i := range all {
		if all[i].State != string(state.Failing) {
			targets = append(targets, all[i])
		}
	}
	if len(targets) == 0 {
		return nil
	}
	return []group{{heading: "Not failing: " + targetCount(len(targets)), targets: targets}}
}

// labelGroups are the targets by the value of a label, those without it last.
func labelGroups(all []seen, label string) []group {
	by := map[string][]seen{}
	for i := range all {
		value := ""
		for _, l := range all[i].Target.Labels {
			if l.Name == label {
				value = l.Value
			}
		}
		by[value] = append(by[value], all[i])
	}
	values := slices.Sorted(maps.Keys(by))
	if values[0] == "" {
		values = append(values[1:], "")
	}
	var groups []group
	for _, value := range values {
		heading, failing := label+"="+value, 0
		if value == "" {
			heading = "without " + label
		}
		heading += ": " + targetCount(len(by[value]))
		for i := range by[value] {
			if by[value][i].State == string(state.Failing) {
				failing++
			}
		}
		if failing > 0 {
			heading += fmt.Sprintf(", %d failing", failing)
		}
		groups = append(groups, group{heading: heading, targets: by[value]})
	}
	return groups
}

func targetCount(n int) string {
	if n == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", n)
}

// partyWords are where to look.
var partyWords = map[cause.Party]string{cause.Server: "the server", cause.Path: "the network between",
	cause.Us: "our own side", cause.DNS: "DNS", cause.Proxy: "the proxy", cause.UnknownParty: "not known"}

// causeText is a verdict in words, with its party; empty without one.
func causeText(v *cause.Verdict) string {
	if v == nil {
		return ""
	}
	text := v.Cause.Info().Sentence + " Party: " + partyWords[v.Party]
	if v.Cause != cause.Unknown {
		text += fmt.Sprintf(" (%s confidence)", v.Confidence)
	}
	return text + "."
}
