// Writes a night of incidents as OpenMetrics, for promtool tsdb create-blocks-from openmetrics: what two exporters, in eu and us, scraped of
// twelve targets within eight hours. The same for every run, but for the time at which it ends.
import {createWriteStream} from 'node:fs';

const end = Math.floor(Date.now() / 60000) * 60, hours = 8, step = 60;
const out = createWriteStream(process.argv[2] ?? '/dev/stdout');

// A random number that only depends on the words before: so that two runs draw the same picture.
const random = (...words) => {
  let h = 2166136261;
  for (const c of words.join('|')) h = Math.imul(h ^ c.charCodeAt(0), 16777619);
  h ^= h >>> 15; h = Math.imul(h, 2246822507); h ^= h >>> 13; h = Math.imul(h, 3266489909); h ^= h >>> 16;
  return (h >>> 0) / 2 ** 32;
};
const ago = (hours) => end - hours * 3600;
const hit = (share, t, ...words) => random(t, ...words) < share;

const refused = ['connect', 'tcp.refused', 'ECONNREFUSED', 'peer', 'not_listening', 'unknown', 'medium'];
const reset = ['processing', 'tcp.reset', 'ECONNRESET', 'peer', 'server_aborts', 'server', 'medium'];
const silent = ['connect', 'tcp.timed_out', 'ETIMEDOUT', 'none', 'firewall_drop', 'unknown', 'medium'];
const egress = ['connect', 'tcp.timed_out', 'ETIMEDOUT', 'none', 'no_egress', 'us', 'high'];
const stalled = ['processing', 'http.response.timed_out', '', 'self', 'server_unresponsive', 'server', 'high'];
const expired = ['tls', 'tls.cert.date_invalid', '', 'self', 'certificate', 'server', 'high'];
const limited = ['validate', 'http.rate_limited', '', '', 'rate_limited', 'server', 'high'];
const broken = ['validate', 'http.error', '', '', 'server_error', 'server', 'high'];

// Name, team, duration of processing in s, days until the certificate expires, and what fails when: [from, to, share, failure, vantage].
const targets = [
  ['accounts', 'identity', 0.04, 61, []],
  ['billing', 'payments', 0.12, 55, [[ago(4.2), ago(3.9), 0.5, broken]]],
  ['checkout', 'payments', 0.09, 48, []],
  ['crm.partner.example', 'sales', 0.35, 33, [[ago(8), end + 60, 0.04, reset]]],
  ['fraud-score', 'payments', 0.06, 70, [[ago(2.6), ago(2.4), 1, stalled]]],
  ['geocoder', 'maps', 0.18, 12, [[ago(6.1), ago(5.4), 0.35, limited]]],
  ['inventory', 'supply', 0.07, 44, []],
  ['legacy-soap', 'supply', 0.22, -0.08, [[ago(1.9), end + 60, 1, expired]]],
  ['orders', 'shop', 0.05, 66, [[ago(0.3), end + 60, 1, refused]]],
  ['payments', 'payments', 0.08, 52, [[ago(5), ago(4.6), 0.3, reset], [ago(0.15), end + 60, 1, reset]]],
  ['search', 'shop', 0.08, 37, [[ago(3.1), ago(2.3), 0.15, stalled]]],
  ['webhooks.example', 'sales', 0.15, 25, [[ago(0.6), end + 60, 1, silent, 'us']]],
];
const cut = [ago(7.1), ago(6.85)]; // the egress of eu

const buckets = {connect: [0.001, 0.005, 0.025, 0.1, 0.25, 1, 3], processing: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 5]};
const phases = ['tls', 'processing', 'transfer'];
const counters = new Map();

const write = (name, labels, value, t) => out.write(
  `${name}{${Object.entries(labels).filter(([, v]) => v !== '').map(([k, v]) => `${k}="${v}"`).join(',')}} ${value} ${t}\n`);
const count = (name, labels, t, by = 1) => {
  const key = name + JSON.stringify(labels), value = (counters.get(key) ?? 0) + by;
  counters.set(key, value);
  write(name, labels, value, t);
};

function failureOf([name, , , , failures], vantage, t) {
  if (vantage === 'eu' && t >= cut[0] && t < cut[1]) return egress;
  const f = failures.find(([from, to, share, , where]) => t >= from && t < to && (!where || where === vantage) && hit(share, t, name, vantage));
  return f?.[3];
}

function durations(target, vantage, t, failure) {
  const [name, , processing] = target, noise = (phase) => 0.7 + 0.6 * random(name, vantage, t, phase) ** 2 + (hit(0.02, t, name, phase) ? 2 : 0);
  const slow = name === 'search' && t >= ago(3.1) && t < ago(2.3) ? 9 : 1, far = vantage === 'us' ? 0.09 : 0.018;
  const all = {resolve: 0.002, connect: far, tls: 2 * far, request: 0.0004, processing: processing * slow + far, transfer: 0.004};
  for (const p in all) all[p] *= noise(p);
  if (!failure) return all;
  const until = {connect: 1, tls: 2, processing: 4, validate: 6}[failure[0]];
  const kept = Object.fromEntries(Object.entries(all).slice(0, until + 1));
  if (failure[1].endsWith('timed_out')) kept[failure[0]] = 5;
  return kept;
}

