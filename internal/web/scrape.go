package web

import (
	"io"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"errno_exporter/config"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/watch"
)

// scraping answers /metrics: every configured target is probed, and what was counted and the exporter's own metrics are
// added.
func (e *Endpoints) scraping(answers *spools) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { e.scrape(w, r, answers) }
}

func (e *Endpoints) scrape(w http.ResponseWriter, r *http.Request, answers *spools) {
	timeout, err := budget(r.Header.Get(scrapeTimeoutHeader), 0, e.Probe.TimeoutOffset)
	if err != nil {
		refuse(w, err.Error(), http.StatusBadRequest)
		return
	}
	answerBy(w, timeout+answerTimeout)
	probed := e.Probe.Watch.Await(r.Context(), timeout)
	if r.Context().Err() != nil {
		return // the client has disconnected
	}
	select {
	case answers.making <- struct{}{}:
		defer func() { <-answers.making }()
	case <-r.Context().Done():
		return // as above
	}
	answerBy(w, answerTimeout)
	own, err := e.Registry.Gather()
	if err != nil {
		refuse(w, err.Error(), http.StatusInternalServerError)
		return
	}
	format := negotiate(w, r)
	samples := answers.samples.Get().(*metrics.Exposition)
	defer answers.samples.Put(samples)
	samples.Reset(format)
	// fails only if the client is gone
	_ = writeScrape(w, format, scraped{own, probed.States(), samples, e.Probe.Histograms})
}

// compressFrom is the size in bytes from which an answer is compressed: of less, compressing costs more than sending.
const compressFrom = 64 << 10

// compressed makes large answers gzip for those who accept it: a thousand targets are 5 MB of text, and a twentieth of
// it compressed.
func compressed(answer http.HandlerFunc) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressFrom), gzhttp.CompressionLevel(gzip.BestSpeed),
		gzhttp.EnableZstd(false),
		gzhttp.ContentTypeFilter(gzhttp.CompressAllContentTypeFilter))
	if err != nil {
		panic("web: " + err.Error()) // the options above are not good
	}
	return wrap(answer)
}

// scraped is what an answer to a scrape is made from.
type scraped struct {
	own     []*dto.MetricFamily
	states  []watch.State
	samples *metrics.Exposition // without any

	histograms config.Histograms // of targets that have no choice of their own
}

func writeScrape(w io.Writer, format expfmt.Format, s scraped) error {
	encoder := expfmt.NewEncoder(w, format)
	for _, family := range s.own {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	e := s.samples
	e.Show(metrics.Scraped)
	for i := range s.states {
		e.For(s.states[i].Target.Name)
		expose(e, &s.states[i], s.histograms)
	}
	return e.Write(w)
}
