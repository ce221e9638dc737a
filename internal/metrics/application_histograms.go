package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"errno_exporter/internal/observe"
)

// peerHistogram has the histograms of the ends of connections, by peer and by how they ended. Ends are counted once for
// all targets of a peer: a thousand targets of one host cost no more than one. It may be used by many goroutines.
type peerHistogram struct {
	desc *prometheus.Desc // of what is exposed, by target
	opts prometheus.HistogramOpts

	mu     sync.Mutex // guards what follows
	byPeer map[string]map[observe.How]prometheus.Histogram
}

func newPeerHistogram(name, help string, buckets []float64) *peerHistogram {
	return &peerHistogram{desc: prometheus.NewDesc(name, help, []string{"target", "how"}, nil),
		opts: prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets,
			NativeHistogramBucketFactor: nativeFactor, NativeHistogramMaxBucketNumber: nativeBuckets},
		byPeer: map[string]map[observe.How]prometheus.Histogram{}}
}

func (h *peerHistogram) observe(e *observe.End, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	by := h.byPeer[e.Target]
	if by == nil {
		by = map[observe.How]prometheus.Histogram{}
		h.byPeer[e.Target] = by
	}
	if by[e.How] == nil {
		by[e.How] = prometheus.NewHistogram(h.opts)
	}
	by[e.How].Observe(d.Seconds())
}

func (h *peerHistogram) forget(peer string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.byPeer, peer)
}

// collect reports the histograms of a peer for each of its targets.
func (h *peerHistogram) collect(to chan<- prometheus.Metric, p *ObservedPeer) {
	h.mu.Lock()
	by := make(map[observe.How]*dto.Histogram, len(h.byPeer[p.Name]))
	for how, histogram := range h.byPeer[p.Name] {
		var m dto.Metric
		_ = histogram.Write(&m) // fails for no histogram
		by[how] = m.GetHistogram()
	}
	h.mu.Unlock()
	for how, histogram := range by {
		for _, target := range p.Targets {
			to <- &sharedHistogram{h.desc, histogram, prometheus.MakeLabelPairs(h.desc, []string{target, string(how)})}
		}
	}
}

// sharedHistogram is a histogram that several targets have.
type sharedHistogram struct {
	desc   *prometheus.Desc
	of     *dto.Histogram // is not changed
	labels []*dto.LabelPair
}

// Desc is the family.
func (s *sharedHistogram) Desc() *prometheus.Desc { return s.desc }

// Write writes the histogram.
func (s *sharedHistogram) Write(to *dto.Metric) error {
	to.Histogram, to.Label = s.of, s.labels
	return nil
}
