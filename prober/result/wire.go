package result

// maxEvents bounds the events kept of a connection: the first half and the last half of them.
const maxEvents = 32

// Append keeps an event, merging successes of the same kind, within the bound.
func (w *Wire) Append(e Event) {
	events := w.Events
	if last := len(events) - 1; last >= 0 && e.Err == nil && events[last].Err == nil && events[last].Op == e.Op {
		events[last].End, events[last].Bytes = e.End, events[last].Bytes+e.Bytes
		events[last].Calls++
		return
	}
	if len(events) == maxEvents {
		copy(events[maxEvents/2:], events[maxEvents/2+1:])
		events = events[:maxEvents-1]
		w.Dropped++
	}
	w.Events = append(events, e)
}

func (w *Wire) Clone() *Wire {
	c := *w
	c.Events = append([]Event(nil), w.Events...)
	return &c
}
