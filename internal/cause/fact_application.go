package cause

import (
	"fmt"
	"slices"
	"time"

	"errno_exporter/internal/observe"
	"errno_exporter/prober/result"
)

// Facts of the application's own connections, where fresh ones work. One reset shows nothing: it is the age at which
// several end, at different times, or a number that only grows.

// Application is what is known of the application's own connections to a target.
type Application struct {
	Ends    []observe.End       // of the last hour, the oldest first, that FailedEnd reports
	Samples []ApplicationSample // of the last half hour, the oldest first, about a minute apart
}

// ApplicationSample is how many connections there were at a moment.
type ApplicationSample struct {
	At              time.Time
	Established     int
	CloseWait       int
	TimeWait        int
	OldestCloseWait time.Duration
}

const (
	apart          = time.Second // two ends that are closer together may have one reason
	leastEnds      = 3           // that show a pattern
	manyEnds       = 6
	leastIdle      = time.Second // of a connection that was idle rather than in use
	leastIdleRange = 500 * time.Millisecond

	leakWindow      = 5 * time.Minute  // for which CLOSE_WAIT grows
	leakLongWindow  = 20 * time.Minute // for which established connections grow
	leastCloseWait  = 10
	leastLeaked     = 100 // established connections
	leastSamples    = 5
	leastTimeWait   = 100
	churnShare      = 5     // TIME_WAIT holds a fifth of the local ports
	usualLocalPorts = 28232 // ip_local_port_range of Linux: 32768 to 60999
)

// FailedEnd reports whether the end of a connection is a failure of the application's: not where the application closed
// it without an answer, which may be its own timeout, and not where the peer closed one that nothing was sent on.
func FailedEnd(e *observe.End) bool {
	switch {
	case e.How == observe.ResetReceived || e.How == observe.TimedOut || e.Lost == observe.Unacknowledged:
		return true
	case e.How == observe.FINSent || e.How == observe.ResetSent:
		return false
	}
	return e.Lost != observe.NothingLost
}

// idleAge is how long a connection had been idle: until it ended, or until the application used it again and nothing of
// that was acknowledged. One that waited for an answer was not idle.
func idleAge(e *observe.End) time.Duration {
	switch e.Lost {
	case observe.NothingLost:
		return e.Idle
	case observe.Unacknowledged:
		return e.SinceReceived - e.Idle
	}
	return 0
}

// suspicious reports whether there may be something to explain.
func (a *Application) suspicious() bool {
	if len(a.Ends) >= leastEnds {
		return true
	}
	last := a.last()
	return last.CloseWait >= leastCloseWait || last.Established >= leastLeaked || last.TimeWait >= leastTimeWait
}

func (a *Application) last() ApplicationSample {
	if len(a.Samples) == 0 {
		return ApplicationSample{}
	}
	return a.Samples[len(a.Samples)-1]
}

// applicationFacts notes what the application's connections show.
func applicationFacts(e *Evidence, k *known) {
	a := &e.Application
	a.endFacts(k)
	a.leakFacts(k)
	ports := e.Host.Ports
	if ports == 0 {
		ports = usualLocalPorts
	}
	last := a.last()
	k.note(appChurn, last.TimeWait >= ports/churnShare, "%d connections of the application are in TIME_WAIT, of %d "+
		"local ports towards the target", last.TimeWait, ports)
	k.note(appChurnMost, last.TimeWait >= ports/2, "more than half of the local ports are in TIME_WAIT")
}

