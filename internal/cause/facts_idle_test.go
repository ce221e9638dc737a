package cause

import (
	"fmt"
	"time"

	"errno_exporter/prober/result"
)

// idleEnds has the ends of idle connections.
func idleEnds() (all []situation) {
	for _, reason := range []result.Reason{result.TCPClosed, result.H2GoAway, result.QUICClosed, result.TCPReset,
		result.TCPAborted, result.HTTPResponseTimedOut} {
		for _, used := range []bool{false, true} {
			for _, received := range []int64{0, 5} {
				for _, r := range []*result.Reset{nil, {Sender: result.Middlebox}, {Sender: result.Middlebox, Live: true},
					{Sender: result.EndHost}, {Sender: result.EndHost, Live: true}, {Sender: result.Ambiguous}, injected} {
					k := idleFor(time.Minute, used, reason)
					k.Received, k.Reset = received, r
					sender := fmt.Sprint(r)
					if r.Doubtful() {
						sender += ", another ahead"
					}
					all = append(all, situation{name: fmt.Sprintf("idle: %s, used %t, received %d, reset %s", reason, used,
						received, sender), evidence: after(healthy).idle(k)})
				}
			}
		}
	}
	second := time.Second
	for _, row := range []struct {
		name            string
		idle, announced time.Duration
	}{{"as announced", 60 * second, 60 * second}, {"a second later", 61 * second, 60 * second},
		{"two seconds later", 62 * second, 60 * second}, {"at once, not announced", second, 0}} {
		k := idleFor(row.idle, false, result.TCPClosed)
		k.Announced = row.announced
		all = append(all, situation{name: "idle: " + row.name, evidence: after(healthy).idle(k)})
	}
	return append(all, idleHistories()...)
}

// idleHistories has several fates of idle connections.
func idleHistories() (all []situation) {
	at := func(k IdleConn, minutes time.Duration) IdleConn { k.At = began.Add(minutes * time.Minute); return k }
	age := func(k IdleConn, age time.Duration) IdleConn { k.Age = age; return k }
	closed := idleFor(time.Minute, false, result.TCPClosed)
	served := IdleConn{Age: time.Minute, Idle: time.Minute, Used: true}
	for _, row := range []struct {
		name  string
		fates []IdleConn
	}{
		{"ended, then served", []IdleConn{closed, served}},
		{"served, then ended", []IdleConn{served, closed}},
		{"served, then ended in use", []IdleConn{served, idleFor(time.Minute, true, result.TCPClosed)}},
		{"served between ends", []IdleConn{closed, served, closed}},
		{"used at one end", []IdleConn{idleFor(time.Minute, true, result.TCPClosed), closed}},
		{"another reason", []IdleConn{idleFor(time.Minute, false, result.TCPReset), closed}},
		{"another age", []IdleConn{idleFor(2*time.Minute, false, result.TCPClosed), closed}},
		{"nearly the same age", []IdleConn{idleFor(71*time.Second, false, result.TCPClosed), closed}},
		{"at the same time", []IdleConn{at(closed, 3), at(closed, 3)}},
		{"twice", []IdleConn{at(closed, 3), at(closed, 4)}},
		{"three times", []IdleConn{at(closed, 3), at(closed, 4), at(closed, 5)}},
		{"at the beginning of time", []IdleConn{{Age: time.Minute, Idle: time.Minute, Failure: closed.Failure,
			At: time.Unix(0, 1)}}},
		{"the older of two ages is listed last",
			[]IdleConn{at(age(closed, 2*time.Minute), 9), at(idleFor(time.Second, true, result.TCPAborted), 3)}},
		{"the newer of two ages is listed last",
			[]IdleConn{at(age(closed, 2*time.Minute), 3), at(idleFor(time.Second, true, result.TCPAborted), 9)}},
	} {
		all = append(all, situation{name: "idle: " + row.name, evidence: after(healthy).idle(row.fates...)})
		rare := after(n(10, worked(1)), n(1, resetBare), n(1, worked(1))).idle(row.fates...)
		all = append(all, situation{name: "idle, and a rare failure: " + row.name, evidence: rare})
		all = append(all, situation{name: "idle, and a failure: " + row.name,
			evidence: after(healthy, n(2, resetBare)).idle(row.fates...)})
	}
	return all
}
