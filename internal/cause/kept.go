package cause

import (
	"errno_exporter/prober"
	"fmt"
	"time"
)

// judgeKept judges kept connections, where fresh ones work.
func (e *Evidence) judgeKept() (Verdict, bool) {
	for i := range e.Kept {
		k := &e.Kept[i]
		f := k.Failure
		if f == nil {
			continue
		}
		said := fmt.Sprintf("a connection kept for %s: %s, after %s idle; fresh ones work", k.Age, f.Sentence(), k.Idle.Round(time.Millisecond))
		v := judgeOneKept(k, f)
		v.Evidence = append([]string{said}, v.Evidence...)
		return v, true
	}
	return none, false
}

func judgeOneKept(k *Kept, f *prober.Failure) Verdict {
	switch {
	case k.Reset != nil && k.Reset.Sender == prober.Middlebox:
		return verdict(PathIdleTimeout, High, "the reset came %s", k.Reset)
	case !k.Used && (f.Reason == prober.TCPClosed || f.Reason == prober.H2GoAway):
		return verdict(ServerIdleTimeout, High, "the server closed it in order")
	case !k.Used && f.Reason == prober.TCPReset:
		return verdict(ServerIdleTimeout, Medium, "the server reset it while it was idle")
	case k.Used && f.Reason == prober.TCPAborted:
		return verdict(PathIdleTimeout, High, "nothing acknowledged what we sent on it")
	case k.Used && f.Reason == prober.TCPReset && k.Reset != nil && !k.Reset.Live && k.Reset.Sender == prober.EndHost:
		return verdict(PathIdleTimeout, Medium, "who answered did not know the connection any more: a NAT that forgot it, or the server")
	case k.Used && k.Received == 0 && (f.Reason == prober.TCPReset || f.Reason == prober.TCPClosed || f.Reason == prober.H2GoAway):
		return verdict(KeepaliveRace, Medium, "it stood until the request was on its way, and not a byte came back")
	case k.Used && f.Reason == prober.HTTPResponseTimedOut:
		return verdict(ServerOverloaded, Low, "the connection stands, the application does not answer")
	}
	return Verdict{Unknown, Low, nil}
}
