// Recording rules: the expressions that alerts and dashboards share.
//
// They work for all three ways to scrape: with scrapes of /metrics, instance is the exporter and target the configured name; with one
// scrape per target, instance is the target and there is no label target. vantage is the place from which a target is probed: set it in the
// scrape configuration, see docs/scale.md.
local lib = import 'lib.libsonnet';
local words = import 'words.json';

{
  local config = self._config,
  local key = lib.key,
  local notEgress = 'dns.name_not_resolved|dns.no_data|dns.refused|local.fd_exhausted|local.overloaded|local.port_exhausted|probe.config|abandoned',

  // The sentences of reasons and phases are series: a template that chose between them would be parsed for every alert at every evaluation.
  local wordGroup = {
    name: 'errno_words',
    interval: '1m',
    rules: [
      { record: 'errno:reason:info', expr: 'vector(1)', labels: { reason: r.reason, short: r.short, sentence: r.sentence } }
      for r in words.reasons
    ] + [
      { record: 'errno:phase:info', expr: 'vector(1)', labels: { phase: p.phase, during: p.during } }
      for p in words.phases
    ],
  },

  // An info series for every target that is probed, with empty labels where there is nothing to say: a join with it never loses a target.
  local everyTarget(series) = |||
    %s
    or on (%s)
      target:probe_success:last >= bool 0
  ||| % [series, key],

  local group = {
    name: 'errno_recording',
    interval: '15s',
    rules: [
      // Results of this exporter alone: blackbox_exporter has probe_success, too, of ICMP and SMTP, but no probe_reliable.
      { record: 'target:probe_success:last', expr: lib.withAPI('(probe_success and on (%s) probe_reliable)' % key) },

      { record: 'target:probe_cause:info', expr: everyTarget('topk by (%s) (1, probe_cause_info)' % key) },
      { record: 'target:probe_check:info', expr: everyTarget('topk by (%s) (1, probe_failed_check_info)' % key) },
      { record: 'target:probe_target:info', expr: everyTarget('topk by (%s) (1, probe_target_info)' % key) },

      // Why a target's last probe failed, in words, with its owner's labels. A reason that is newer than these rules has no sentence.
      {
        record: 'target:probe_failure:info',
        expr: |||
          (
              probe_failure_info{reason!="abandoned"} * on (reason) group_left (short, sentence) errno:reason:info
            or on (%(key)s)
              probe_failure_info{reason!="abandoned"}
          )
          * on (phase) group_left (during)
            errno:phase:info
          * on (%(key)s) group_left (api)
            (target:probe_success:last >= bool 0)
        ||| % { key: key },
      },

      // Targets that are out of reach in a way that broken egress explains (OutOfReach in internal/egress/rule.go, which a test compares):
      // resolving the name fails otherwise than by an authoritative answer, or connecting to the target or the proxy fails otherwise than by
      // the peer's refusal.
      {
        record: 'target:probe_egress_failing:info',
        expr: |||
          probe_failure_info{phase="resolve", reason!~"%(not)s"}
          or
            probe_failure_info{phase=~"connect|proxy", origin!="peer", reason!~"%(not)s"}
        ||| % { not: notEgress },
      },
      {
        record: 'vantage:probe_egress_failing:count',
        expr: |||
          count by (vantage) (target:probe_egress_failing:info)
          or
            count by (vantage) (target:probe_success:last) * 0
        |||,
      },
      // 1 if our egress is down (Down in internal/egress/rule.go, which a test compares). Reference targets decide where they are configured;
      // otherwise it is down if at least three targets are out of reach that are at least half of all, and were last dialed in at least two
      // networks, within a day.
      {
        record: 'vantage:probe_egress_down:bool',
        expr: |||
          (max by (vantage) (errno_exporter_egress_up) == bool 0)
          or
            (vantage:probe_egress_failing:count >= bool 3)
          * on (vantage)
            (vantage:probe_egress_failing:count / on (vantage) count by (vantage) (target:probe_success:last) >= bool 0.5)
          * on (vantage)
            (
                count by (vantage) (
                  count_values by (vantage) (
                    "network",
                    max_over_time(probe_ip_network_hash[1d]) > 0 and on (%(key)s) target:probe_egress_failing:info
                  )
                ) >= bool 2
              or
                count by (vantage) (target:probe_success:last) * 0
            )
        ||| % { key: key },
      },

      // What counts against a target's error budget: not what failed while our own egress was down, not what is our own fault, and not that
      // the API limits our probes.
      {
        record: 'target:probe_success:counted',
        expr: |||
          target:probe_success:last
          unless on (vantage)
            (vantage:probe_egress_down:bool == 1)
          unless on (%(key)s)
            probe_failure_info{reason=~"local[.].+|abandoned|probe[.]config|http[.]rate_limited|h2[.]throttled"}
        ||| % { key: key },
      },

      // 1 while no probe of the last two minutes succeeded.
      { record: 'target:probe_failing:bool', expr: 'max_over_time(target:probe_success:last[2m]) == bool 0' },
      // Whether any exporter of a vantage reaches an API; not of vantages whose own egress is down.
      {
        record: 'vantage:probe_success:max',
        expr: |||
          max by (job, api, vantage) (
            target:probe_success:last unless on (vantage) vantage:probe_egress_down:bool == 1
          )
        |||,
      },
      // A target's objective: its label objective, in percent, or that of all.
      {
        record: 'target:probe_objective:ratio',
        expr: std.join('', [
          'max by (%s) (target:probe_target:info{objective="%s"}) * %s / 100\nor\n  ' % [key, o, o]
          for o in config.objectives
        ]) + '(max by (%s) (target:probe_success:last) >= bool 0) * %s / 100\n' % [key, config.objective],
      },

      // Instances that have exposed a metric that only this exporter has, for as long as Prometheus scrapes them. style is what one scrape
      // gets: the exporter with all of its targets, or one probe.
      {
        record: 'instance:errno_exporter:known',
        expr: |||
          label_replace(group by (job, instance, vantage) (errno_exporter_build_info), "style", "exporter", "", "")
          or on (job, instance, vantage)
            label_replace(group by (job, instance, vantage) (probe_reliable), "style", "probe", "", "")
          or on (job, instance, vantage)
            (last_over_time(instance:errno_exporter:known[1h]) and on (job, instance, vantage) up)
        |||,
      },
    ],
  },

  // The success rate over a window, where the window has samples for at least a quarter of it, as one sample is recorded every 15 s: one
  // failed probe of a new target is no outage.
  local rate(window, least) = {
    record: 'target:probe_success:avg_over_time' + window,
    expr: |||
      avg_over_time(target:probe_success:counted[%(window)s])
      and
        count_over_time(target:probe_success:counted[%(window)s]) >= %(least)d
    ||| % { window: window, least: least },
  },
  // Over long windows, from sums over five minutes.
  local longRate(window, least) = {
    record: 'target:probe_success:avg_over_time' + window,
    expr: |||
      sum_over_time(target:probe_success:sum_over_time5m[%(window)s])
      /
        sum_over_time(target:probe_success:count_over_time5m[%(window)s])
      and
        count_over_time(target:probe_success:count_over_time5m[%(window)s]) >= %(least)d
    ||| % { window: window, least: least },
  },

  local minuteGroup = {
    name: 'errno_recording_1m',
    interval: '1m',
    rules: [
      rate('5m', 5),
      rate('30m', 30),
      rate('1h', 60),
      { record: 'phase:probe_http_duration_seconds:median15m', expr: 'quantile_over_time(0.5, probe_http_duration_seconds[15m]) and on (%s) probe_reliable' % key },
    ],
  },
  local fiveMinuteGroup = {
    name: 'errno_recording_5m',
    interval: '5m',
    rules: [
      { record: 'target:probe_success:sum_over_time5m', expr: 'sum_over_time(target:probe_success:counted[5m])' },
      { record: 'target:probe_success:count_over_time5m', expr: 'count_over_time(target:probe_success:counted[5m])' },
      longRate('6h', 18),
      longRate('3d', 72),
      { record: 'phase:probe_http_duration_seconds:median5m', expr: 'quantile_over_time(0.5, probe_http_duration_seconds[5m]) and on (%s) probe_reliable' % key },
      // Hourly medians from before the last 15 minutes, which this one is compared with.
      {
        record: 'phase:probe_http_duration_seconds:median1d',
        expr: 'quantile_over_time(0.5, phase:probe_http_duration_seconds:median1h[1d] offset 15m)',
      },
    ],
  },
  // A day has 24 hourly medians and 288 of five minutes: their median takes a fifth of the time. An hour counts if the target was probed in
  // half of it.
  local hourGroup = {
    name: 'errno_recording_1h',
    interval: '1h',
    rules: [
      {
        record: 'phase:probe_http_duration_seconds:median1h',
        expr: |||
          quantile_over_time(0.5, phase:probe_http_duration_seconds:median5m[1h])
          and
            count_over_time(phase:probe_http_duration_seconds:median5m[1h]) >= 6
        |||,
      },
    ],
  },

  prometheusRules+:: { groups+: [wordGroup, group, minuteGroup, fiveMinuteGroup, hourGroup] },
}
