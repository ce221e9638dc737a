package watch

// perTarget is what a configured target takes in memory, in bytes, without what it points to.
const perTarget = 1 << 10

// maxLast is the most that the last result of a target takes, without addresses: all.
const maxLast = 128 << 10

// held is what the stores of a Watch hold, in bytes of memory, as far as they know.
type held struct {
	targets    int // totals of the configured ones, and themselves
	last       int // results
	timelines  int
	evidence   int // what verdicts are made from
	fates      int // of idle connections
	references int // states
	networks   int // that egress is known by
	remembered int // totals of targets that are not configured
}

// held adds up what the stores hold.
func (w *Watch) held() held {
	h := held{references: w.references.Size(), remembered: w.others.Size(),
		networks: w.shared.Size()}
	for _, t := range w.current() {
		h.targets += perTarget + t.Totals.Size()
		h.last += t.Results.Size()
		h.timelines += t.Timeline.Size()
		h.evidence += t.Evidence.Size()
		h.fates += t.Idle.Size()
	}
	return h
}
