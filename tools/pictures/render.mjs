// Draws monitoring/dashboards/*.json as Grafana would, with Grafana's own components in chromium, from what a Prometheus has:
//
//	npm install && node render.mjs http://localhost:9090 [minutes] [target]
//
// The pictures are written to docs/pictures.
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {build} from 'esbuild';

const [prometheus, minutes = '15', target = '.*'] = process.argv.slice(2);
const root = new URL('../../', import.meta.url).pathname;
const to = Math.floor(Date.now() / 1000), from = to - minutes * 60, step = Math.max(5, Math.round(minutes * 60 / 300));

// fill puts the variables' values in a query, as Grafana does.
const fill = (expr, values) => Object.entries({
  __rate_interval: `${4 * step}s`, __interval: `${step}s`, __range: `${minutes}m`, job: '.+', instance: '.+', ...values,
}).reduce((e, [name, value]) => e.replaceAll('$' + name, value), expr);

async function ask(path, parameters) {
  const response = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  if (body.status !== 'success') throw new Error(`${parameters.query}: ${body.error}`);
  return body.data.result;
}

async function panelData(panel, values) {
  return Promise.all(panel.targets.map(async (q) => {
    const query = fill(q.expr, values);
    const result = q.instant ? await ask('query', {query, time: to}) : await ask('query_range', {query, start: from, end: to, step});
    return {legend: q.legendFormat, result};
  }));
}

const work = mkdtempSync(join(tmpdir(), 'pictures-'));
await build({
  entryPoints: [new URL('src/main.jsx', import.meta.url).pathname], bundle: true, outfile: join(work, 'main.js'), format: 'iife', minify: true,
  define: {'process.env.NODE_ENV': '"production"', global: 'globalThis'}, loader: {'.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl'}, logLevel: 'error',
});
mkdirSync(join(root, 'docs/pictures'), {recursive: true});
for (const file of readdirSync(join(root, 'monitoring/dashboards'))) {
  const dashboard = JSON.parse(readFileSync(join(root, 'monitoring/dashboards', file)));
  const values = {target};
  const data = await Promise.all(dashboard.panels.map((p) => panelData(p, values)));
  const rows = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h));
  const page = join(work, file.replace('.json', '.html'));
  writeFileSync(page, `<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="main.css"><body style="margin:0"><div id="root"></div>
<script>window.input = ${JSON.stringify({dashboard, data, from: from * 1000, to: to * 1000}).replaceAll('<', '\\u003c')}</script><script src="main.js"></script>`);
  const picture = join(root, 'docs/pictures', file.replace('.json', '.png'));
  execFileSync('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--hide-scrollbars', '--allow-file-access-from-files', `--user-data-dir=${join(work, 'profile')}`,
    `--window-size=1500,${rows * 38 + 60}`, '--virtual-time-budget=15000', `--screenshot=${picture}`, 'file://' + page], {stdio: process.env.DEBUG ? 'inherit' : 'ignore'});
  console.log(picture);
}
