package counters

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"errno_exporter/guard"
)

// interval is the least time between two samples.
const interval = time.Second

// Sampler takes samples when somebody wants one, at most one a second. The sample before a probe may be a second older
// than the probe, and that after its failure may come a second later: no probe is delayed by it. It may be used by many
// goroutines. A nil Sampler takes none.
type Sampler struct {
	report guard.Report
	last   atomic.Pointer[Sample]

	reading sync.Mutex // guards reader
	reader  *reader

	mu      sync.Mutex // guards what follows
	waiting []*Around  // for the next sample
	armed   bool       // a timer takes it
}

// Folder is where the counters of this process' network namespace are.
const Folder = "/proc/net"

// NewSampler returns a Sampler of a folder; nil if no counter can be read there. The error says which files could not.
func NewSampler(folder string, report guard.Report) (*Sampler, error) {
	s := &Sampler{reader: newReader(folder), report: report}
	first, err := s.reader.read()
	if first.known == [len(All)]bool{} {
		return nil, errors.Join(errors.New("no counter of the kernel can be read"), err)
	}
	s.last.Store(first)
	return s, err
}

// Before is a sample for a probe that is about to begin.
func (s *Sampler) Before() *Sample {
	if s == nil {
		return nil
	}
	if s.due() <= 0 {
		s.sample()
	}
	return s.last.Load()
}

// After is what happens around a probe that has failed just now. The sample before it is that of Before.
func (s *Sampler) After(before *Sample) *Around {
	if s == nil || before == nil {
		return nil
	}
	a := &Around{before: before, ended: time.Now()}
	s.mu.Lock()
	s.waiting = append(s.waiting, a)
	s.mu.Unlock()
	if s.due() <= 0 {
		s.sample()
	}
	s.arm()
	return a
}

// Settle takes a sample at once, for a command that ends after its only probe.
func (s *Sampler) Settle() {
	if s == nil {
		return
	}
	s.reading.Lock()
	defer s.reading.Unlock()
	s.take()
}

// due is how long it takes until the next sample may be taken.
func (s *Sampler) due() time.Duration { return interval - time.Since(s.last.Load().At) }

// sample takes a sample, unless one is being taken or was.
func (s *Sampler) sample() {
	if !s.reading.TryLock() {
		return
	}
	defer s.reading.Unlock()
	if s.due() <= 0 {
		s.take()
	}
}

// take takes a sample, and gives it to those who wait for it. The caller holds reading.
func (s *Sampler) take() {
	taken, _ := s.reader.read() // NewSampler reported what cannot be read
	s.last.Store(taken)
	s.mu.Lock()
	defer s.mu.Unlock()
	var rest []*Around
	for _, a := range s.waiting {
		if taken.At.Before(a.ended) {
			rest = append(rest, a)
			continue
		}
		a.settle(taken)
	}
	s.waiting = rest
}

// arm has the next sample taken when it is due, if anybody waits for it.
func (s *Sampler) arm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 || s.armed {
		return
	}
	s.armed = true
	in := s.due()
	if in <= 0 { // a sample is being taken, and takes long
		in = interval
	}
	s.report.AfterTime(in, func() {
		defer s.arm()
		s.mu.Lock()
		s.armed = false
		s.mu.Unlock()
		s.sample()
	})
}
