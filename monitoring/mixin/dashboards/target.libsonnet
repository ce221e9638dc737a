// One target: the verdict first, then what it is made of.
function(config) {
  local p = (import 'panels.libsonnet')(config),
  local f = (import 'frame.libsonnet')(config),
  local name = ' {{target}} {{instance}} {{vantage}}',
  local objective = std.parseJson(config.objective + 'e-2'),
  local days(n) = n * 86400,
  local certificates = p.thresholds([['red', null], ['orange', days(config.certificateCriticalDays)], ['green', days(config.certificateWarningDays)]]),
  // Stats of at most this many targets: the variables may select a thousand.
  local few(expr) = 'topk(8, %s)' % expr,
  local okOrFailing = p.mapping([['0', 'failing', 'red'], ['1', 'ok', 'green']]),
  local served = p.mapping([['0', 'lost', 'red'], ['1', 'served', 'green']]),

  local verdict = [
    p.stat(1, 'State', 'Result of the last probe; of at most eight targets, failing ones first.')
    + p.now('{{api}} {{vantage}}', p.named('bottomk(8, probe_success{@one} and on (%s) probe_reliable{@one})' % p.key))
    + p.size(4, 4) + p.background + p.named_values
    + p.thresholds([['red', null], ['green', 1]])
    + p.field({ mappings: [okOrFailing] }) + f.records,

    p.stat(30, 'Likely cause', 'What the evidence of the recent failures shows, and where to look; no cause if nothing failed recently.', 'none')
    + p.now('{{cause}} ({{party}})', few('count by (cause, party) (probe_cause_info{@one})') + ' or on () label_replace(label_replace(vector(0), "cause", "none", "", ""), "party", "nothing failed recently", "", "")')
    + p.size(8, 4) + p.option({ textMode: 'name' })
    + p.thresholds([['green', null], ['orange', 1]]),

    p.stat(2, 'Last success', 'Time since the last successful probe, from any vantage.', 's')
    + p.now('last success', 'time() - max(probe_last_success_timestamp_seconds{@one})')
    + p.size(3, 4) + p.field({ noValue: 'never' }),

    p.stat(3, 'Last failure', 'Time since the last failed probe, from any vantage.', 's')
    + p.now('last failure', 'time() - max(probe_last_failure_timestamp_seconds{@one})')
    + p.size(3, 4) + p.field({ noValue: 'never' }),

    p.stat(4, 'Success rate', 'Success rate of probes in the selected time range, from all vantages.', 'percentunit')
    + p.now('success rate', 'avg(avg_over_time(probe_success{@one}[$__range]) and on (%s) probe_reliable{@one})' % p.key)
    + p.size(3, 4)
    + p.thresholds([['red', null], ['orange', std.round(1e6 * (2 * objective - 1)) / 1e6], ['green', objective]])
    + p.field({ decimals: 2 }),

    p.stat(5, 'HTTP status', 'Status of the last final response; 0 if there was none.', 'none')
    + p.now(std.lstripChars(name, ' '), few('probe_http_status_code{@one}'))
    + p.size(3, 4)
    + p.thresholds([['red', null], ['green', 200], ['orange', 400], ['red', 500]])
    + p.texts([['0', 'none', 'red']]),

    // The value is the time of the last success, in ms. The sentence comes from the recording rules; without them there is none.
    p.table(7, 'Verdict', 'When a probe succeeded last, the likely cause, who has to act, and how the last probe failed. Empty while the target is ok.')
    + p.rows(p.named(|||
      1000 * (
          probe_last_success_timestamp_seconds{@one}
        or on (%(key)s)
          0 * probe_success{@one}
      )
      * on (%(key)s) group_left (phase, reason, errno, origin, sentence)
        topk by (%(key)s) (1,
            target:probe_failure:info{@one}
          or on (%(key)s)
            probe_failure_info{@one, reason!="abandoned"}
        )
      * on (%(key)s) group_left (cause, party, confidence)
        (
            topk by (%(key)s) (1, probe_cause_info{@one})
          or on (%(key)s)
            probe_success{@one} >= bool 0
        )
      * on (%(key)s) group_left (check, index)
        (
            topk by (%(key)s) (1, probe_failed_check_info{@one})
          or on (%(key)s)
            probe_success{@one} >= bool 0
        )
      and on (%(key)s)
        probe_success{@one} == 0
    ||| % { key: p.key }))
    + p.size(24, 5)
    + f.failures(['cause', 'party', 'vantage', 'sentence', 'phase', 'reason', 'errno', 'confidence', 'check', 'index', 'origin'])
    + p.widths([['target', 120], ['vantage', 75], ['reason', 150]])
    + p.override('byName', 'sentence', [['custom.width', 520], ['custom.inspect', true], ['custom.cellOptions', { type: 'auto', wrapText: true }]])
    + p.option({ cellHeight: 'lg' }) + p.field({ noValue: 'nothing fails' }),

    p.timeline(31, 'State over time', 'Failing if any probe of the interval failed; no color: no data.')
    + p.over([[std.lstripChars(name, ' '), 'min_over_time(probe_success{@one}[$__interval]) and on (%s) probe_reliable{@one}' % p.key]])
    + p.size(24, 5) + p.field({ mappings: [okOrFailing] }) + f.records,
  ],

  // Classic buckets are coarse, and those that have exemplars.
  local quantile(q) = [
    'p%d {{phase}}' % (q * 100),
    |||
      histogram_quantile(%(q)s, sum by (phase) (rate(probe_phase_duration_seconds{@one}[$__rate_interval])))
      or
        max by (phase) (quantile_over_time(%(q)s, probe_http_duration_seconds{@one}[$__rate_interval]))
      or
        histogram_quantile(%(q)s, sum by (phase, le) (rate(probe_phase_duration_seconds_bucket{@one}[$__rate_interval])))
    ||| % { q: q },
  ],
  local phases = [
    p.timeseries(9, 'Phases, stacked', 'How long each phase of the last probe took.', 's')
    + p.over([['{{phase}}', 'avg by (phase) (probe_http_duration_seconds{@one})']])
    + p.size(12, 9) + p.stacked + p.legendOnTheRight + f.records,

    p.timeseries(10, 'Phases: p50 and p95', 'Per interval, of all attempts where there are native histograms, otherwise of the last attempt of each probe. Exemplars lead to the records of probes.', 's')
    + p.over([quantile(0.5), quantile(0.95)]) + p.exemplars
    + p.size(12, 9) + p.legendOnTheRight,

    p.heatmap(32, 'Connecting', 'How many attempts took how long to connect, of those that connected: the network.', '@one, phase="connect", result="success"')
    + p.size(12, 8),

    p.heatmap(33, 'Waiting for the response', 'How many attempts waited how long for the response, of those that got one: the server.', '@one, phase="processing", result="success"')
    + p.size(12, 8),
  ],

  local failures = [
    p.timeseries(12, 'Connection resets by phase', 'Per bar.')
    + p.over([['{{phase}}', 'sum by (phase) (increase(probe_connection_resets_total{@one}[$__interval])) > 0']])
    + p.size(12, 8) + p.bars + f.records,

    p.timeseries(11, 'Failed attempts by phase, reason and errno', 'Per bar.')
    + p.over([['{{phase}} {{reason}} {{errno}} {{origin}}', 'sum by (phase, reason, errno, origin) (increase(probe_failures_total{@one}[$__interval])) > 0']])
    + p.size(12, 8) + p.bars + f.records,

    p.timeseries(34, 'Sender of resets', 'How many hops nearer than the server the sender of a RST is: 0 is the server, others are middleboxes. Requires the capture of resets (errno_exporter_reset_capture_enabled).')
    + p.over([['nearer by' + name, 'probe_reset_ttl_delta{@one}']])
    + p.size(12, 7) + p.field({ noValue: 'no reset was captured' }),

    p.timeseries(15, 'Attempts and failed attempts per minute', 'The difference to the number of probes is retries.')
    + p.over([
      ['attempts', '60 * sum(rate(probe_attempts_total{@one}[$__rate_interval]))'],
      ['failed', '60 * sum(rate(probe_attempts_failed_total{@one}[$__rate_interval]))'],
    ])
    + p.size(12, 7),
  ],

  local idle = [
    p.timeline(18, 'Idle connections', 'Whether the connection that was idle for that long still served a request (keepalive).')
    + p.over([['idle for {{idle}}' + name, 'min_over_time(probe_keepalive_success{@one}[$__interval])']])
    + p.size(12, 7) + p.field({ noValue: 'no keepalive', mappings: [served] }) + f.records,

    p.timeseries(19, 'Idle connections: age', 'How long those that did not serve another request had been idle when they were used again, or when they were closed.', 's')
    + p.over([['idle for {{idle}}' + name, 'probe_keepalive_idle_seconds{@one}']])
    + p.size(12, 7) + p.field({ noValue: 'none failed' }),

    p.timeseries(35, 'Lifetime of idle connections', 'With keepalive measure: the longest idle age that survived, the shortest that died, and the idle timeout that the server announces.', 's')
    + p.over([
      ['{{bound}}' + name, 'probe_keepalive_lifetime_seconds{@one}'],
      ['announced' + name, 'probe_keepalive_announced_seconds{@one}'],
    ])
    + p.size(12, 7) + p.field({ noValue: 'not measured' }),

    p.table(36, 'How idle connections end', 'By age: repeatedly at a similar age; by clock: once, and not again at that age.')
    + p.rows('probe_keepalive_end_info{@one}')
    + p.size(12, 7) + p.columns(['Time', '__name__', 'Value', 'job', 'instance'], ['target', 'end', 'by', 'vantage'])
    + p.field({ noValue: 'not measured' }),
  ],

  local addresses = [
    p.timeline(20, 'Addresses', 'Whether the probe of each address succeeded; requires addresses: all.')
    + p.over([['{{address}}' + name, 'min_over_time(probe_address_success{@one}[$__interval])']])
    + p.size(12, 8) + p.field({ noValue: 'requires addresses: all', mappings: [okOrFailing] }) + f.records,

    p.timeseries(37, 'Duration by address', 'Connecting, TLS, waiting for the response and receiving it, of the last probe; requires addresses: all.', 's')
    + p.over([['{{address}}' + name, 'sum by (%s, address) (probe_address_duration_seconds{@one})' % p.key]])
    + p.size(12, 8) + p.field({ noValue: 'requires addresses: all' }),

    p.timeseries(17, 'Name resolution', 'Duration of the lookup, and number of addresses.', 's')
    + p.over([['lookup' + name, 'probe_dns_lookup_time_seconds{@one}'], ['addresses' + name, 'probe_addresses{@one}']])
    + p.size(12, 8) + p.override('byRegexp', '/addresses.*/', [['unit', 'short'], ['custom.axisPlacement', 'right']]),

    p.timeseries(21, 'Name servers', "Whether the configured name servers and the system's answered, whether their answers have an address in common, and how many addresses only the system's answer has (they may be stale).")
    + p.over([
      ['{{resolver}} answered' + name, 'probe_dns_resolver_success{@one}'],
      ['in common' + name, 'probe_dns_answers_overlap{@one}'],
      ['stale' + name, 'probe_dns_stale_addresses{@one}'],
      ['TTL {{resolver}}' + name, 'probe_dns_ttl_seconds{@one}'],
    ])
    + p.size(12, 8) + p.override('byRegexp', '/TTL.*/', [['unit', 's'], ['custom.axisPlacement', 'right']])
    + p.field({ noValue: 'requires compare_with' }),
  ],

  // A count that has no series while it is 0.
  local lost(metric) = |||
    %(metric)s{@one}
    or
      0 * probe_tcp_rtt_seconds{@one}
  ||| % { metric: metric },
  local tcp = [
    p.timeseries(13, 'TCP round trip', "As measured by the kernel; excludes the server's own time. Shortest and standard deviation are those of the interval.", 's')
    + p.over([
      ['round trip' + name, 'probe_tcp_rtt_seconds{@one}'],
      ['shortest' + name, 'min_over_time(probe_tcp_rtt_seconds{@one}[$__rate_interval])'],
      ['deviation' + name, 'stddev_over_time(probe_tcp_rtt_seconds{@one}[$__rate_interval])'],
    ])
    + p.size(12, 8),

    p.timeseries(14, 'Retransmissions', 'Packet loss: retransmitted segments show it towards the server, segments received out of order from it. SYN retransmissions are shown separately.')
    + p.over([
      ['retransmitted' + name, lost('probe_tcp_retransmitted_segments')],
      ['SYN retransmitted' + name, lost('probe_tcp_syn_retransmits')],
      ['out of order' + name, lost('probe_tcp_out_of_order_packets')],
    ])
    + p.size(12, 8),

    p.timeseries(16, 'Response size', 'The body after decompression, and what the server announced. Records of probes have the bytes on the connection.', 'bytes')
    + p.over([
      ['body' + name, 'probe_http_uncompressed_body_length{@one}'],
      ['Content-Length' + name, 'probe_http_content_length{@one} >= 0'],
    ])
    + p.size(12, 8),

    p.timeseries(38, 'Path MTU', 'Below the 1500 bytes of Ethernet, as the kernel has it: a tunnel, or a changed route.', 'bytes')
    + p.over([['path MTU' + name, 'probe_tcp_path_mtu_bytes{@one}']])
    + p.size(12, 8) + p.field({ noValue: '1500 or more' }),
  ],

  local certificate = [
    p.stat(6, 'Earliest certificate expiry', 'Time until the earliest expiry of the chain that the server sends.', 's')
    + p.now(std.lstripChars(name, ' '), 'clamp_min(bottomk(8, probe_ssl_earliest_cert_expiry{@one}) - time(), 0)')
    + p.texts([['0', 'expired', 'red']])
    + p.size(6, 7) + certificates + p.field({ noValue: 'no TLS' }),

    p.timeseries(39, 'Time until expiry', 'It rises when the certificate is renewed.', 's')
    + p.over([[std.lstripChars(name, ' '), 'probe_ssl_earliest_cert_expiry{@one} - time()']])
    + p.size(18, 7) + p.field({ noValue: 'no TLS' }),

    p.table(40, 'Certificate', "The server's own certificate.")
    + p.rows('probe_ssl_last_chain_info{@one}')
    + p.size(24, 5)
    + p.columns(['Time', '__name__', 'Value', 'job'], ['target', 'subject', 'subjectalternative', 'issuer', 'serialnumber', 'fingerprint_sha256', 'vantage', 'instance'])
    + p.field({ noValue: 'no TLS' }),

    p.table(41, 'TLS', 'Version, cipher and key exchange of the last connection.')
    + p.rows(|||
      probe_tls_version_info{@one}
      * on (%(key)s) group_left (cipher)
        probe_tls_cipher_info{@one}
      * on (%(key)s) group_left (group)
        (
            probe_tls_group_info{@one}
          or on (%(key)s)
            probe_tls_version_info{@one}
        )
    ||| % { key: p.key })
    + p.size(24, 5)
    + p.columns(['Time', '__name__', 'Value', 'job'], ['target', 'version', 'cipher', 'group', 'vantage', 'instance'])
    + p.field({ noValue: 'no TLS' }),
  ],

  // With observe: the connections of the other processes beside the exporter.
  local application = [
    p.timeseries(43, "The application's connections", 'Open connections by TCP state. Many in CLOSE_WAIT: the peer closed them, the application did not.')
    + p.over([['{{state}}' + name, 'app_connections{@one}']])
    + p.size(12, 8) + p.field({ noValue: 'requires observe' }),

    p.timeseries(44, "How the application's connections end", 'Per bar; of resets received, who sent them, where a capture shows it.')
    + p.over([['{{how}} {{origin}}', 'sum by (how, origin) (increase(app_connections_ended_total{@one}[$__interval])) > 0']])
    + p.size(12, 8) + p.bars + p.field({ noValue: 'none' }),

    p.timeseries(45, 'Requests that the application lost', 'Per bar: connections that ended with their last data unacknowledged, or acknowledged and unanswered.')
    + p.over([['{{lost}}', 'sum by (lost) (increase(app_requests_lost_total{@one}[$__interval])) > 0']])
    + p.size(12, 8) + p.bars + p.field({ noValue: 'none' }),

    p.timeseries(46, "Round trip of the application's connections", 'As the kernel has it, the mean of the open connections.', 's')
    + p.over([['round trip' + name, 'app_tcp_rtt_seconds{@one}'], ['variance' + name, 'app_tcp_rtt_variance_seconds{@one}']])
    + p.size(12, 8) + p.field({ noValue: 'requires observe' }),

    p.timeseries(58, 'Segments that the application retransmitted', 'Per bar: loss on the path, or a target that is gone.')
    + p.over([['retransmitted' + name, 'increase(app_tcp_retransmitted_segments_total{@one}[$__interval])']])
    + p.size(12, 8) + p.bars + p.field({ noValue: 'requires observe' }),

    p.timeseries(59, "Congestion of the application's connections", "Open connections by the state of the kernel's congestion control: fast retransmissions (recovery), those after a timeout (loss).")
    + p.over([['{{state}}' + name, 'app_tcp_congested_connections{@one}']])
    + p.size(12, 8) + p.field({ noValue: 'requires observe' }),

    p.timeseries(60, "Congestion window of the application's connections", 'As much as each may have in flight, the mean of the open connections.', 'bytes')
    + p.over([['congestion window' + name, 'app_tcp_congestion_window_bytes{@one}'], ['unacknowledged, of all' + name, 'app_tcp_unacknowledged_bytes{@one}']])
    + p.size(12, 8) + p.field({ noValue: 'requires observe' }),

    p.timeseries(61, 'Waiting for the target to read', "Seconds per second, added over the connections, in which data waited for the target's receive window.", 's')
    + p.over([['waiting' + name, 'rate(app_tcp_window_limited_seconds_total{@one}[$__rate_interval])']])
    + p.size(12, 8) + p.field({ noValue: 'requires observe' }),
  ],

  local probes = [
    p.table(8, 'What is probed', 'The target as it is configured, with its labels.')
    + p.rows('probe_target_info{@one}')
    + p.size(24, 5) + p.columns(['Time', '__name__', 'Value'], ['target', 'url', 'module']) + p.widths([['url', 420]]),

    p.timeline(22, 'Reliability', 'Overloaded: the exporter got no CPU soon enough during the probe; its durations say nothing then.')
    + p.over([[std.lstripChars(name, ' '), 'min_over_time(probe_reliable{@one}[$__interval])']])
    + p.size(12, 7) + p.field({ mappings: [p.mapping([['0', 'overloaded', 'orange'], ['1', 'reliable', 'green']])] }),

    p.timeseries(42, 'Age of results', 'Of a result that min_interval repeats.', 's')
    + p.over([['age' + name, 'probe_result_age_seconds{@one}']])
    + p.size(12, 7) + p.field({ noValue: 'no min_interval' }),
  ],

  dashboard: f.dashboard({
    uid: 'errno-target',
    title: 'Target',
    description: 'One target in depth: verdict, phases, failures, idle connections, addresses, TCP, certificate.',
    variables: [f.job('probe_reliable'), f.instance('probe_reliable'), f.target, f.exporter, f.top],
    annotations: [
      f.annotation(
        'Incidents',
        'red',
        'topk by (%(key)s) (1, probe_cause_info{@one}) and on (%(key)s) probe_success{@one} == 0' % { key: p.key },
        '{{target}} fails: {{cause}}',
        '{{party}}, {{vantage}} {{instance}}'
      ),
      f.egressDown,
      f.started,
    ],
    panels: p.places(verdict, [
      p.row(50, 'Phases', phases, collapsed=false),
      p.row(51, 'Resets and failed attempts', failures, collapsed=false),
      p.row(52, 'Idle connections', idle, collapsed=false),
      p.row(53, 'Addresses and name servers', addresses),
      p.row(54, 'TCP', tcp),
      p.row(55, 'Certificate and TLS', certificate),
      p.row(57, "The application's connections", application),
      p.row(56, 'The probes themselves', probes),
    ]),
  }),
}.dashboard
