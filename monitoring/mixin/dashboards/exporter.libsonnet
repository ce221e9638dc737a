local p = import 'panels.libsonnet';

p.dashboard(
  'errno-exporter',
  'Exporter',
  'The exporter itself: whether it is up, overloaded, and runs with the configuration on disk.',
  [
    p.variable('job', 'Job', 'label_values(errno_exporter_build_info, job)'),
    p.variable('instance', 'Instance', 'label_values(errno_exporter_build_info{job=~"$job"}, instance)'),
  ],
  [
    p.stat(1, 'Up', 'Whether the last scrape of the exporter succeeded; no data if none is scraped.')
    + p.now('{{instance}}', 'up{@all} and on (job, instance) (errno_exporter_build_info{@all} or instance:errno_exporter:known{@all, style="exporter"}) or on () vector(-1)')
    + p.at(0, 0, 4, 4)
    + p.background
    + p.thresholds([['red', null], ['green', 1]])
    + p.texts([['0', 'down', 'red'], ['1', 'up', 'green'], ['-1', 'no data', 'red']]),
    p.stat(2, 'Configuration', 'Whether the last reload succeeded; if not, the previous configuration stays in force.')
    + p.now('{{instance}}', 'errno_exporter_config_last_reload_successful{@all}')
    + p.at(4, 0, 4, 4)
    + p.background
    + p.thresholds([['red', null], ['green', 1]])
    + p.texts([['0', 'reload failed', 'red'], ['1', 'as on disk', 'green']]),
    p.stat(3, 'Configured targets', 'Targets that every scrape of /metrics probes.')
    + p.now('{{instance}}', 'errno_exporter_targets{@all}')
    + p.at(8, 0, 4, 4),
    p.stat(4, 'Remembered targets', 'Targets of /probe whose counters the exporter remembers.')
    + p.now('{{instance}}', 'errno_exporter_remembered_targets{@all}')
    + p.at(12, 0, 4, 4),
    p.stat(5, 'Not started per minute', 'Probes that got no slot in time. They are not failures of their targets.')
    + p.now('{{instance}}', '60 * rate(errno_exporter_probes_not_started_total{@all}[$__rate_interval])')
    + p.at(16, 0, 4, 4)
    + p.thresholds([['green', null], ['red', 0.001]])
    + p.field({ decimals: 2 }),
    p.stat(6, 'Version', 'The running version.', 'none')
    + p.now('{{version}} {{goversion}}', 'errno_exporter_build_info{@all}')
    + p.at(20, 0, 4, 4)
    + p.option({ textMode: 'name' }),
    p.timeseries(7, 'Probes per second', 'Started, unreliable because the exporter was overloaded, and not started.')
    + p.over([
      ['started {{instance}}', 'rate(errno_exporter_probes_total{@all}[$__rate_interval])'],
      ['unreliable {{instance}}', 'rate(errno_exporter_probes_unreliable_total{@all}[$__rate_interval])'],
      ['not started {{instance}}', 'rate(errno_exporter_probes_not_started_total{@all}[$__rate_interval])'],
    ])
    + p.at(0, 4, 12, 8),
    p.timeseries(8, 'Scheduling latency', 'Scheduling latency of goroutines while probes run, sampled every 5 ms. Above 10 ms, probes are marked with probe_reliable 0.', 's')
    + p.over([
      ['p50 {{instance}}', 'histogram_quantile(0.5, sum by (instance, le) (rate(errno_exporter_scheduler_delay_seconds_bucket{@all}[$__rate_interval])))'],
      ['p99 {{instance}}', 'histogram_quantile(0.99, sum by (instance, le) (rate(errno_exporter_scheduler_delay_seconds_bucket{@all}[$__rate_interval])))'],
    ])
    + p.at(12, 4, 12, 8)
    + p.lines,
    p.timeseries(9, 'Slots', 'Probes in flight, and their limit.')
    + p.over([
      ['running {{instance}}', 'errno_exporter_probes_running{@all}'],
      ['slots {{instance}}', 'errno_exporter_probe_slots{@all}'],
    ])
    + p.at(0, 12, 12, 8),
    p.timeseries(10, 'Waits for slots and handshakes', 'Time that probes wait for a slot, and TLS handshakes for the concurrency limit, in seconds per second.', 's')
    + p.over([
      ['{{instance}}, slots', 'rate(errno_exporter_probe_slot_wait_seconds_total{@all}[$__rate_interval])'],
      ['{{instance}}, handshakes', 'rate(errno_exporter_handshake_wait_seconds_total{@all}[$__rate_interval])'],
    ])
    + p.at(12, 12, 12, 8),
    p.timeseries(11, 'Processor', 'CPU seconds per second.')
    + p.over([
      ['{{instance}}', 'rate(process_cpu_seconds_total{@all}[$__rate_interval])'],
    ])
    + p.at(0, 20, 8, 7),
    p.timeseries(12, 'Memory', 'Resident memory, and the heap.', 'bytes')
    + p.over([
      ['resident {{instance}}', 'process_resident_memory_bytes{@all}'],
      ['heap {{instance}}', 'go_memstats_heap_alloc_bytes{@all}'],
    ])
    + p.at(8, 20, 8, 7)
    + p.lines,
    p.timeseries(13, 'File descriptors and goroutines', 'Open file descriptors, and goroutines.')
    + p.over([
      ['file descriptors {{instance}}', 'process_open_fds{@all}'],
      ['goroutines {{instance}}', 'go_goroutines{@all}'],
    ])
    + p.at(16, 20, 8, 7)
    + p.lines,
    p.timeseries(14, 'Scrape duration', 'Duration of scrapes as Prometheus measures it. Close to scrape_timeout, a target stalls or there are too many targets.', 's')
    + p.over([
      ['{{instance}}', 'scrape_duration_seconds{@all} and on (job, instance) errno_exporter_build_info{@all}'],
    ])
    + p.at(0, 27, 12, 7),
    p.timeseries(15, 'Samples per scrape', 'Number of samples per scrape.')
    + p.over([
      ['{{instance}}', 'scrape_samples_scraped{@all} and on (job, instance) errno_exporter_build_info{@all}'],
    ])
    + p.at(12, 27, 12, 7),
  ],
)
