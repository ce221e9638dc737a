package main

import (
	"fmt"
	"math"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/alecthomas/units"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"errno_exporter/guard"
	"errno_exporter/internal/metrics"
	"errno_exporter/internal/store"
)

// The limits of the flags of storage. A file is mapped into memory, which ends at 2 GiB on 32-bit machines.
const (
	minRetention = time.Hour
	minStorage   = 32 << 20
	maxStorage   = min(1<<40, math.MaxInt/2)
)

// storage is what the flags of storage say.
type storage struct {
	path      string // empty: nothing outlives the process
	retention time.Duration
	maxSize   int64
}

// rawStorage are the values of its flags.
type rawStorage struct{ retention, maxSize string }

func storageFlags(app *kingpin.Application, to *storage, raw *rawStorage) {
	app.Flag("storage.path", "File, or its directory, that keeps incidents, their records, and the targets' counters "+
		"across restarts. Defaults to none: they are in memory alone.").StringVar(&to.path)
	app.Flag("storage.retention", "How long incidents and records are stored, at least 1h.").
		Default("30d").StringVar(&raw.retention)
	app.Flag("storage.max-size", "Size of the file, at least 32MiB. The oldest records go first; the first one of each "+
		"incident and the incident itself stay longest.").Default("512MiB").StringVar(&raw.maxSize)
}

// resolve validates the flags.
func (s *storage) resolve(raw *rawStorage) error {
	retention, err := model.ParseDuration(raw.retention)
	if err != nil || time.Duration(retention) < minRetention {
		return fmt.Errorf(`--storage.retention %q is not a retention, want at least 1h, such as "30d"`, raw.retention)
	}
	size, err := units.ParseBase2Bytes(raw.maxSize)
	if err != nil || size < minStorage || size > maxStorage {
		return fmt.Errorf(`--storage.max-size %q is not a size, want at least 32MiB, such as "512MiB"`, raw.maxSize)
	}
	s.retention, s.maxSize = time.Duration(retention), int64(size)
	return nil
}

// openStorage opens the store; nil where there is none, or where the file cannot be used, which is logged.
func (o *options) openStorage(registry prometheus.Registerer, panicked guard.Report) *store.Store {
	if o.storage.path == "" {
		return nil
	}
	opened, err := store.Open(store.Options{Path: o.storage.path, Retention: o.storage.retention,
		MaxSize: o.storage.maxSize, Logger: o.logger, Panicked: panicked})
	if err != nil {
		o.logger.Error("Nothing is stored, incidents and records are in memory alone", "err", err)
	} else {
		o.logger.Info("Storing incidents, records and counters", "path", opened.Path(), "retention", o.storage.retention)
	}
	metrics.NewStorage(registry, opened.Stats)
	return opened
}
