package incident

import (
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/cause"
	"errno_exporter/prober/result"
)

// Query chooses incidents. What is empty chooses all.
type Query struct {
	Target string // the configured name
	Cause  cause.Cause
	Phase  result.Phase // these of any of the incident's kinds, the three of the same one
	Reason result.Reason
	Errno  string

	Since, Until time.Time // the incident lasted at some time from Since, and before Until
	Limit        int       // 0 for no limit
}

// Matches reports whether an incident is chosen.
func (q *Query) Matches(i *Incident) bool {
	if q.Target != "" && q.Target != i.Target || q.Cause != "" && q.Cause != i.Cause() {
		return false
	}
	if !q.Since.IsZero() && !i.Open() && i.End.Before(q.Since) || !q.Until.IsZero() && !i.Begin.Before(q.Until) {
		return false
	}
	return q.Phase == "" && q.Reason == "" && q.Errno == "" || slices.ContainsFunc(i.Kinds, func(k Kind) bool {
		return (q.Phase == "" || q.Phase == k.Phase) && (q.Reason == "" || q.Reason == k.Reason) &&
			(q.Errno == "" || q.Errno == k.Errno)
	})
}

// List returns the incidents that a query chooses, the newest first.
func (l *Log) List(q Query) []*Incident {
	var found []*Incident
	for _, i := range l.candidates(q.Target) {
		if q.Matches(i) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *Incident) int { return b.ID.Compare(a.ID) })
	if q.Limit > 0 && len(found) > q.Limit {
		found = found[:q.Limit]
	}
	return found
}

// candidates are the incidents of a target, or all of them.
func (l *Log) candidates(target string) []*Incident {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if target != "" {
		return slices.Clone(l.byTarget[target])
	}
	all := make([]*Incident, 0, len(l.byID))
	for _, i := range l.byID {
		all = append(all, i)
	}
	return all
}

// Get returns the incident of an ID; nil if it is no longer, or was never, remembered.
func (l *Log) Get(id ulid.ULID) *Incident {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

// Open returns the open incident of a target; nil if there is none.
func (l *Log) Open(target string) *Incident {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open(target)
}

// Size is about how many bytes of memory the incidents take.
func (l *Log) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.size
}
