import http from 'node:http';
import https from 'node:https';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const IDLE = 4000; // ms: the agent closes what was idle for longer; below the server's idle timeout
const ATTEMPTS = 4, BASE = 100, CAP = 2000;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const BUSY = new Set([429, 502, 503, 504]);
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

// keepAliveMsecs is TCP's: the first probe of an idle connection, for a NAT that removes idle flows.
const options = { keepAlive: true, keepAliveMsecs: 30000, timeout: IDLE, maxSockets: 10 };
const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) };

function attempt(method, url, { signal, body }) {
  return new Promise((resolve, reject) => {
    const { protocol } = new URL(url);
    const send = protocol === 'https:' ? https.request : http.request;
    const request = send(url, { method, agent: agents[protocol], signal }, async (response) => {
      try {
        const pieces = [];
        for await (const piece of response) pieces.push(piece);
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) });
      } catch (error) {
        reject(error);
      }
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function call(method, url, deadline, body) {
  const end = performance.now() + deadline;
  for (let n = 1; ; n++) {
    let wait = Math.random() * Math.min(CAP, BASE * 2 ** n); // backoff with full jitter
    let response, failure;
    try {
      // The signal bounds the whole attempt, connecting and body too.
      const signal = AbortSignal.timeout(Math.max(1, Math.floor(end - performance.now())));
      response = await attempt(method, url, { signal, body });
      if (!BUSY.has(response.status) || !IDEMPOTENT.has(method)) return response;
      wait = Math.max(wait, 1000 * (Number(response.headers['retry-after']) || 0));
    } catch (error) {
      if (!IDEMPOTENT.has(method) && !NOT_SENT.has(error.code)) throw error; // the server may have processed it
      failure = error;
    }
    if (n === ATTEMPTS || performance.now() + wait >= end) {
      if (failure) throw failure;
      return response;
    }
    await sleep(wait);
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) { // METHOD URL SECONDS
  const [method, url, seconds] = line.split(' ');
  try {
    console.log((await call(method, url, 1000 * seconds)).status);
  } catch (error) {
    console.log('failed', error.code ?? error.name, error.message);
  }
}
process.exit();