// endFacts notes how connections ended, and after how long without data.
func (a *Application) endFacts(k *known) {
	if moments(a.Ends) < leastEnds {
		return
	}
	resets, lost, path := 0, 0, 0
	for i := range a.Ends {
		switch end := &a.Ends[i]; {
		case end.How == observe.ResetReceived && end.Origin == result.Path:
			resets, path = resets+1, path+1
		case end.How == observe.ResetReceived:
			resets++
		}
		if a.Ends[i].Lost != observe.NothingLost {
			lost++
		}
	}
	text := fmt.Sprintf("%d connections of the application failed in the last hour, %d of them by a reset",
		len(a.Ends), resets)
	k.note(appEnds, true, "%s; fresh ones work", text)
	k.note(appLost, lost > 0, "%d of them had a request in progress", lost)
	k.note(appPath, path > 0 && path == resets, "the resets came from a middlebox, not from the server")
	similar := a.similar()
	n := moments(similar)
	if n < leastEnds || 3*len(similar) < 2*len(a.Ends) {
		return
	}
	low, high := idleAge(&similar[0]), idleAge(&similar[0])
	for i := range similar {
		low, high = min(low, idleAge(&similar[i])), max(high, idleAge(&similar[i]))
	}
	k.note(appSteady, true, "%s; %d had been idle for %s to %s, at %d different times; fresh ones work", text,
		len(similar), shown(low), shown(high), n)
	k.note(appSteadyMany, n >= manyEnds, "the idle age was similar at %d different times", n)
}

// similar are the ends of the idle age that most have.
func (a *Application) similar() []observe.End {
	var most []observe.End
	for i := range a.Ends {
		age := idleAge(&a.Ends[i])
		if age < leastIdle {
			continue
		}
		var like []observe.End
		for j := range a.Ends {
			other := idleAge(&a.Ends[j])
			if other >= leastIdle && (other-age).Abs() <= max(leastIdleRange, age/20) {
				like = append(like, a.Ends[j])
			}
		}
		if len(like) > len(most) {
			most = like
		}
	}
	return most
}

// moments are the different times at which connections ended: a restart ends all at once.
func moments(ends []observe.End) int {
	n := 0
	var before time.Time
	for i := range ends {
		if ends[i].At.Sub(before) > apart { // the first is long after the zero time
			n++
		}
		before = ends[i].At
	}
	return n
}

// leakFacts notes connections whose number only grows.
func (a *Application) leakFacts(k *known) {
	last := a.last()
	if from, grows := a.growth(leakWindow, func(s *ApplicationSample) int { return s.CloseWait }); grows {
		k.note(appCloseWait, last.CloseWait >= leastCloseWait && last.CloseWait >= from.CloseWait+leastCloseWait/2,
			"%d connections of the application are in CLOSE_WAIT, %s ago there were %d, and they never became fewer: the "+
				"peer closed them, the application does not", last.CloseWait, shown(last.At.Sub(from.At)), from.CloseWait)
		k.note(appCloseWaitOld, last.OldestCloseWait >= leakWindow, "the oldest has been in CLOSE_WAIT for %s",
			shown(last.OldestCloseWait))
	}
	if from, grows := a.growth(leakLongWindow, func(s *ApplicationSample) int { return s.Established }); grows {
		k.note(appEstablished, last.Established >= leastLeaked && last.Established >= 2*from.Established,
			"the application has %d connections, %s ago it had %d, and they never became fewer", last.Established,
			shown(last.At.Sub(from.At)), from.Established)
	}
}

// growth is the oldest sample; grows is whether a number has only grown for a time, in the first half as in the second:
// a pool that fills stays at its limit.
func (a *Application) growth(least time.Duration, number func(*ApplicationSample) int) (oldest ApplicationSample,
	grows bool) {
	if len(a.Samples) < leastSamples || a.last().At.Sub(a.Samples[0].At) < least {
		return ApplicationSample{}, false
	}
	if !slices.IsSortedFunc(a.Samples, func(x, y ApplicationSample) int { return number(&x) - number(&y) }) {
		return ApplicationSample{}, false
	}
	first, middle, last := &a.Samples[0], &a.Samples[len(a.Samples)/2], &a.Samples[len(a.Samples)-1]
	return *first, number(first) < number(middle) && number(middle) < number(last)
}
