// Draws docs/pictures/alert.png: the e-mail that Alertmanager sends when an API resets every connection, as it arrives.
//
//	make build tools && node alert.mjs [picture]
//
// The exporter, Prometheus and Alertmanager are real, with the rules and routes of monitoring/. The alert takes some minutes.
import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const root = new URL('../../', import.meta.url).pathname;
const picture = process.argv[2] ?? join(root, 'docs/pictures/alert.png');
const work = mkdtempSync(join(tmpdir(), 'alert'));
const listen = handle => new Promise(ready => {
  const server = createServer(handle).listen(0, '127.0.0.1', () => ready(server.address().port));
});

// The API resets each connection once it has the request.
const api = await listen(socket => socket.on('error', () => {}).once('data', () => socket.resetAndDestroy()));

// The mailbox speaks as much SMTP (RFC 5321) as a client needs.
let received;
const mail = new Promise(resolve => { received = resolve; });
const mailbox = await listen(socket => {
  let text = '', data = false;
  socket.on('error', () => {}).write('220 mailbox\r\n');
  socket.on('data', chunk => {
    text += chunk;
    for (let end; (end = text.indexOf(data ? '\r\n.\r\n' : '\r\n')) >= 0;) {
      const line = text.slice(0, end);
      text = text.slice(end + (data ? 5 : 2));
      if (data) {
        data = false;
        received(line);
        socket.write('250 kept\r\n');
      } else if (line.startsWith('DATA')) {
        data = true;
        socket.write('354 go on\r\n');
      } else {
        socket.write(line.startsWith('QUIT') ? '221 bye\r\n' : '250 ok\r\n');
      }
    }
  });
});

const write = (name, text) => { writeFileSync(join(work, name), text); return join(work, name); };
const monitoring = name => join(root, 'monitoring', name);
const [exporter, prometheus, alertmanager] = [23110, 23111, 23112].map(port => `127.0.0.1:${port}`);
const config = write('exporter.yml', `modules: {api: {prober: http}}
targets:
  - {name: payments, url: "http://127.0.0.1:${api}/v1/health", module: api, labels: {team: billing}}
`);
const scrapes = write('prometheus.yml', `global: {scrape_interval: 15s, evaluation_interval: 15s, external_labels: {vantage: eu}}
rule_files: ["${monitoring('recording.yml')}", "${monitoring('alerts.yml')}"]
alerting: {alertmanagers: [{static_configs: [{targets: ["${alertmanager}"]}]}]}
scrape_configs:
  - {job_name: apis, static_configs: [{targets: ["${exporter}"]}]}
`);
const routes = write('alertmanager.yml', readFileSync(monitoring('alertmanager.yml'), 'utf8')
  .replace('global:\n', `global:\n  smtp_smarthost: 127.0.0.1:${mailbox}\n  smtp_from: alertmanager@example.com\n  smtp_require_tls: false\n`)
  .replaceAll(/webhook_configs:\n      - url: http:\S+\n        send_resolved: true/g, 'email_configs: [{to: on-call@example.com}]'));

const running = [
  [join(root, 'errno_exporter'), `--config.file=${config}`, `--web.listen-address=${exporter}`],
  [join(root, '.tools/alertmanager-31'), `--config.file=${routes}`, `--web.listen-address=${alertmanager}`, '--cluster.listen-address=',
    `--storage.path=${join(work, 'am')}`, '--web.external-url=https://alertmanager.example.com'],
  [join(root, '.tools/prometheus-3'), `--config.file=${scrapes}`, `--web.listen-address=${prometheus}`, `--storage.tsdb.path=${join(work, 'data')}`,
    '--web.external-url=https://prometheus.example.com'],
].map(([program, ...flags]) => spawn(program, flags, {stdio: 'ignore'}));

try {
  const message = await mail;
  const html = message.split('Content-Type: text/html').at(-1);
  const body = html.slice(html.indexOf('\r\n\r\n') + 4).split('\r\n--')[0]
    .replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  const page = write('mail.html', Buffer.from(body, 'latin1'));
  execFileSync('chromium', ['--headless', '--no-sandbox', '--hide-scrollbars', '--force-device-scale-factor=1', '--window-size=720,800',
    `--screenshot=${picture}`, `file://${page}`], {stdio: 'ignore'});
  console.log(message.match(/^Subject: .*$/m)[0]);
} finally {
  running.forEach(program => program.kill());
}
process.exit(0);
