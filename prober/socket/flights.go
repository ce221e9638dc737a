package socket

import (
	"math"
	"time"
)

// How long a handshake takes on the network. A handshake is a sequence of flights: a side sends some messages, and
// then waits for the other side's (RFC 8446 section 2). Its time is the sum, over the client's flights, from the moment
// that the flight was sent until the peer's answer to it had arrived. What is computed between an answer and the next
// flight, and the wait for a CPU, is the exporter's. So a last flight that is not answered, such as the Finished of
// TLS 1.3, takes no time, and what the peer sends after the handshake, such as session tickets, counts nowhere.

// flight is what was sent before the peer answered, and the answer.
type flight struct {
	upTo    int64         // bytes written with it
	sent    time.Duration // when its last write began, by the clock
	arrived time.Duration // the last bytes of the answer; 0 while there is none
	calling time.Duration // how long its last write took
	doubt   time.Duration // by how much arrived may be too late, where more than the answer may be what arrived
	drained bool          // arrived is the time of the last bytes that were read, by the kernel
}

// maxFlights bounds the flights that are recorded: no handshake has more than four.
const maxFlights = 8

// BeginFlights begins to record flights.
func (r *Recorder) BeginFlights() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recording, r.flights = true, make([]flight, 0, 3)
}

// StampFlights makes the kernel timestamp the sending of what is written from here on. Where a probe runs alone, the
// clock before the call is as accurate.
func (r *Recorder) StampFlights() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stamps == nil || r.stampBase >= 0 {
		return
	}
	r.stampBase = r.written
	stampSendings(r.raw)
}

// Flights is what a handshake took.
type Flights struct {
	Began time.Duration // the first flight was sent
	Took  time.Duration // from each flight to its answer, summed
	Doubt time.Duration // by how much it may be too long
}

// ReadBeyond notes that more than the handshake was read with it.
func (r *Recorder) ReadBeyond() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.flights {
		r.flights[i].drained = false
	}
}

// EndFlights ends the recording, and returns what the handshake took. Where nothing was read beyond it, the last bytes
// that arrived before each flight of the client's are the end of the server's: the kernel's time of them is exact.
func (r *Recorder) EndFlights() Flights {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recording = false
	if r.stamps != nil && r.stampBase >= 0 && !r.closed {
		r.acks = r.stamps.readQueue(r.acks, math.MaxInt32)
	}
	all := Flights{}
	before := time.Duration(0)
	for i := range r.flights {
		f := &r.flights[i]
		at, doubt := r.flightSent(f, before)
		if i == 0 {
			all.Began = at
		}
		if f.arrived > 0 {
			if f.drained {
				f.doubt = 0
			}
			took := max(0, f.arrived-at)
			all.Took += took
			all.Doubt += min(took, doubt+f.doubt)
			before = f.arrived
		}
	}
	return all
}

// flightSent is when a flight was sent, after the answer to the one before it: by the kernel, where it reported that.
// Else it may be too early, by how long the call took. The caller holds mu.
func (r *Recorder) flightSent(f *flight, before time.Duration) (at, doubt time.Duration) {
	if r.stampBase < 0 {
		return f.sent, f.calling
	}
	at, ok := r.stampOf(uint32(f.upTo-r.stampBase-1), sent)
	if !ok || at < before || f.arrived > 0 && at > f.arrived {
		return f.sent, f.calling
	}
	return at, 0
}

// noteSent notes a write of the flight under way, or of the next one. The caller holds mu.
func (r *Recorder) noteSent(began time.Duration) {
	if !r.recording {
		return
	}
	last := len(r.flights) - 1
	if last < 0 || r.flights[last].arrived > 0 {
		if len(r.flights) == maxFlights {
			r.recording = false
			return
		}
		r.flights, last = append(r.flights, flight{}), last+1
	}
	f := &r.flights[last]
	f.upTo, f.sent, f.calling = r.written, began, r.sentDoubt
}

// noteArrived notes an arrival, which answers the flight under way. The caller holds mu.
func (r *Recorder) noteArrived() {
	if last := len(r.flights) - 1; r.recording && last >= 0 {
		f := &r.flights[last]
		f.arrived, f.doubt, f.drained = r.lastRead, r.readDoubt, r.drained && !r.readStamp.IsZero()
	}
}