const lastSuccess = new Map(), lastFailure = new Map(), lastCause = new Map();

function probe(target, vantage, t) {
  const [name, team, , days] = target, of = {job: 'apis', instance: `exporter-${vantage}:10104`, vantage, target: name}, key = vantage + name;
  const failure = failureOf(target, vantage, t), took = durations(target, vantage, t, failure);
  (failure ? lastFailure : lastSuccess).set(key, t);
  write('probe_success', of, failure ? 0 : 1, t);
  write('probe_reliable', of, 1, t);
  write('probe_target_info', {...of, team, module: 'http_2xx', url: `https://${name.includes('.') ? name : name + '.internal.example'}/health`}, 1, t);
  write('probe_duration_seconds', of, Object.values(took).reduce((a, b) => a + b, 0), t);
  if (lastSuccess.has(key)) write('probe_last_success_timestamp_seconds', of, lastSuccess.get(key), t);
  if (lastFailure.has(key)) write('probe_last_failure_timestamp_seconds', of, lastFailure.get(key), t);
  for (const [phase, s] of Object.entries(took)) write('probe_http_duration_seconds', {...of, phase}, s, t);
  for (const phase of phases) count('probe_connection_resets_total', {...of, phase}, t, failure?.[1] === 'tcp.reset' && failure[0] === phase ? 1 : 0);
  count('probe_attempts_total', of, t);
  count('probe_attempts_failed_total', of, t, failure ? 1 : 0);
  for (const phase in buckets) {
    const ok = phase in took && failure?.[0] !== phase;
    for (const le of [...buckets[phase], '+Inf']) count('probe_phase_duration_seconds_bucket', {...of, phase, result: 'success', le}, t, ok && (le === '+Inf' || took[phase] <= le) ? 1 : 0);
  }
  const [phase, reason, errno, origin, cause, party, confidence] = failure ?? [];
  const failures = new Set([...target[4].map((f) => f[3]), ...(vantage === 'eu' ? [egress] : [])]);
  for (const f of failures) count('probe_failures_total', {...of, phase: f[0], reason: f[1], errno: f[2], origin: f[3]}, t, f === failure ? 1 : 0);
  if (failure) {
    write('probe_failure_info', {...of, phase, reason, errno, origin}, 1, t);
    lastCause.set(key, {cause, party, confidence});
  }
  if (t - (lastFailure.get(key) ?? 0) < 600) write('probe_cause_info', {...of, ...lastCause.get(key)}, 1, t);
  const connected = !failure || failure[0] !== 'connect', answered = !failure || failure[0] === 'validate';
  write('probe_http_status_code', of, answered ? {'http.error': 503, 'http.rate_limited': 429}[reason] ?? 200 : 0, t);
  const repeated = failure?.[1] === 'tcp.timed_out' ? 3 : hit(0.01, t, key, 'syn') ? 1 : 0;
  if (repeated) write('probe_tcp_syn_retransmits', of, repeated, t);
  write('probe_dns_lookup_time_seconds', of, took.resolve, t);
  write('probe_addresses', of, 2, t);
  if (!connected) return;
  const rtt = (vantage === 'us' ? 0.09 : 0.018) * (0.9 + 0.3 * random(t, key, 'rtt'));
  write('probe_tcp_rtt_seconds', of, rtt, t);
  write('probe_http_uncompressed_body_length', of, answered ? 5210 : 0, t);
  write('probe_http_content_length', of, answered ? 5210 : 0, t);
  if (hit(0.02, t, key, 'lost')) write('probe_tcp_retransmitted_segments', of, 1, t);
  write('probe_ssl_earliest_cert_expiry', of, end + days * 86400, t);
  write('probe_tls_version_info', {...of, version: 'TLS 1.3'}, 1, t);
  write('probe_tls_cipher_info', {...of, cipher: 'TLS_AES_128_GCM_SHA256'}, 1, t);
  if (name !== 'payments') return;
  for (const idle of [10, 50, 70]) {
    const died = idle === 70 || (idle === 50 && t >= ago(5));
    write('probe_keepalive_success', {...of, idle: idle + 's'}, died ? 0 : 1, t);
    if (died) write('probe_keepalive_idle_seconds', {...of, idle: idle + 's'}, t >= ago(5) ? 30.1 : 60.1, t);
  }
  write('probe_keepalive_announced_seconds', of, 60, t);
  write('probe_keepalive_lifetime_seconds', {...of, bound: 'survived'}, t >= ago(5) ? 29 : 58, t);
  write('probe_keepalive_lifetime_seconds', {...of, bound: 'died'}, t >= ago(5) ? 31 : 62, t);
  write('probe_keepalive_end_info', {...of, end: 'fin', by: 'age'}, 1, t);
}

