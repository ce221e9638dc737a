// An application with Node's agent: node node_app.mjs NAME=URL=PLAN…
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const leaked = [];

function call(agent, url, kind) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method: "POST", headers: { "Content-Length": 10 } }, (answer) => {
      if (kind === "P") {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode));
        answer.on("error", reject);
        return;
      }
      answer.on("error", () => {}); // of what is not read
      if (kind === "L") leaked.push(answer);
      if (kind === "L") return resolve(answer.statusCode);
      setTimeout(() => { // until more has arrived than is read
        answer.destroy();
        resolve(answer.statusCode);
      }, 300);
    });
    request.on("error", reject);
    request.end("0123456789");
  });
}

async function run(job) {
  const [name, url, plan] = job.split("=");
  const agent = new http.Agent({ keepAlive: true });
  for (const step of plan.split(",")) {
    const [kind, count] = [step[0], Number(step.slice(1) || 1)];
    if (kind === "w") {
      await sleep(count);
      continue;
    }
    for (let i = 0; i < count; i++) {
      const outcome = await call(agent, url, kind).catch((e) => `${e.code} ${e.message}`);
      console.log(`${name} ${step} ${outcome}`);
    }
  }
}

await Promise.all(process.argv.slice(2).map(run));
process.exit(0); // what was leaked keeps it running
