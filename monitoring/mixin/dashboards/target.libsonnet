local p = import 'panels.libsonnet';

p.dashboard(
  'errno-target',
  'Target',
  'One target in depth: phases, failures, TCP, certificate.',
  [
    p.variable('job', 'Job', 'label_values(probe_success, job)'),
    p.variable('instance', 'Instance', 'label_values(probe_success{job=~"$job"}, instance)'),
    p.variable('target', 'Target', 'label_values(probe_success{job=~"$job", instance=~"$instance"}, target)', '.*') + { description: 'Empty with one scrape per target: there the instance is the target.' },
    { name: 'exporter', label: 'Exporter', type: 'textbox', query: 'http://localhost:10104', current: { text: 'http://localhost:10104', value: 'http://localhost:10104' }, hide: 0, description: 'Address of the exporter\'s pages, for links to the records of probes.' },
  ],
  [
    p.stat(1, 'State', 'Whether the last probe succeeded.')
    + p.now('{{target}} {{instance}}', 'probe_success{@one}')
    + p.at(0, 0, 4, 4)
    + p.background
    + p.thresholds([['red', null], ['green', 1]])
    + p.texts([['0', 'failing', 'red'], ['1', 'ok', 'green']])
    + p.linkInNewTab('Records of its probes', '${exporter}/history'),
    p.stat(2, 'Last success', 'Time since a probe last succeeded.', 's')
    + p.now('{{target}} {{instance}}', 'time() - probe_last_success_timestamp_seconds{@one}')
    + p.at(4, 0, 4, 4)
    + p.field({ noValue: 'never' }),
    p.stat(3, 'Last failure', 'Time since a probe last failed.', 's')
    + p.now('{{target}} {{instance}}', 'time() - probe_last_failure_timestamp_seconds{@one}')
    + p.at(8, 0, 4, 4)
    + p.field({ noValue: 'never' }),
    p.stat(4, 'Success rate', 'Success rate of probes in the selected time range.', 'percentunit')
    + p.now('{{target}} {{instance}}', 'avg_over_time(probe_success{@one}[$__range])')
    + p.at(12, 0, 4, 4)
    + p.thresholds([['red', null], ['orange', 0.99], ['green', 0.995]])
    + p.field({ decimals: 2 }),
    p.stat(5, 'HTTP status', 'Of the last response; 0 where there was none.', 'none')
    + p.now('{{target}} {{instance}}', 'probe_http_status_code{@one}')
    + p.at(16, 0, 4, 4)
    + p.thresholds([['red', null], ['green', 200], ['orange', 400]]),
    p.stat(6, 'Earliest certificate expiry', 'Time until the earliest expiry of a certificate of the chain.', 's')
    + p.now('{{target}} {{instance}}', 'probe_ssl_earliest_cert_expiry{@one} - time()')
    + p.at(20, 0, 4, 4)
    + p.thresholds([['red', null], ['orange', 259200], ['green', 1814400]])
    + p.field({ noValue: 'no TLS' }),
    p.table(7, 'Failing now, and why', 'The most likely cause, and phase, reason, errno and origin of the failure. Empty when the last probe succeeded. The title links to the records of its probes.')
    + p.rows('probe_failure_info{@one} * on (job, instance, target) group_left (cause, party, confidence) probe_cause_info{@one} or on (job, instance, target) probe_failure_info{@one}')
    + p.at(0, 4, 12, 6)
    + p.linkInNewTab('Records of its probes', '${exporter}/history')
    + p.widths([['reason', 175], ['phase', 90], ['errno', 115], ['origin', 60]])
    + p.columns(['Time', '__name__', 'Value'], ['target', 'cause', 'party', 'confidence', 'phase', 'reason', 'errno', 'origin', 'instance', 'job']),
    p.table(8, 'What is probed', 'The URL, the module and the labels of the configured target.')
    + p.rows('probe_target_info{@one}')
    + p.at(12, 4, 12, 6)
    + p.linkInNewTab('Records of its probes', '${exporter}/history')
    + p.columns(['Time', '__name__', 'Value'], ['target', 'url', 'module']),
    p.timeseries(9, 'Phases, stacked', 'Duration of each phase of the last probe. A phase that failed has the time until it failed.', 's')
    + p.over([
      ['{{phase}}', 'avg by (phase) (probe_http_duration_seconds{@one})'],
    ])
    + p.at(0, 10, 12, 9)
    + p.stacked,
    p.timeseries(10, 'Phases: p50, p95 and p99', 'Of all attempts per interval, from the histograms.', 's')
    + p.over([
      ['p50 {{phase}}', 'histogram_quantile(0.5, sum by (phase) (rate(probe_phase_duration_seconds{@one}[$__rate_interval]))) or histogram_quantile(0.5, sum by (phase, le) (rate(probe_phase_duration_seconds_bucket{@one}[$__rate_interval])))'],
      ['p95 {{phase}}', 'histogram_quantile(0.95, sum by (phase) (rate(probe_phase_duration_seconds{@one}[$__rate_interval]))) or histogram_quantile(0.95, sum by (phase, le) (rate(probe_phase_duration_seconds_bucket{@one}[$__rate_interval])))'],
      ['p99 {{phase}}', 'histogram_quantile(0.99, sum by (phase) (rate(probe_phase_duration_seconds{@one}[$__rate_interval]))) or histogram_quantile(0.99, sum by (phase, le) (rate(probe_phase_duration_seconds_bucket{@one}[$__rate_interval])))'],
    ])
    + p.at(12, 10, 12, 9)
    + p.lines,
    p.timeseries(11, 'Failed attempts by phase, reason and errno', 'Per bar.')
    + p.over([
      ['{{phase}} {{reason}} {{errno}} {{origin}}', 'sum by (phase, reason, errno, origin) (increase(probe_failures_total{@one}[$__interval])) > 0'],
    ])
    + p.at(0, 19, 12, 8)
    + p.bars
    + p.linkInNewTab('Records of its probes', '${exporter}/history'),
    p.timeseries(12, 'Connection resets by phase', 'Per bar.')
    + p.over([
      ['{{phase}}', 'sum by (phase) (increase(probe_connection_resets_total{@one}[$__interval])) > 0'],
    ])
    + p.at(12, 19, 12, 8)
    + p.bars
    + p.linkInNewTab('Records of its probes', '${exporter}/history'),
    p.timeseries(13, 'TCP round trip', 'As measured by the kernel; excludes the server\'s own time.', 's')
    + p.over([
      ['round trip {{target}} {{instance}}', 'probe_tcp_rtt_seconds{@one}'],
      ['shortest {{target}} {{instance}}', 'probe_tcp_min_rtt_seconds{@one}'],
      ['variance {{target}} {{instance}}', 'probe_tcp_rtt_variance_seconds{@one}'],
    ])
    + p.at(0, 27, 12, 8)
    + p.lines,
    p.timeseries(14, 'Retransmissions', 'Packet loss: retransmitted segments show it towards the server, segments received out of order from it. SYN retransmissions are shown separately.')
    + p.over([
      ['retransmitted {{target}} {{instance}}', 'probe_tcp_retransmitted_segments{@one}'],
      ['SYN retransmitted {{target}} {{instance}}', 'probe_tcp_syn_retransmits{@one}'],
      ['out of order {{target}} {{instance}}', 'probe_tcp_out_of_order_packets{@one}'],
    ])
    + p.at(12, 27, 12, 8),
    p.timeseries(15, 'Attempts and failed attempts per minute', 'The difference to the number of probes is retries.')
    + p.over([
      ['attempts', '60 * sum(rate(probe_attempts_total{@one}[$__rate_interval]))'],
      ['failed', '60 * sum(rate(probe_attempts_failed_total{@one}[$__rate_interval]))'],
    ])
    + p.at(0, 35, 12, 8),
    p.timeseries(16, 'Bytes', 'Sent and received on the connection, until it ended or failed.', 'bytes')
    + p.over([
      ['sent {{target}} {{instance}}', 'probe_bytes_sent{@one}'],
      ['received {{target}} {{instance}}', 'probe_bytes_received{@one}'],
    ])
    + p.at(12, 35, 12, 8),
    p.timeseries(17, 'Name resolution', 'Duration of the lookup, and number of addresses.', 's')
    + p.over([
      ['lookup {{target}} {{instance}}', 'probe_dns_lookup_time_seconds{@one}'],
      ['addresses {{target}} {{instance}}', 'probe_addresses{@one}'],
    ])
    + p.at(0, 43, 12, 7)
    + p.override('byRegexp', '/addresses.*/', [['unit', 'short'], ['custom.axisPlacement', 'right']]),
    p.timeseries(18, 'Idle connections', '1 if the connection that was idle for that long still served a request, 0 if not.')
    + p.over([
      ['idle {{idle}} {{target}} {{instance}}', 'probe_keepalive_success{@one}'],
    ])
    + p.at(12, 43, 12, 7)
    + p.linkInNewTab('Records of its probes', '${exporter}/history')
    + p.field({ max: 1 }),
    p.timeseries(19, 'Idle connections: age', 'How long they had been idle when they were used again, or when they were closed.', 's')
    + p.over([
      ['idle for {{idle}} {{target}} {{instance}}', 'probe_keepalive_idle_seconds{@one}'],
    ])
    + p.at(0, 50, 12, 7),
    p.timeseries(20, 'Addresses', '1 if the probe of this address succeeded, 0 if it failed; requires addresses: all.')
    + p.over([
      ['{{address}} {{target}} {{instance}}', 'probe_address_success{@one}'],
    ])
    + p.at(12, 50, 12, 7)
    + p.linkInNewTab('Records of its probes', '${exporter}/history')
    + p.field({ max: 1 }),
    p.timeseries(21, 'Name servers', 'Whether the configured name servers and the system\'s answered, whether their answers have an address in common, and how many addresses only the system\'s answer has (they may be stale).')
    + p.over([
      ['{{resolver}} answered {{target}} {{instance}}', 'probe_dns_resolver_success{@one}'],
      ['in common {{target}} {{instance}}', 'probe_dns_answers_overlap{@one}'],
      ['stale {{target}} {{instance}}', 'probe_dns_stale_addresses{@one}'],
      ['TTL {{resolver}} {{target}} {{instance}}', 'probe_dns_ttl_seconds{@one}'],
    ])
    + p.at(0, 57, 12, 7)
    + p.override('byRegexp', '/TTL.*/', [['unit', 's'], ['custom.axisPlacement', 'right']]),
    p.timeseries(22, 'Age and reliability', 'Age of a result that min_interval repeats; reliable is 0 if the exporter was overloaded during the probe.')
    + p.over([
      ['reliable {{target}} {{instance}}', 'probe_reliable{@one}'],
      ['age in seconds {{target}} {{instance}}', 'probe_result_age_seconds{@one}'],
    ])
    + p.at(12, 57, 12, 7),
  ],
)