function exporter(vantage, t) {
  const of = {job: 'apis', instance: `exporter-${vantage}:10104`, vantage}, down = vantage === 'eu' && t >= cut[0] && t < cut[1];
  const noisy = (name, value) => value * (0.97 + 0.04 * random(vantage, Math.floor(t / 900), name) + 0.02 * random(vantage, t, name)), busy = vantage === 'eu' && t >= ago(3.1) && t < ago(2.7) ? 6 : 1;
  write('up', of, 1, t);
  write('errno_exporter_build_info', {...of, version: '0.1.0', goversion: 'go1.26.8'}, 1, t);
  write('errno_exporter_egress_up', of, down ? 0 : 1, t);
  for (const control of ['dns.example', 'status.example']) write('errno_exporter_control_up', {...of, control, kind: 'tcp'}, down ? 0 : 1, t);
  for (const sign of ['syn_retransmit', 'reset', 'timeout', 'dns_loss']) write('errno_exporter_egress_affected_networks', {...of, sign}, down && sign === 'timeout' ? 14 : 0, t);
  const host = {descriptors: 310, descriptors_limit: 65536, ephemeral_ports: 28232, ephemeral_ports_used_most: 140, time_wait_sockets: 420, conntrack_entries: 9400,
    conntrack_limit: 65536, cpu_pressure_ratio: 0.01 * busy, memory_pressure_ratio: 0};
  for (const [name, value] of Object.entries(host)) write('errno_exporter_host_' + name, of, name.endsWith('limit') || name === 'ephemeral_ports' ? value : noisy(name, value), t);
  const counted = {tcp_resets_received: 0.6, tcp_resets_sent: 0.2, tcp_retransmitted_segments: 1.5, tcp_syn_retransmissions: down ? 20 : 0.2, no_route: 0, softnet_dropped: 0, conntrack_drops: 0};
  for (const [name, value] of Object.entries(counted)) count(`errno_exporter_host_${name}_total`, of, t, step * noisy(name, value));
  count('errno_exporter_host_cpu_throttled_seconds_total', of, t, busy > 1 ? 9 : 0);
  count('errno_exporter_host_scheduler_delay_seconds_total', of, t, 0.2 * busy);
  for (const le of [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1]) count('errno_exporter_scheduler_delay_seconds_bucket', {...of, le}, t, Math.round(12000 * Math.min(1, (1 - Math.exp(-le * 2500 / busy)))));
  count('errno_exporter_scheduler_delay_seconds_bucket', {...of, le: '+Inf'}, t, 12000);
  const gauges = {errno_exporter_targets: 12, errno_exporter_remembered_targets: 0, errno_exporter_config_last_reload_successful: 1, errno_exporter_probe_slots: 64,
    errno_exporter_kept_connections: 3, errno_exporter_egress_networks: 14};
  for (const [name, value] of Object.entries(gauges)) write(name, of, value, t);
  const moving = {errno_exporter_probes_running: down ? 11 : 1.2, process_resident_memory_bytes: 61e6, go_memstats_heap_alloc_bytes: 24e6, process_open_fds: 31, go_goroutines: 62,
    scrape_duration_seconds: down ? 5 : 0.9 * (busy > 1 ? 2 : 1), scrape_samples_scraped: 1620};
  for (const [name, value] of Object.entries(moving)) write(name, of, noisy(name, value), t);
  const totals = {errno_exporter_probes_total: 12, errno_exporter_probes_overloaded_total: busy > 1 ? 2 : 0, errno_exporter_probes_unreliable_total: busy > 1 ? 2 : 0, errno_exporter_probes_not_started_total: 0,
    errno_exporter_probe_slot_wait_seconds_total: busy > 1 ? 0.8 : 0, errno_exporter_handshake_wait_seconds_total: 0.02 * busy, process_cpu_seconds_total: 1.1 * busy ** 0.5};
  for (const [name, value] of Object.entries(totals)) count(name, of, t, noisy(name, value));
}

function prometheus(t) {
  const of = {job: 'prometheus', instance: 'prometheus:9090'};
  for (const [name, interval, took, samples] of [['errno_words', 60, 0.004, 92], ['errno_recording', 15, 0.021, 410], ['errno_recording_1m', 60, 0.045, 220], ['errno_recording_5m', 300, 0.08, 260],
    ['errno_alerts', 15, 0.035, 9]]) {
    const group = {...of, rule_group: `/etc/prometheus/rules/errno.yml;${name}`};
    write('prometheus_rule_group_last_duration_seconds', group, took * (0.95 + 0.1 * random(name, Math.floor(t / 1800))), t);
    write('prometheus_rule_group_interval_seconds', group, interval, t);
    write('prometheus_rule_group_last_evaluation_samples', group, samples, t);
    write('prometheus_rule_group_iterations_missed_total', group, 0, t);
    write('prometheus_rule_evaluation_failures_total', group, 0, t);
  }
}

for (let t = end - hours * 3600; t <= end; t += step) {
  for (const vantage of ['eu', 'us']) {
    for (const target of targets) probe(target, vantage, t);
    exporter(vantage, t);
  }
  prometheus(t);
}
out.end('# EOF\n');
