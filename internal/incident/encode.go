package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

// Encode is the incident as it is stored. Its texts may have any character: whoever shows them escapes them.
func (i *Incident) Encode() []byte {
	b, _ := json.Marshal(i) // plain values: there is nothing that cannot be marshalled
	return b
}

// Decode reads an incident that was stored, by this version or another: causes and reasons that are not in the lists of
// this one become unknown.
func Decode(b []byte) (*Incident, error) {
	i := new(Incident)
	if err := json.Unmarshal(b, i); err != nil {
		return nil, err
	}
	if i.Schema != Schema {
		return nil, fmt.Errorf("schema %d of an incident, want %d", i.Schema, Schema)
	}
	if i.ID.IsZero() || i.Target == "" || len(i.Kinds) == 0 || i.Begin.IsZero() || i.End.IsZero() == (i.Ended != "") {
		return nil, errors.New("an incident without ID, target, failures, begin or end")
	}
	for n := range i.Kinds {
		k := &i.Kinds[n]
		if !listed(k.Phase) {
			return nil, fmt.Errorf("phase %q is unknown", cut(string(k.Phase)))
		}
		if !slices.ContainsFunc(result.Reasons, func(row result.ReasonInfo) bool { return row.Reason == k.Reason }) {
			k.Reason = result.Unknown
		}
	}
	for n := range i.Judgements {
		if j := &i.Judgements[n]; !j.Cause.Listed() {
			j.Cause = cause.Unknown
		}
	}
	i.Verdict, i.Application = i.Verdict.Known(), i.Application.known()
	if i.Recovering != nil {
		i.Recovering.Application = i.Recovering.Application.known()
	}
	return i, nil
}

// listed reports whether a phase is in the list.
func listed(p result.Phase) bool {
	for _, row := range result.Phases {
		if row.Phase == p {
			return true
		}
	}
	return false
}
