package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"errno_exporter/internal/store"
)

// storageValue is one metric of a store.
type storageValue struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	of          func(*store.Stats) float64
}

// Storage collects the metrics of a store.
type Storage struct {
	read   func() store.Stats
	values []storageValue
}

// NewStorage registers the metrics errno_exporter_storage_*.
func NewStorage(registry prometheus.Registerer, read func() store.Stats) {
	s := &Storage{read: read}
	add := func(kind prometheus.ValueType, name, help string, of func(*store.Stats) float64) {
		s.values = append(s.values, storageValue{
			prometheus.NewDesc("errno_exporter_storage_"+name, help, nil, nil), kind, of})
	}
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	add(gauge, "up", "1 if the store of --storage.path can be written to, 0 if not; the log says why.",
		func(s *store.Stats) float64 { return number(s.Up) })
	add(gauge, "file_bytes", "Size of the store's file in bytes. It does not shrink; what is removed is room for more.",
		func(s *store.Stats) float64 { return float64(s.FileBytes) })
	add(gauge, "used_bytes", "Bytes of the store's file that are in use.",
		func(s *store.Stats) float64 { return float64(s.UsedBytes) })
	add(gauge, "records", "Number of stored records.", func(s *store.Stats) float64 { return float64(s.Records) })
	add(gauge, "incidents", "Number of stored incidents.", func(s *store.Stats) float64 { return float64(s.Incidents) })
	add(gauge, "oldest_timestamp_seconds", "Unix time of the oldest stored record or incident; 0 for none.",
		func(s *store.Stats) float64 {
			if s.Oldest.IsZero() {
				return 0
			}
			return float64(s.Oldest.UnixMilli()) / 1000
		})
	add(gauge, "last_write_duration_seconds", "Duration of the last write to the store, in seconds.",
		func(s *store.Stats) float64 { return s.LastWrite.Seconds() })
	add(counter, "writes_total", "Writes to the store, each of everything that was put within about a second.",
		func(s *store.Stats) float64 { return float64(s.Writes) })
	add(counter, "errors_total", "Writes to the store that failed. What they would have written waits in memory.",
		func(s *store.Stats) float64 { return float64(s.Errors) })
	add(counter, "dropped_total", "Records and incidents that were not stored, because too many waited to be written.",
		func(s *store.Stats) float64 { return float64(s.Dropped) })
	add(counter, "removed_total", "Records, incidents and targets' counters that were removed, because they were too old "+
		"or the file too large.", func(s *store.Stats) float64 { return float64(s.Pruned) })
	registry.MustRegister(s)
}

// Describe implements prometheus.Collector.
func (s *Storage) Describe(to chan<- *prometheus.Desc) {
	for _, v := range s.values {
		to <- v.description
	}
}

// Collect implements prometheus.Collector.
func (s *Storage) Collect(to chan<- prometheus.Metric) {
	stats := s.read()
	for _, v := range s.values {
		to <- prometheus.MustNewConstMetric(v.description, v.kind, v.of(&stats))
	}
}
