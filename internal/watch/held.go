package watch

// What the parts of a target take in memory, in bytes, without what they point to.
const (
	perTarget      = 1 << 10
	perTimeline    = 7 << 10 // the buckets of a day
	perTick        = 48
	perFate        = 96
	perRound       = 24
	perSlot        = 48
	perExperiments = 160
	perOutcome     = 96
)

// maxLast is the most that the last result of a target takes, without addresses: all.
const maxLast = 128 << 10

// held is what the stores of a Watch hold, in bytes of memory, as far as they know.
type held struct {
	targets    int // totals of the configured ones, and themselves
	last       int // results
	timelines  int
	observed   int // what verdicts are made from
	fates      int // of idle connections
	references int // states
	remembered int // totals of targets that are not configured
}

// held adds up what the stores hold.
func (w *Watch) held() held {
	h := held{references: w.references.Size(), remembered: w.others.size()}
	for _, t := range w.current() {
		h.targets += perTarget + t.totals.Size()
		h.last += t.lastSize()
		h.timelines += t.timeline.size()
		h.observed += t.observed.size()
		h.fates += t.idle.size()
	}
	return h
}

// lastSize is about how many bytes of memory the last results take.
func (t *target) lastSize() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, o := range []*Outcome{t.last, t.short} {
		if o == nil {
			continue
		}
		n += perOutcome + o.Result.Size()
		if o.seen != nil {
			n += o.seen.Size()
		}
	}
	return n
}
