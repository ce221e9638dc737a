package metrics

// Detail is which samples of a probe there are. Prometheus pays for a series at every scrape; a record costs nothing
// where nobody reads it.
type Detail int

// The details, from the most to the least.
const (
	Whole   Detail = iota // all that was measured: records, terminals, answers with debug=true
	Single                // an answer to /probe: as Scraped, with all that blackbox_exporter has
	Scraped               // an answer to /metrics: what is worth a series
)

// Show chooses the detail of the probes that are added from here on, until Reset. It is Whole at first.
func (e *Exposition) Show(d Detail) { e.detail = d }

// recorded adds a gauge's sample that is worth no series.
func (e *Exposition) recorded(name, help string, value float64) {
	if e.detail == Whole {
		e.gauge(name, help, value)
	}
}

// loss adds a gauge's sample of something that is rarely more than 0, and then worth a series.
func (e *Exposition) loss(name, help string, value float64) {
	if e.detail == Whole || value > 0 {
		e.gauge(name, help, value)
	}
}
