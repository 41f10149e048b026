// Workers that compute nothing: each has a connection of its own, speaks the real protocol, sends heartbeats, and
// answers every lease at once with a gradient of the real size. Plain HTTP/2 below the protocol, so that parameters are
// counted and not kept, and gradients are written from one shared piece of memory: the pretence costs less than what it
// measures.
import { readFileSync } from "node:fs";
import { connect } from "node:http2";
import { createInterface } from "node:readline";
import { clusterService, ExactSums, FLOW_CONTROL_WINDOW_BYTES, PROTOCOL_VERSION } from "@mzsr/shared";
import { FrameReader, frameOf, groupFrame, resultFrame } from "./grpc-frames.mjs";

const { path, requestSerialize, responseDeserialize } = clusterService().Session;
/** Tags of the messages that a worker which computes nothing need not read. */
const PARAMETERS = 0x12;
const ANNOUNCE = 0x3a;
/** The heartbeats of all workers are spread over the time between two by so many turns. */
const TURNS = 50;

/** Real-sized gradients, all different: windows into one array of small numbers. */
class Gradients {
  #bytes;
  #size;

  /** @param parameters elements of a gradient, @param tasks how many different ones there are */
  constructor(parameters, tasks) {
    const values = Float32Array.from({ length: parameters + tasks }, () => 1e-3 * (Math.random() - 0.5));
    this.#bytes = Buffer.from(values.buffer);
    this.#size = 4 * parameters;
  }

  of(index) {
    return this.#bytes.subarray(4 * index, 4 * index + this.#size);
  }
}

class PretendWorker {
  /** Leases that wait until answers may begin; absent from then on. */
  #waiting = [];
  #session;
  #stream;
  #answer;
  #onWelcome;
  #onEnd;

  /** @param tls what it shows and believes; absent for plain text, @param answer the result of leases that came together; absent where leases are left alone */
  constructor(address, tls, name, slots, answer, { onWelcome, onEnd }) {
    this.#answer = answer;
    this.#onWelcome = onWelcome;
    this.#onEnd = onEnd;
    this.#session = connect(`${tls === undefined ? "http" : "https"}://${address}`, {
      ...tls,
      settings: { initialWindowSize: FLOW_CONTROL_WINDOW_BYTES },
    });
    this.#session.on("connect", () => this.#session.setLocalWindowSize(FLOW_CONTROL_WINDOW_BYTES));
    this.#session.on("error", ({ message }) => onEnd(`${name}: ${message}`));
    this.#stream = this.#session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const reader = new FrameReader(
      (tag) => tag !== PARAMETERS && tag !== ANNOUNCE,
      (bytes) => this.#receive(bytes),
    );
    this.#stream.on("data", (chunk) => reader.take(chunk));
    this.#stream.on("error", ({ message }) => onEnd(`${name}: ${message}`));
    this.#stream.on("end", () => onEnd(`${name}: the coordinator ended its stream`));
    this.#send({
      hello: {
        protocolVersion: PROTOCOL_VERSION,
        worker: name,
        incarnation: `${name}-1`,
        backend: "simd",
        slots,
        version: "pretend",
        host: "127.0.0.1",
      },
    });
  }

  /** Answers what waits, and from now on everything at once. */
  begin() {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    if (waiting.length > 0) this.#return(waiting);
  }

  heartbeat() {
    this.#send({ heartbeat: { sentAtMs: Date.now(), busySlots: 0 } });
  }

  close() {
    this.#onEnd = () => undefined;
    this.#session.destroy();
  }

  #send(message) {
    if (!this.#stream.destroyed) this.#stream.write(frameOf(requestSerialize(message)));
  }

  #receive(bytes) {
    const message = responseDeserialize(bytes);
    if (message.message === "welcome") this.#onWelcome();
    if (message.message === "refusal") this.#onEnd(`refused: ${message.refusal.reason}`);
    if (message.message === "assign" && this.#answer !== undefined) {
      if (this.#waiting === undefined) this.#return(message.assign.leases);
      else this.#waiting.push(...message.assign.leases);
    }
  }

  #return(leases) {
    this.#stream.cork();
    for (const piece of this.#answer(leases)) this.#stream.write(piece);
    this.#stream.uncork();
  }
}

/** Answers leases with messages that are serialised by the real code but for gradients and sums, which are appended. */
function answerWith({ parameters, tasks, slots, supportLosses, queryLosses }) {
  const gradients = new Gradients(parameters, tasks);
  const sums = new Map();
  const losses = (count) => Array.from({ length: count }, (_, i) => 0.05 / (i + 1));
  const rest = {
    supportLosses: losses(supportLosses),
    queryLosses: losses(queryLosses),
    dataSeconds: 0.01,
    computeSeconds: 0.1,
  };
  const sumOf = (count) => {
    if (!sums.has(count)) sums.set(count, exactSum(parameters, gradients, count));
    return sums.get(count);
  };
  const reportOf = ({ id, task: { stage, step, index } }) => ({ lease: id, stage, step, index, ...rest });
  return (leases) => {
    if (slots > 1 && leases.length > 1) {
      const { high, low } = sumOf(leases.length);
      const grouped = leases.map((lease) => ({ ...reportOf(lease), sha256: Buffer.alloc(32) }));
      return groupFrame(requestSerialize({ group: { tasks: grouped } }), high, low);
    }
    return leases.flatMap((lease) =>
      resultFrame(requestSerialize({ result: reportOf(lease) }), gradients.of(lease.task.index % tasks)),
    );
  };
}

/** Any gradients will do: a coordinator cannot tell whose sum it is. */
function exactSum(parameters, gradients, count) {
  const sum = new ExactSums(parameters, 1).open();
  for (let i = 0; i < count; i++) sum.add(gradients.of(i));
  return sum.toBytes();
}

const workers = [];
let lost;

/** Connects workers `first` … `first + count − 1`, some at a time, and resolves once all are welcome. */
async function join({ address, tls: files, first, count, slots, answers, heartbeatSeconds }) {
  const answer = answers === null ? undefined : answerWith({ ...answers, slots });
  const tls = files && Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readFileSync(path)]));
  const onEnd = (reason) => {
    lost ??= reason;
  };
  if (heartbeatSeconds > 0) setInterval(beat, (1000 * heartbeatSeconds) / TURNS);
  const atOnce = 32;
  for (let i = 0; i < count; i += atOnce) {
    const group = Array.from({ length: Math.min(atOnce, count - i) }, (_, k) => `pretend-${first + i + k}`);
    await Promise.all(
      group.map(
        (name) =>
          new Promise((resolve, reject) => {
            const failed = (reason) => {
              onEnd(reason);
              reject(new Error(reason));
            };
            workers.push(new PretendWorker(address, tls, name, slots, answer, { onWelcome: resolve, onEnd: failed }));
          }),
      ),
    );
  }
}

let turn = 0;

function beat() {
  for (let i = turn; i < workers.length; i += TURNS) workers[i].heartbeat();
  turn = (turn + 1) % TURNS;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let problem;
  if (request.join !== undefined) await join(request.join).catch(({ message }) => (problem = message));
  if (request.answer === true) for (const worker of workers) worker.begin();
  process.stdout.write(`${JSON.stringify({ problem: problem ?? lost })}\n`);
}
for (const worker of workers) worker.close();
process.exit();
