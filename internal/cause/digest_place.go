package cause

import (
	"slices"
	"strings"

	"errno_exporter/prober/result"
)

// longestPlace bounds what of a redirect's target is kept: a host name has at most 253 bytes.
const longestPlace = 300

// places are the scheme, host and port of each hop, separated by spaces, where redirects led away from the first one's;
// empty where they did not.
func places(hops []result.Hop) string {
	list := make([]string, len(hops))
	for i := range hops {
		list[i] = place(hops[i].URL)
	}
	if len(list) == 0 || !slices.ContainsFunc(list, func(p string) bool { return p != list[0] }) {
		return ""
	}
	return strings.Join(list, " ")
}

// place is a URL without user, path and query.
func place(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	rest = rest[strings.LastIndexByte(rest, '@')+1:]
	p := scheme + "://" + rest
	return p[:min(len(p), longestPlace)]
}

// elsewhere is where redirects had led when the probe ended; empty if that is where it began.
func (o *Digest) elsewhere() string {
	all := strings.Fields(o.Places)
	if len(all) == 0 || all[len(all)-1] == all[0] {
		return ""
	}
	return all[len(all)-1]
}

// passed reports whether a probe that succeeded was served by what is at the place.
func (o *Digest) passed(place string) bool {
	return place == "" || slices.Contains(strings.Fields(o.Places), place)
}
