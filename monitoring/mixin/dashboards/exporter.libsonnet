// The exporter itself, its host, and what its rules cost Prometheus.
function(config) {
  local p = (import 'panels.libsonnet')(config),
  local f = (import 'frame.libsonnet')(config),
  local perSecond(metric) = 'rate(%s{@all}[$__rate_interval])' % metric,

  local top = [
    p.stat(1, 'Up', 'Whether the last scrape of the exporter succeeded; no data if none is scraped.')
    + p.now('{{instance}}', 'up{@all} and on (job, instance) (errno_exporter_build_info{@all} or instance:errno_exporter:known{@all, style="exporter"}) or on () vector(-1)')
    + p.size(4, 4)
    + p.background + p.named_values
    + p.thresholds([['red', null], ['green', 1]])
    + p.texts([['0', 'down', 'red'], ['1', 'up', 'green'], ['-1', 'no data', 'red']]),
    p.stat(2, 'Configuration', 'Whether the last reload succeeded; if not, the previous configuration stays in force.')
    + p.now('{{instance}}', 'errno_exporter_config_last_reload_successful{@all}')
    + p.size(4, 4)
    + p.background + p.named_values
    + p.thresholds([['red', null], ['green', 1]])
    + p.texts([['0', 'reload failed', 'red'], ['1', 'as on disk', 'green']]),
    p.stat(3, 'Configured targets', 'Targets that every scrape of /metrics probes.')
    + p.now('{{instance}}', 'errno_exporter_targets{@all}')
    + p.size(4, 4),
    p.stat(4, 'Remembered targets', 'Targets of /probe whose counters the exporter remembers.')
    + p.now('{{instance}}', 'errno_exporter_remembered_targets{@all}')
    + p.size(4, 4),
    p.stat(5, 'Not started per minute', 'Probes that got no slot in time. They are not failures of their targets.')
    + p.now('{{instance}}', '60 * rate(errno_exporter_probes_not_started_total{@all}[$__rate_interval])')
    + p.size(4, 4)
    + p.thresholds([['green', null], ['red', 0.001]])
    + p.texts([['0', 'none', 'green']])
    + p.field({ decimals: 2 }),
    p.stat(6, 'Version', 'The running version.', 'none')
    + p.now('{{version}} {{goversion}}', 'errno_exporter_build_info{@all}')
    + p.size(4, 4)
    + p.option({ textMode: 'name' }),
    p.timeseries(7, 'Probes per second', 'Started; while the exporter was overloaded; of these unreliable, because their durations may be its own; and not started.')
    + p.over([
      ['started {{instance}}', 'rate(errno_exporter_probes_total{@all}[$__rate_interval])'],
      ['overloaded {{instance}}', 'rate(errno_exporter_probes_overloaded_total{@all}[$__rate_interval])'],
      ['unreliable {{instance}}', 'rate(errno_exporter_probes_unreliable_total{@all}[$__rate_interval])'],
      ['not started {{instance}}', 'rate(errno_exporter_probes_not_started_total{@all}[$__rate_interval])'],
    ])
    + p.size(12, 8),
    p.timeseries(8, 'Scheduling latency', 'Scheduling latency of goroutines while probes run, sampled every 5 ms. Above 10 ms the exporter counts as overloaded: probes whose durations may be its own are marked with probe_reliable 0.', 's')
    + p.over([
      ['p50 {{instance}}', 'histogram_quantile(0.5, sum by (instance, le) (rate(errno_exporter_scheduler_delay_seconds_bucket{@all}[$__rate_interval])))'],
      ['p99 {{instance}}', 'histogram_quantile(0.99, sum by (instance, le) (rate(errno_exporter_scheduler_delay_seconds_bucket{@all}[$__rate_interval])))'],
    ])
    + p.size(12, 8),
    p.timeseries(9, 'Slots', 'Probes in flight, and their limit.')
    + p.over([
      ['running {{instance}}', 'errno_exporter_probes_running{@all}'],
      ['slots {{instance}}', 'errno_exporter_probe_slots{@all}'],
    ])
    + p.size(12, 8),
    p.timeseries(10, 'Waits for slots and handshakes', 'Time that probes wait for a slot, and TLS handshakes for the concurrency limit, in seconds per second.', 's')
    + p.over([
      ['{{instance}}, slots', 'rate(errno_exporter_probe_slot_wait_seconds_total{@all}[$__rate_interval])'],
      ['{{instance}}, handshakes', 'rate(errno_exporter_handshake_wait_seconds_total{@all}[$__rate_interval])'],
    ])
    + p.size(12, 8),
    p.timeseries(11, 'CPU', 'CPU seconds per second.')
    + p.over([
      ['{{instance}}', 'rate(process_cpu_seconds_total{@all}[$__rate_interval])'],
    ])
    + p.size(8, 7),
    p.timeseries(12, 'Memory', 'Resident memory, and the heap.', 'bytes')
    + p.over([
      ['resident {{instance}}', 'process_resident_memory_bytes{@all}'],
      ['heap {{instance}}', 'go_memstats_heap_alloc_bytes{@all}'],
    ])
    + p.size(8, 7),
    p.timeseries(13, 'File descriptors and goroutines', 'Open file descriptors, and goroutines.')
    + p.over([
      ['file descriptors {{instance}}', 'process_open_fds{@all}'],
      ['goroutines {{instance}}', 'go_goroutines{@all}'],
    ])
    + p.size(8, 7),
    p.timeseries(14, 'Scrape duration', 'Duration of scrapes as Prometheus measures it. Close to scrape_timeout, a target stalls or there are too many targets.', 's')
    + p.over([
      ['{{instance}}', 'scrape_duration_seconds{@all} and on (job, instance) errno_exporter_build_info{@all}'],
    ])
    + p.size(12, 7),
    p.timeseries(15, 'Samples per scrape', 'Number of samples per scrape.')
    + p.over([
      ['{{instance}}', 'scrape_samples_scraped{@all} and on (job, instance) errno_exporter_build_info{@all}'],
    ])
    + p.size(12, 7),
  ],

  local share(title, used, limit) = [title + ' {{instance}}', 'errno_exporter_host_%s{@all} / (errno_exporter_host_%s{@all} > 0)' % [used, limit]],
  local host = [
    p.timeseries(30, 'Resources in use', 'Share of the limit. At 1 connections fail here, and not at the target.', 'percentunit')
    + p.over([
      share('file descriptors', 'descriptors', 'descriptors_limit'),
      share('ephemeral ports of one destination', 'ephemeral_ports_used_most', 'ephemeral_ports'),
      share('conntrack entries', 'conntrack_entries', 'conntrack_limit'),
    ])
    + p.size(12, 8) + p.field({ max: 1 }),

    p.timeseries(31, 'Pressure and throttling', 'Share of the time in which processes of this container waited for CPU or memory (PSI), or were throttled.', 'percentunit')
    + p.over([
      ['CPU pressure {{instance}}', 'errno_exporter_host_cpu_pressure_ratio{@all}'],
      ['memory pressure {{instance}}', 'errno_exporter_host_memory_pressure_ratio{@all}'],
      ['throttled {{instance}}', perSecond('errno_exporter_host_cpu_throttled_seconds_total')],
      ['waited for a CPU {{instance}}', perSecond('errno_exporter_host_scheduler_delay_seconds_total')],
    ])
    + p.size(12, 8),

    p.timeseries(32, 'Dropped by the kernel', 'Per second; any of them can look like a failure of a target. softnet is of the whole machine.', 'cps')
    + p.over([
      [name + ' {{instance}}', perSecond('errno_exporter_host_' + metric) + ' > 0']
      for name_metric in [
        ['conntrack full', 'conntrack_drops_total'],
        ['conntrack insert failed', 'conntrack_insert_failures_total'],
        ['conntrack invalid', 'conntrack_invalid_total'],
        ['no route', 'no_route_total'],
        ['reverse path filter', 'reverse_path_filtered_total'],
        ['softnet', 'softnet_dropped_total'],
        ['accept queue full', 'tcp_accept_queue_overflows_total'],
        ['TCP memory', 'tcp_memory_aborts_total'],
        ['UDP buffer full', 'udp_receive_buffer_errors_total'],
      ]
      for name in [name_metric[0]]
      for metric in [name_metric[1]]
    ])
    + p.size(12, 8) + p.field({ noValue: 'nothing is dropped' }),

    p.timeseries(33, 'TCP of the host', 'Per second, of the network namespace: resets, retransmitted segments and SYN segments.', 'cps')
    + p.over([
      ['resets received {{instance}}', perSecond('errno_exporter_host_tcp_resets_received_total')],
      ['resets sent {{instance}}', perSecond('errno_exporter_host_tcp_resets_sent_total')],
      ['retransmitted {{instance}}', perSecond('errno_exporter_host_tcp_retransmitted_segments_total')],
      ['SYN retransmitted {{instance}}', perSecond('errno_exporter_host_tcp_syn_retransmissions_total')],
    ])
    + p.size(12, 8),

    p.timeseries(34, 'Sockets', 'Sockets in TIME_WAIT, and idle connections in the pool.')
    + p.over([
      ['TIME_WAIT {{instance}}', 'errno_exporter_host_time_wait_sockets{@all}'],
      ['idle connections {{instance}}', 'errno_exporter_kept_connections{@all}'],
    ])
    + p.size(12, 8),

    p.timeseries(35, 'Memory limit and OOM kills', 'How often the container reached its memory limit, and how many of its processes the kernel killed, per bar.')
    + p.over([
      ['limit reached {{instance}}', 'increase(errno_exporter_host_memory_limit_events_total{@all}[$__interval]) > 0'],
      ['killed {{instance}}', 'increase(errno_exporter_host_oom_kills_total{@all}[$__interval]) > 0'],
    ])
    + p.size(12, 8) + p.bars + p.field({ noValue: 'never' }),
  ],

  local lost = [
    p.timeseries(36, 'Lost and refused', 'Per bar: probes that got no slot or were forbidden, panics, log lines that were dropped, connections of clients that were closed to admit others.')
    + p.over([
      ['not started {{instance}}', 'increase(errno_exporter_probes_not_started_total{@all}[$__interval]) > 0'],
      ['forbidden {{instance}}', 'increase(errno_exporter_probes_denied_total{@all}[$__interval]) > 0'],
      ['panics of probes {{instance}}', 'increase(errno_exporter_probe_panics_total{@all}[$__interval]) > 0'],
      ['other panics {{instance}}', 'increase(errno_exporter_panics_total{@all}[$__interval]) > 0'],
      ['log lines {{instance}}', 'increase(errno_exporter_log_lines_dropped_total{@all}[$__interval]) > 0'],
      ['connections closed {{instance}}', 'increase(errno_exporter_inbound_connections_closed_total{@all}[$__interval]) > 0'],
    ])
    + p.size(24, 8) + p.bars + p.field({ noValue: 'nothing is lost' }),
  ],

  // Prometheus' metrics of itself. The name of a group is FILE;GROUP.
  local groups = '{rule_group=~".*;errno_.+"%s}' % (if config.dashboardSelector == '' then '' else ', ' + config.dashboardSelector),
  local group(expr) = 'label_replace(%s, "group", "$1", "rule_group", ".*;(.+)")' % expr,
  local rules = [
    p.timeseries(37, 'Duration of evaluations', 'Of each group of rules of this exporter; Prometheus has to scrape itself. Close to the interval (below), evaluations are missed.', 's')
    + p.over([['{{group}} {{instance}}', group('prometheus_rule_group_last_duration_seconds' + groups)]])
    + p.size(12, 8) + p.field({ noValue: 'Prometheus does not scrape itself' }),

    p.timeseries(38, 'Share of the interval', 'Duration of the last evaluation by the interval of the group; at 1 evaluations are missed.', 'percentunit')
    + p.over([['{{group}} {{instance}}', group('(prometheus_rule_group_last_duration_seconds%s / prometheus_rule_group_interval_seconds%s)' % [groups, groups])]])
    + p.size(12, 8) + p.field({ noValue: 'Prometheus does not scrape itself' }),

    p.timeseries(39, 'Missed and failed evaluations', 'Per bar. After a failed evaluation alerts and dashboards miss a series.')
    + p.over([
      ['missed {{group}} {{instance}}', group('increase(prometheus_rule_group_iterations_missed_total%s[$__interval]) > 0' % groups)],
      ['failed {{group}} {{instance}}', group('increase(prometheus_rule_evaluation_failures_total%s[$__interval]) > 0' % groups)],
    ])
    + p.size(12, 8) + p.bars + p.field({ noValue: 'none' }),

    p.timeseries(40, 'Recorded series', 'Samples that the last evaluation of each group returned.')
    + p.over([['{{group}} {{instance}}', group('prometheus_rule_group_last_evaluation_samples' + groups)]])
    + p.size(12, 8) + p.field({ noValue: 'Prometheus does not scrape itself' }),
  ],

  dashboard: f.dashboard({
    uid: 'errno-exporter',
    title: 'Exporter',
    description: 'The exporter itself: whether it is up, overloaded, and runs with the configuration on disk; its host, and what its rules cost.',
    variables: [f.job('errno_exporter_build_info'), f.instance('errno_exporter_build_info'), f.top, f.exporter],
    annotations: [f.started, f.egressDown],
    panels: p.places(top, [
      p.row(50, 'Host', host),
      p.row(51, 'What was lost', lost),
      p.row(52, 'Cost of the rules', rules),
    ]),
  }),
}.dashboard
