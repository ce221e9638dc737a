package lifetime

import (
	"time"

	"errno_exporter/prober/result"
)

// End is how an idle connection ended.
type End string

// The ends.
const (
	FIN     End = "fin"
	RST     End = "rst"
	GoAway  End = "goaway"
	Silence End = "silence" // the next request is not acknowledged, or not answered
	Other   End = "other"   // it failed in another way, such as a TLS alert
)

// Ends are the ends, each in words.
var Ends = []struct {
	End   End
	Words string
}{
	{FIN, "they are closed with a FIN"},
	{RST, "they are reset"},
	{GoAway, "they are closed with a GOAWAY"},
	{Silence, "the next request is not answered"},
	{Other, "they fail in another way"},
}

// Words says what happens to the connections.
func (e End) Words() string {
	for i := range Ends {
		if Ends[i].End == e {
			return Ends[i].Words
		}
	}
	return ""
}

// Of is what an idle connection shows of its age; false if it shows nothing, because this host ended it. A connection
// that brings a response is alive, whatever the response is.
func Of(age time.Duration, r *result.IdleResult) (Trial, bool) {
	t := Trial{Age: age, Idle: r.Idle}
	f := r.Failure
	switch {
	case f == nil, r.Used && len(r.Attempt.Hops) > 0 && r.Attempt.LastHop().Response != nil:
		return t, true
	case f.Reason == result.TCPClosed, f.Reason == result.QUICClosed:
		t.End = FIN
	case f.Reason == result.TCPReset:
		t.End = RST
	case f.Reason == result.H2GoAway:
		t.End = GoAway
	case f.Reason == result.TCPAborted, f.Reason == result.TCPTimedOut, f.Reason == result.HTTPResponseTimedOut:
		t.End = Silence
	case f.Origin == result.Local, f.Reason == result.Abandoned, f.Reason == result.Unknown:
		return t, false
	default:
		t.End = Other
	}
	return t, true
}
