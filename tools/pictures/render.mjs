// Draws monitoring/dashboards/*.json as Grafana would, with Grafana's own components in chromium, from what a Prometheus has:
//
//	npm install && node render.mjs http://localhost:9090 [minutes] [target] [dark|light] [directory]
//
// The pictures are written to docs/pictures; those there are of a night of incidents (night.sh). They end at the newest sample. "+" after
// minutes opens all rows.
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {build} from 'esbuild';

const [prometheus, range = '15', target = '.*', mode = 'dark', directory] = process.argv.slice(2);
const minutes = parseInt(range), opened = range.endsWith('+');
const root = new URL('../../', import.meta.url).pathname, pictures = directory ?? join(root, 'docs/pictures');
const newest = await ask('query', {query: 'max(max_over_time(timestamp(probe_success)[1h:15s]))'});
const to = Number(newest[0].value[1]), from = to - minutes * 60, step = Math.max(5, Math.round(minutes * 60 / 300));

// fill puts the variables' values in a query, as Grafana does.
const fill = (expr, values) => Object.entries({
  __rate_interval: `${4 * step}s`, __interval: `${step}s`, __range: `${minutes}m`, job: '.+', instance: '.+', top: '20', ...values,
}).reduce((e, [name, value]) => e.replaceAll('$' + name, value), expr);

async function ask(path, parameters) {
  const response = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  if (body.status !== 'success') throw new Error(`${parameters.query}: ${body.error}`);
  return body.data.result;
}

// The step of a panel is at least its interval.
const stepOf = (panel) => Math.max(step, panel.interval === '2m' ? 120 : 0);

async function panelData(panel, values) {
  const step = stepOf(panel);
  return Promise.all((panel.targets ?? []).map(async (q) => {
    const query = fill(q.expr, {...values, __rate_interval: `${4 * step}s`, __interval: `${step}s`});
    const result = q.instant ? await ask('query', {query, time: to}) : await ask('query_range', {query, start: from, end: to, step});
    return {legend: q.legendFormat, result};
  }));
}

const work = mkdtempSync(join(tmpdir(), 'pictures-'));
await build({
  entryPoints: [new URL('src/main.jsx', import.meta.url).pathname], bundle: true, outfile: join(work, 'main.js'), format: 'iife', minify: true,
  define: {'process.env.NODE_ENV': '"production"', global: 'globalThis'}, loader: {'.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'dataurl', '.ttf': 'dataurl'}, logLevel: 'error',
});

// open puts the panels of collapsed rows below them.
function open(panels) {
  let moved = 0;
  return panels.flatMap((p) => {
    const row = {...p, gridPos: {...p.gridPos, y: p.gridPos.y + moved}};
    if (!p.collapsed) return [row];
    const inside = p.panels.map((q) => ({...q, gridPos: {...q.gridPos, y: q.gridPos.y + moved}}));
    moved += Math.max(...p.panels.map((q) => q.gridPos.y + q.gridPos.h)) - p.gridPos.y - 1;
    return [{...row, collapsed: false}, ...inside];
  });
}

mkdirSync(pictures, {recursive: true});
for (const file of readdirSync(join(root, 'monitoring/dashboards'))) {
  const dashboard = JSON.parse(readFileSync(join(root, 'monitoring/dashboards', file)));
  if (opened) dashboard.panels = open(dashboard.panels);
  const values = {target};
  const data = await Promise.all(dashboard.panels.map((p) => panelData(p, values)));
  const rows = Math.max(...dashboard.panels.map((p) => p.gridPos.y + p.gridPos.h));
  const page = join(work, file.replace('.json', '.html'));
  writeFileSync(page, `<!DOCTYPE html><meta charset="utf-8"><link rel="stylesheet" href="main.css"><body style="margin:0"><div id="root"></div>
<script>window.input = ${JSON.stringify({dashboard, data, from: from * 1000, to: to * 1000, mode}).replaceAll('<', '\\u003c')}</script><script src="main.js"></script>`);
  const picture = join(pictures, file.replace('.json', '.png'));
  execFileSync('chromium', ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--hide-scrollbars', '--allow-file-access-from-files', `--user-data-dir=${join(work, 'profile')}`,
    `--window-size=1500,${rows * 38 + 60}`, '--virtual-time-budget=15000', `--screenshot=${picture}`, 'file://' + page], {stdio: process.env.DEBUG ? 'inherit' : 'ignore'});
  console.log(picture);
}
