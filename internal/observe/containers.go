package observe

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Whose connections they are: the containers, or systemd's units, that the cgroups of sockets belong to.

const (
	maxContainers         = 100  // that have a name at a time; the connections of others count together
	maxPlaces             = 4096 // cgroups that are remembered
	others          place = maxContainers + 1
	otherContainers       = "other" // their name
)

// place is where a container's name is; 0 for none.
type place uint8

// containers are those that have had connections in the last hour.
type containers struct {
	names  [maxContainers + 2]string
	last   [maxContainers + 2]moment // when a connection of it was seen
	places map[uint64]place          // by the ID of a cgroup; 0 where it was not found, or is the root
}

func newContainers() containers {
	c := containers{places: map[uint64]place{}}
	c.names[others] = otherContainers
	return c
}

// add notes the path of a cgroup, empty if it was not found. Cgroups of one container have one place.
func (c *containers) add(id uint64, path string, now moment) place {
	if len(c.places) >= maxPlaces {
		clear(c.places) // those that are needed are found again
	}
	at := place(0)
	if path != "" {
		at = c.placeOf(containerName(path))
	}
	c.places[id], c.last[at] = at, now
	return at
}

func (c *containers) placeOf(name string) place {
	if name == "" {
		return 0
	}
	free := others
	for at := place(maxContainers); at > 0; at-- {
		switch c.names[at] {
		case name:
			return at
		case "":
			free = at
		}
	}
	if free != others {
		c.names[free] = name
	}
	return free
}

// expired are the places of containers that have had no connection for an hour.
func (c *containers) expired(now moment) (gone map[place]string) {
	const hour = moment(remembered / (10 * time.Millisecond))
	for at := place(1); at < others; at++ {
		if c.names[at] != "" && now-c.last[at] > hour {
			if gone == nil {
				gone = map[place]string{}
			}
			gone[at] = c.names[at]
			c.names[at] = ""
		}
	}
	for id, at := range c.places {
		if _, is := gone[at]; is {
			delete(c.places, id)
		}
	}
	return gone
}

// openCount is how many connections containers have, by name.
type openCount map[string]int

// contained makes the dump's count by container what is known. The caller holds the mutex of the targets.
func (t *tally) contained() {
	for name, count := range t.last.Containers {
		count.Open = 0
		t.last.Containers[name] = count
	}
	for name, n := range t.open {
		t.change(name, func(c *ContainerCount) { c.Open = n })
	}
}

// containerEnded counts an end. The caller holds the mutex of the targets.
func (t *tally) containerEnded(e *End) {
	if e.Container == "" {
		return
	}
	t.change(e.Container, func(c *ContainerCount) {
		c.Ended++
		if e.How == ResetReceived {
			c.Reset++
		}
		if e.Lost != NothingLost {
			c.Lost++
		}
	})
}

func (t *tally) change(name string, by func(*ContainerCount)) {
	if t.last.Containers == nil {
		t.last.Containers = map[string]ContainerCount{}
	}
	count := t.last.Containers[name]
	by(&count)
	t.last.Containers[name] = count
}

// SortedContainers are the names of containers, those that were reset most first.
func SortedContainers(counts map[string]ContainerCount) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		x, y := counts[a], counts[b]
		return cmp.Or(cmp.Compare(y.Reset, x.Reset), cmp.Compare(y.Open, x.Open), cmp.Compare(y.Ended, x.Ended),
			strings.Compare(a, b))
	})
}

// String is the count in words.
func (c ContainerCount) String() string {
	text := fmt.Sprintf("%d open, %d ended", c.Open, c.Ended)
	if c.Reset > 0 {
		text += fmt.Sprintf(", %d by a reset", c.Reset)
	}
	if c.Lost > 0 {
		text += fmt.Sprintf(", %d with a request in progress", c.Lost)
	}
	return text
}
