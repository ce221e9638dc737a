// All targets: which fail now and why, then how it came to that.
function(config) {
  local p = (import 'panels.libsonnet')(config),
  local f = (import 'frame.libsonnet')(config),
  local in_(expr) = expr % { key: p.key, labels: std.join(', ', config.targetLabels) },

  // Results of this exporter: blackbox_exporter has probe_success, too, but no probe_reliable.
  local ours = in_('and on (%(key)s) probe_reliable{@all}'),
  local success = '(probe_success{@all} %s)' % ours,
  local objective = std.parseJson(config.objective + 'e-2'),
  local shares = p.thresholds([['red', null], ['orange', std.round(1e6 * (2 * objective - 1)) / 1e6], ['green', objective]]),
  local days(n) = n * 86400,
  local certificates = p.thresholds([['red', null], ['orange', days(config.certificateCriticalDays)], ['green', days(config.certificateWarningDays)]]),

  // The targets that were worst in the time range, the same ones at every step.
  local worst(expr) = '%s\nand on (%s)\n  bottomk($top, avg_over_time(probe_success{@all}[$__range] @ end()) %s)' % [std.rstripChars(expr, '\n'), p.key, ours],
  local states = [['0', 'failing', 'red'], ['1', 'ok', 'green'], ['2', 'egress down', 'purple']],

  local top = [
    p.stat(2, 'Failing now', 'Targets whose last probe failed, once for each vantage that probes them; unknown: exporters that do not answer, of whose targets nothing is known.')
    + p.now('{{state}}', |||
      label_replace(count(%(s)s == 0) or 0 * count(%(s)s) or vector(-1), "state", "failing", "", "")
      or
        label_replace(count(up{@all} == 0 and on (job, instance) instance:errno_exporter:known{@all}), "state", "unknown", "", "")
    ||| % { s: success })
    + p.size(5, 4) + p.background
    + p.thresholds([['red', null], ['green', 0], ['red', 1]])
    + p.texts([['-1', 'no data', 'red']]),

    p.stat(20, 'Egress', 'Whether the exporters reach anything at all, by vantage: by reference targets (control_targets), else by how many targets are out of reach at once. While it is down, failures say nothing about the targets.')
    + p.now('{{vantage}}', |||
      min by (vantage) (errno_exporter_egress_up{@all})
      or on (vantage)
        1 - max by (vantage) (vantage:probe_egress_down:bool)
      or on ()
        vector(-1)
    |||)
    + p.size(4, 4) + p.background + p.named_values
    + p.thresholds([['red', null], ['green', 1]])
    + p.texts([['0', 'down', 'red'], ['1', 'up', 'green'], ['-1', 'no data', 'text']]),

    p.stat(1, 'Targets', 'Probed targets of the selected jobs and instances, once for each vantage that probes them.')
    + p.now('targets', 'count(%s)' % success)
    + p.size(3, 4),

    p.stat(4, 'Success rate', 'Success rate of probes in the selected time range.', 'percentunit')
    + p.now('share', 'avg(avg_over_time(probe_success{@all}[$__range]) %s)' % ours)
    + p.size(3, 4) + shares + p.field({ decimals: 2 }),

    p.stat(3, 'Resets per minute', 'Connections that ended with a RST (ECONNRESET), over all targets and phases.')
    + p.now('resets', '60 * sum(rate(probe_connection_resets_total{@all}[$__rate_interval]))')
    + p.size(3, 4) + p.background
    + p.thresholds([['green', null], ['red', 0.001]])
    + p.texts([['0', 'none', 'green']])
    + p.field({ decimals: 2 }),

    p.stat(5, 'Certificate expiry', 'Time until the earliest certificate expiry of all targets.', 's')
    + p.now('left', 'clamp_min(min(probe_ssl_earliest_cert_expiry{@all}) - time(), 0)')
    + p.texts([['0', 'expired', 'red']])
    + p.size(3, 4) + certificates + p.field({ noValue: 'no TLS' }),

    p.stat(6, 'Unreliable', 'Targets whose last probe the overloaded exporter marked: their durations may be its own.')
    + p.now('unreliable', 'count(probe_reliable{@all} == 0) or vector(0)')
    + p.size(3, 4)
    + p.thresholds([['green', null], ['orange', 1]])
    + p.texts([['0', 'none', 'green']]),

    // The value is the time of the last success, in ms.
    p.table(7, 'Failing now, and why', 'Targets whose last probe failed, those that failed last first: when a probe succeeded last, the likely cause and who has to act, and how the last probe failed. The target leads to its dashboard.')
    + p.rows(p.named(in_(|||
      1000 * (
          probe_last_success_timestamp_seconds{@all}
        or on (%(key)s)
          0 * probe_success{@all}
      )
      * on (%(key)s) group_left (phase, reason, errno)
        topk by (%(key)s) (1, probe_failure_info{@all, reason!="abandoned"})
      * on (%(key)s) group_left (cause, party, confidence)
        (
            topk by (%(key)s) (1, probe_cause_info{@all})
          or on (%(key)s)
            probe_success{@all} >= bool 0
        )
      * on (%(key)s) group_left (%(labels)s)
        (
            topk by (%(key)s) (1, probe_target_info{@all})
          or on (%(key)s)
            probe_success{@all} >= bool 0
        )
      and on (%(key)s)
        probe_success{@all} == 0
    |||)))
    + p.size(24, 10)
    + f.failures(['cause', 'party'] + config.targetLabels + ['vantage', 'phase', 'reason', 'errno', 'confidence'])
    + p.widths([['vantage', 110]]),

    p.timeline(13, 'State of targets', 'Failing if any probe of the interval failed; egress down: while the exporters reached nothing at all. At most as many targets as selected above: those with the lowest success rate in the time range. No color: no data.')
    + p.over([['{{api}} {{vantage}}', p.named(worst(|||
      (
          (min_over_time(probe_success{@all}[$__interval]) == 0 and on (vantage) (max_over_time(vantage:probe_egress_down:bool[$__interval]) == 1)) + 2
        or
          min_over_time(probe_success{@all}[$__interval])
      )
    |||))]])
    + p.size(24, 10) + p.field({ mappings: [p.mapping(states)] }) + f.seriesLinks,

    p.timeseries(10, 'Failed attempts by phase, reason and errno', 'Per bar, over all targets; the most frequent ones.')
    + p.over([['{{phase}} {{reason}} {{errno}}', 'topk($top, sum by (phase, reason, errno) (increase(probe_failures_total{@all}[$__interval])) > 0)']])
    + p.size(12, 9) + p.bars,

    p.timeseries(9, 'Connection resets by target and phase', 'Per bar; the targets with most resets.')
    + p.over([['{{api}} {{phase}} {{vantage}}', p.named('topk($top, sum by (%s, phase) (increase(probe_connection_resets_total{@all}[$__interval])) > 0)' % p.key)]])
    + p.size(12, 9) + p.bars + f.seriesLinks,
  ],

  local egress = [
    p.timeline(21, 'Egress by vantage', 'By reference targets, else by how many targets were out of reach at once.')
    + p.over([['{{vantage}}', |||
      min by (vantage) (errno_exporter_egress_up{@all})
      or on (vantage)
        1 - max by (vantage) (vantage:probe_egress_down:bool)
    |||]])
    + p.size(12, 7) + p.field({ mappings: [p.mapping([['0', 'down', 'red'], ['1', 'up', 'green']])] }),

    p.timeline(22, 'Reference targets', 'Whether each target that only shows that egress works (control_targets) was reached.')
    + p.over([['{{control}} {{kind}} {{vantage}}', 'min by (control, kind, vantage) (errno_exporter_control_up{@all})']])
    + p.size(12, 7)
    + p.field({ noValue: 'no control_targets', mappings: [p.mapping([['0', 'not reached', 'red'], ['1', 'reached', 'green']])] }),

    p.timeseries(23, 'Targets out of reach', 'Targets whose failure broken egress explains, of all targets of the vantage.')
    + p.over([
      ['out of reach {{vantage}}', 'vantage:probe_egress_failing:count'],
      ['all {{vantage}}', 'count by (vantage) (%s)' % success],
    ])
    + p.size(12, 7),

    p.timeseries(24, 'Networks that are affected', 'Networks (/24, /48) that work otherwise and in which something was lost or reset within a minute, by sign. Many at once: the loss is near the exporter.')
    + p.over([
      ['{{sign}} {{vantage}}', 'max by (sign, vantage) (errno_exporter_egress_affected_networks{@all})'],
      ['all {{vantage}}', 'max by (vantage) (errno_exporter_egress_networks{@all})'],
    ])
    + p.size(12, 7),
  ],

  local durations = [
    p.timeseries(12, 'Slowest targets', 'Duration of their probes; the targets that were slowest in the time range.', 's')
    + p.over([['{{api}} {{vantage}}', p.named(in_(|||
      probe_duration_seconds{@all}
      and on (%(key)s)
        topk($top, avg_over_time(probe_duration_seconds{@all}[$__range] @ end()))
      and on (%(key)s)
        probe_reliable{@all}
    |||))]])
    + p.size(12, 9) + f.seriesLinks,

    p.timeseries(11, 'Phases, stacked', 'Mean duration of each phase over all targets.', 's')
    + p.over([['{{phase}}', 'avg by (phase) (probe_http_duration_seconds{@all})']])
    + p.size(12, 9) + p.stacked,

    p.heatmap(25, 'Connecting', 'How many attempts took how long to connect, of those that connected: the network.', '@all, phase="connect", result="success"')
    + p.size(12, 9),

    p.heatmap(26, 'Waiting for the response', 'How many attempts waited how long for the response, of those that got one: the servers.', '@all, phase="processing", result="success"')
    + p.size(12, 9),
  ],

  local rates = [
    p.bargauge(8, 'Success rate by target', 'The lowest in the time range.', 'percentunit')
    + p.now('{{api}} {{vantage}}', 'sort(%s)' % p.named('bottomk($top, avg_over_time(probe_success{@all}[$__range]) %s)' % ours))
    + p.size(12, 12) + shares + p.field({ min: 0, max: 1 }) + f.seriesLinks,

    p.bargauge(27, 'Certificates that expire first', 'Time that is left.', 's')
    + p.now('{{api}} {{vantage}}', 'sort(%s)' % p.named('clamp_min(bottomk($top, probe_ssl_earliest_cert_expiry{@all}) - time(), 0)'))
    + p.size(12, 12) + certificates + p.texts([['0', 'expired', 'red']]) + p.field({ min: 0, max: days(90), noValue: 'no TLS' }) + f.seriesLinks,
  ],

  dashboard: f.dashboard({
    uid: 'errno-overview',
    title: 'Overview',
    description: 'All targets: which fail now and why, connection resets, phases, success rate.',
    variables: [f.job('probe_reliable'), f.instance('probe_reliable'), f.top, f.exporter],
    annotations: [
      f.egressDown,
      f.annotation(
        'Critical alerts',
        'red',
        'count by (alertname) (ALERTS{alertname=~"Errno.+", alertstate="firing", severity="critical"%s})'
        % (if config.dashboardSelector == '' then '' else ', ' + config.dashboardSelector),
        '{{alertname}}',
        'is firing'
      ),
      f.started,
    ],
    panels: p.places(top, [
      p.row(30, 'Egress and reference targets', egress),
      p.row(31, 'Durations', durations),
      p.row(32, 'Success rates and certificates', rates),
    ]),
  }),
}.dashboard
