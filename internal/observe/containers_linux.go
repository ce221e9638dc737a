package observe

import "time"

// searchShare is how many times its own duration a search for cgroups pauses afterwards: 1 % of a CPU.
const searchShare = 100

// maxUnnamed bounds the connections whose container is found after the dump that lists them; others have to wait for
// the next one.
const maxUnnamed = 10_000

// unnamed is a connection whose cgroup was not searched for yet.
type unnamed struct {
	cookie, cgroup uint64
	of             []*tally
}

// contain notes to which container a connection belongs. The caller holds the mutex of the targets.
func (o *Observer) contain(r *record, s *sighting, of []*tally) {
	if s.cgroup == 0 || o.cgroups == "" {
		return
	}
	at, known := o.containers.places[s.cgroup]
	switch {
	case r.container != 0:
		o.place(r, r.container, of)
	case known:
		o.place(r, at, of)
	case len(o.unnamed) < maxUnnamed:
		o.unnamed = append(o.unnamed, unnamed{s.cookie, s.cgroup, of})
	}
}

// place counts a connection for its container. The caller holds the mutex of the targets.
func (o *Observer) place(r *record, at place, of []*tally) {
	r.container = at
	if at == 0 {
		return
	}
	o.containers.last[at] = o.now()
	for _, one := range of {
		if one.open != nil { // otherwise it was learned since the dump began
			one.open[o.containers.names[at]]++
		}
	}
}

// nameContainers searches for the cgroups that the dump has met for the first time. A cgroup that is not found stays
// without a name: it is outside of what is mounted here, or has been removed.
func (o *Observer) nameContainers() {
	o.forgetContainers()
	began := time.Now()
	if len(o.unnamed) == 0 || began.Before(o.searched) {
		o.unnamed = nil
		return
	}
	wanted := map[uint64]bool{}
	for i := range o.unnamed {
		wanted[o.unnamed[i].cgroup] = true
	}
	paths := cgroupPaths(o.cgroups, wanted)
	for id := range wanted {
		o.containers.add(id, paths[id], o.now())
	}
	took := time.Since(began)
	o.searched = time.Now().Add(searchShare * took)
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	for i := range o.unnamed {
		u := &o.unnamed[i]
		if r := o.sockets.find(u.cookie); r != nil { // it has not ended meanwhile
			o.place(r, o.containers.places[u.cgroup], u.of)
		}
	}
	for i := range o.listed {
		if s := &o.listed[i]; s.Container == "" {
			s.Container = o.containers.names[o.containers.places[s.cgroup]]
		}
	}
	o.unnamed = nil
}

// forgetContainers makes room for others.
func (o *Observer) forgetContainers() {
	gone := o.containers.expired(o.now())
	if len(gone) == 0 {
		return
	}
	o.sockets.each(func(r *record) {
		if _, is := gone[r.container]; is {
			r.container = 0
		}
	})
	o.targets.mu.Lock()
	defer o.targets.mu.Unlock()
	for _, t := range o.targets.tallies {
		for _, name := range gone {
			delete(t.last.Containers, name)
		}
	}
}
