package prober_test

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"errno_exporter/internal/faultlab"
	"errno_exporter/prober"
)

// site is servers of several origins that redirect as a row says, and what each was sent.
type site struct {
	seen   heard
	places map[string]string // URL of an origin without its path, by name
	dns    string
}

// newSite serves the origins. Two of them are one server under two names.
func newSite(t *testing.T, status, last int) *site {
	s := &site{}
	four := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	s.dns = faultlab.DNS(t, map[string][]netip.Addr{"api.lab.test": four, "v2.api.lab.test": four,
		"other.lab.test": four})
	handler := recorderOf(&s.seen, func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, status, last) })
	port := func(server string) string { return strings.TrimSuffix(server[strings.LastIndex(server, ":"):], "/") }
	http1, http2 := port(faultlab.Handler(t, handler)), port(faultlab.Handler(t, handler))
	secure := port(faultlab.TLSHandler(t, handler, "http/1.1"))
	s.places = map[string]string{
		"home": "http://api.lab.test" + http1, "port": "http://api.lab.test" + http2, "host": "http://other.lab.test" +
			http1,
		"sub": "http://v2.api.lab.test" + http1, "https": "https://api.lab.test" + secure,
	}
	return s
}

// answer reads the rest of the way from the path, /home/port, and redirects to its next place; the last one answers
// with a status. Each sets a cookie.
func (s *site) answer(w http.ResponseWriter, r *http.Request, status, last int) {
	http.SetCookie(w, &http.Cookie{Name: s.named(r.Host), Value: "1", Path: "/"})
	next, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if next == "" {
		w.WriteHeader(last)
		return
	}
	w.Header().Set("Location", strings.Replace(s.places[next], "://", "://stranger:chosen@",
		1)+"/"+rest+"?api_key=query#fragment")
	w.WriteHeader(status)
}

// named is the name of the origin with a host and port.
func (s *site) named(host string) string {
	for name, origin := range s.places {
		if strings.HasSuffix(origin, "://"+host) {
			return name
		}
	}
	return "nowhere"
}

// placed puts the places of a way before what they see.
func placed(way string, want []string) []string {
	var lines []string
	for i, place := range strings.Split(way, "/") {
		lines = append(lines, place+" "+want[i])
	}
	return lines
}

// lines are the requests that were seen, with everything that came with them but what every request has.
func (s *site) lines() []string {
	var lines []string
	for _, seen := range s.seen.all() {
		line := s.named(seen.Host) + " " + seen.Method + " " + seen.Body
		header := seen.Header.Clone()
		whole := slices.Contains(strings.Split(header.Get("Cookie"), "; "), own["Cookie"][0])
		for name, values := range own {
			whole = whole && (name == "Cookie" || slices.Equal(values, header[name]))
		}
		if whole {
			line += " OWN"
			for name := range own {
				if name != "Cookie" {
					header.Del(name)
				}
			}
			header["Cookie"] = []string{strings.TrimPrefix(strings.TrimPrefix(header.Get("Cookie"), own["Cookie"][0]),
				"; ")}
			if header.Get("Cookie") == "" {
				header.Del("Cookie")
			}
		}
		lines = append(lines, strings.Join(strings.Fields(line+" "+s.rest(header)), " "))
	}
	return lines
}

// rest is a text of headers, with the names of the origins.
func (s *site) rest(header http.Header) string {
	var texts []string
	for name, values := range header {
		if !slices.Contains([]string{"Accept", "Connection", "Content-Length", "User-Agent", prober.ProbeHeader},
			name) {
			texts = append(texts, name+"="+strings.Join(values, ","))
		}
	}
	slices.Sort(texts)
	text := strings.Join(texts, " ")
	for name, origin := range s.places {
		text = strings.ReplaceAll(text, origin, "<"+name+">")
	}
	return text
}
