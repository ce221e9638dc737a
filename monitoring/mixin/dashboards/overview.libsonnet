local p = import 'panels.libsonnet';

p.dashboard(
  'errno-overview',
  'Overview',
  'All targets: which fail now and why, connection resets, phases, success rate.',
  [
    p.variable('job', 'Job', 'label_values(probe_success, job)'),
    p.variable('instance', 'Instance', 'label_values(probe_success{job=~"$job"}, instance)'),
  ],
  [
    p.stat(1, 'Targets', 'Probed targets of the selected jobs and instances.')
    + p.now('targets', 'count(probe_success{@all})')
    + p.at(0, 0, 4, 4),
    p.stat(2, 'Failing now', 'Targets whose last probe failed; unknown: exporters that do not answer, of whose targets nothing is known.')
    + p.now('{{state}}', 'label_replace(count(probe_success{@all} == 0) or 0 * count(probe_success{@all}) or vector(-1), "state", "failing", "", "") or label_replace(count(up{@all} == 0 and on (job, instance) instance:errno_exporter:known{@all}), "state", "unknown", "", "")')
    + p.at(4, 0, 4, 4)
    + p.background
    + p.thresholds([['red', null], ['green', 0], ['red', 1]])
    + p.texts([['-1', 'no data', 'red']]),
    p.stat(3, 'Resets per minute', 'Connections that ended with a RST (ECONNRESET), over all targets and phases.')
    + p.now('resets', '60 * sum(rate(probe_connection_resets_total{@all}[$__rate_interval]))')
    + p.at(8, 0, 4, 4)
    + p.background
    + p.thresholds([['green', null], ['red', 0.001]])
    + p.field({ decimals: 2 }),
    p.stat(4, 'Success rate', 'Success rate of probes in the selected time range.', 'percentunit')
    + p.now('share', 'avg(avg_over_time(probe_success{@all}[$__range]))')
    + p.at(12, 0, 4, 4)
    + p.thresholds([['red', null], ['orange', 0.99], ['green', 0.995]])
    + p.field({ decimals: 2 }),
    p.stat(5, 'Earliest certificate expiry', 'Time until the earliest certificate expiry of all targets.', 's')
    + p.now('left', 'min(probe_ssl_earliest_cert_expiry{@all} - time())')
    + p.at(16, 0, 4, 4)
    + p.thresholds([['red', null], ['orange', 259200], ['green', 1814400]]),
    p.stat(6, 'Unreliable', 'Targets whose last probe ran while the exporter was overloaded: its durations are not reliable.')
    + p.now('unreliable', 'count(probe_reliable{@all} == 0) or vector(0)')
    + p.at(20, 0, 4, 4)
    + p.thresholds([['green', null], ['orange', 1]]),
    p.table(7, 'Failing now, and why', 'The most likely cause, and phase, reason, errno and origin, of every target whose last probe failed. docs/failures.md documents them; the evidence is on the exporter\'s status page.')
    + p.rows('probe_failure_info{@all} * on (job, instance, target) group_left (cause, party, confidence) probe_cause_info{@all} or on (job, instance, target) probe_failure_info{@all}')
    + p.at(0, 4, 14, 9)
    + p.link('This target in depth', '/d/errno-target?var-datasource=${datasource}&var-job=${__data.fields.job}&var-instance=${__data.fields.instance}&var-target=${__data.fields.target}&${__url_time_range}')
    + p.widths([['reason', 200], ['phase', 100], ['errno', 115], ['origin', 60]])
    + p.columns(['Time', '__name__', 'Value'], ['target', 'cause', 'party', 'confidence', 'phase', 'reason', 'errno', 'origin', 'instance', 'job']),
    p.bargauge(8, 'Success rate by target', 'Success rate of probes in the selected time range.', 'percentunit')
    + p.now('{{target}} {{instance}}', 'sort(avg_over_time(probe_success{@all}[$__range]))')
    + p.at(14, 4, 10, 9)
    + p.thresholds([['red', null], ['orange', 0.99], ['green', 0.995]])
    + p.link('This target in depth', '/d/errno-target?var-datasource=${datasource}&var-job=${__field.labels.job}&var-instance=${__field.labels.instance}&var-target=${__field.labels.target}&${__url_time_range}')
    + p.field({ min: 0, max: 1 }),
    p.timeseries(9, 'Connection resets by target and phase', 'Connections that ended with a RST, per bar.')
    + p.over([
      ['{{target}} {{instance}} {{phase}}', 'sum by (job, instance, target, phase) (increase(probe_connection_resets_total{@all}[$__interval])) > 0'],
    ])
    + p.at(0, 13, 12, 8)
    + p.bars
    + p.link('This target in depth', '/d/errno-target?var-datasource=${datasource}&var-job=${__field.labels.job}&var-instance=${__field.labels.instance}&var-target=${__field.labels.target}&${__url_time_range}'),
    p.timeseries(10, 'Failed attempts by phase, reason and errno', 'Per bar, over all targets.')
    + p.over([
      ['{{phase}} {{reason}} {{errno}}', 'sum by (phase, reason, errno) (increase(probe_failures_total{@all}[$__interval])) > 0'],
    ])
    + p.at(12, 13, 12, 8)
    + p.bars,
    p.timeseries(11, 'Phases, stacked', 'Mean duration of each phase over all targets. A phase that failed has the time until it failed.', 's')
    + p.over([
      ['{{phase}}', 'avg by (phase) (probe_http_duration_seconds{@all})'],
    ])
    + p.at(0, 21, 12, 8)
    + p.stacked,
    p.timeseries(12, 'Duration by target', 'Duration of the last probe, from the start of name resolution to the last byte.', 's')
    + p.over([
      ['{{target}} {{instance}}', 'probe_duration_seconds{@all}'],
    ])
    + p.at(12, 21, 12, 8)
    + p.link('This target in depth', '/d/errno-target?var-datasource=${datasource}&var-job=${__field.labels.job}&var-instance=${__field.labels.instance}&var-target=${__field.labels.target}&${__url_time_range}'),
    p.timeseries(13, 'State of all targets', '1 if the last probe succeeded, 0 if it failed.')
    + p.over([
      ['{{target}} {{instance}}', 'probe_success{@all}'],
    ])
    + p.at(0, 29, 24, 6)
    + p.texts([['0', 'failing', 'red'], ['1', 'ok', 'green']])
    + p.link('This target in depth', '/d/errno-target?var-datasource=${datasource}&var-job=${__field.labels.job}&var-instance=${__field.labels.instance}&var-target=${__field.labels.target}&${__url_time_range}')
    + p.field({ max: 1 }),
  ],
)
