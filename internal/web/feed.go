package web

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"

	"errno_exporter/internal/incident"
	"errno_exporter/internal/record"
)

// The incidents as an Atom feed (RFC 4287): an entry for each, which is updated when the incident ends. The ID of an
// entry is the incident's as a UUID, which has as many bits: it stays the same wherever the exporter is reached.

// feedEntries bounds a feed.
const feedEntries = 50

// feedParameters are the parameters of the feed.
var feedParameters = []string{"target", "cause", "phase", "reason", "errno"}

type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  string      `xml:"author>name"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID        string        `xml:"id"`
	Title     string        `xml:"title"`
	Published string        `xml:"published"`
	Updated   string        `xml:"updated"`
	Links     []atomLink    `xml:"link"`
	Category  *atomCategory `xml:"category"`
	Summary   string        `xml:"summary"`
}

type atomCategory struct {
	Term string `xml:"term,attr"`
}

// feed answers /incidents.atom.
func (e *Endpoints) feed(w http.ResponseWriter, r *http.Request) {
	query, now := r.URL.Query(), time.Now()
	q, err := parseIncidentQuery(query, feedParameters, now)
	if err != nil {
		refuse(w, err.Error(), http.StatusBadRequest)
		return
	}
	q.Limit = feedEntries
	base := e.outside(r)
	self := base + "/incidents.atom"
	if r.URL.RawQuery != "" {
		self += "?" + query.Encode()
	}
	f := atomFeed{ID: self, Title: "Incidents of errno_exporter", Author: "errno_exporter",
		Updated: time.Unix(0, 0).UTC().Format(time.RFC3339), // of a feed without entries
		Links:   []atomLink{{"self", "application/atom+xml", self}, {"alternate", "text/html", base + "/incidents"}}}
	var newest time.Time
	for _, i := range e.Incidents.List(q) {
		entry, updated := feedEntry(i, base, now)
		f.Entries = append(f.Entries, entry)
		if updated.After(newest) {
			newest, f.Updated = updated, entry.Updated
		}
	}
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(f) // fails only if the client is gone
}

// outside is the address of the exporter's root, as the client reached it or by --web.external-url, without a slash at
// its end.
func (e *Endpoints) outside(r *http.Request) string {
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if e.ExternalURL != nil {
		scheme, host = e.ExternalURL.Scheme, e.ExternalURL.Host
	}
	path := e.path("/")
	for len(path) > 0 && path[len(path)-1] == '/' {
		path = path[:len(path)-1]
	}
	return scheme + "://" + host + path
}

// feedEntry is an incident's entry, and when it was updated: what changes while it lasts is on its page.
func feedEntry(i *incident.Incident, base string, now time.Time) (atomEntry, time.Time) {
	updated := i.Begin
	if !i.Open() {
		updated = i.End
	}
	summary := spell(i, now)
	if text := conclusion(toCause(i.Verdict)); text != "" {
		summary += ". " + text
	}
	a := atomEntry{ID: urn(i.ID), Title: record.Printable(headline(i)), Published: i.Begin.UTC().Format(time.RFC3339),
		Updated: updated.UTC().Format(time.RFC3339), Summary: record.Printable(summary),
		Links: []atomLink{{"alternate", "text/html", base + "/incidents/" + i.ID.String()}}}
	if c := i.Cause(); c != "" {
		a.Category = &atomCategory{string(c)}
	}
	return a, updated
}

// urn is an ID as a UUID.
func urn(id ulid.ULID) string {
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
