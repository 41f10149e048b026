import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { credentials, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { InputError } from "@mzsr/mzsr";
import {
  authorization,
  type ClusterClient,
  clusterClient,
  FLOW_CONTROL_WINDOW_BYTES,
  type GroupResult,
  type TaskReport,
} from "@mzsr/shared";
import { helloOf, ScriptedWorker } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, type TestContext, test, vi } from "vitest";
import type { CoordinatorEvent } from "../core/events.js";
import { loadDataset } from "../tasks/dataset.js";
import { serverCredentials, watchCredentials } from "./credentials.js";
import { type GrpcServer, type GrpcServerOptions, startGrpcServer } from "./grpc-server.js";
import { signJoinToken } from "./join-token.js";
import { MAX_WAITING_MESSAGES } from "./outbox.js";
import { ParametersMessages } from "./outgoing.js";
import { Tokens } from "./tokens.js";

const tokensOf = (secret: string | undefined) => new Tokens({ secret, run: "run" });

async function serve(changes: Partial<GrpcServerOptions> = {}) {
  const events: CoordinatorEvent[] = [];
  const refusals: string[] = [];
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    credentials: ServerCredentials.createInsecure(),
    images: [],
    tokens: tokensOf(undefined),
    largestMessage: 1_000_000,
    keptSteps: 1,
    deliver: (event) => events.push(event),
    onRefusal: (reason, _peer, kind) => refusals.push(`${kind}: ${reason}`),
    ...changes,
  });
  onTestFinished(() => server.stop("the test is over"));
  return { server, events, refusals };
}

function connect(server: GrpcServer, token = ""): ScriptedWorker {
  const worker = ScriptedWorker.at(`127.0.0.1:${server.port}`, token);
  onTestFinished(() => worker.client.close());
  return worker;
}

/** Resolves with the event once it is there. */
function eventOf<T extends CoordinatorEvent["type"]>(events: CoordinatorEvent[], type: T) {
  return vi.waitUntil(() => events.find((event) => event.type === type), 20_000) as Promise<
    Extract<CoordinatorEvent, { type: T }>
  >;
}

const report: TaskReport = {
  stage: "metaTraining",
  step: 3,
  index: 1,
  supportLosses: [0.5],
  queryLosses: [0.5, 0.25],
  dataSeconds: 0.1,
  computeSeconds: 0.2,
};

const gradient = Buffer.from(Float32Array.of(1, -2.5, 3e-20).buffer);

const group: GroupResult = {
  tasks: [{ lease: "l3", report, sha256: "0f".repeat(32) }],
  sum: { high: Buffer.alloc(8, 1), low: Buffer.alloc(8, 2), count: 1 },
};

test("what a worker says arrives as events of its session, and its end exactly once", async () => {
  const { server, events } = await serve();
  const worker = connect(server);
  worker.hello(helloOf("alice", { slots: 3, metricsAddress: "10.0.0.1:9000" }));
  worker.send({ type: "heartbeat", sentAtMs: 1, busySlots: 2 });
  worker.send({ type: "result", lease: "l1", report, gradient });
  worker.send({ type: "group", ...group });
  worker.send({ type: "failure", lease: "l2", reason: "no memory" });
  worker.send({ type: "goodbye", reason: "leaving" });
  worker.close();
  await worker.closed();
  await eventOf(events, "disconnected");
  const { session } = await eventOf(events, "join");
  expect(events).toEqual([
    { type: "join", session, hello: expect.objectContaining({ worker: "alice", slots: 3 }) },
    { type: "heartbeat", worker: "alice", incarnation: "alice-1", via: "stream", busySlots: 2 },
    { type: "result", session, result: { lease: "l1", report, gradient } },
    { type: "group", session, group },
    { type: "failure", session, lease: "l2", reason: "no memory" },
    { type: "goodbye", session, reason: "leaving" },
    { type: "disconnected", session, reason: expect.any(String) },
  ]);
});

test("a connection that breaks without a word is a disconnection", async () => {
  const { server, events } = await serve();
  const worker = connect(server);
  worker.hello(helloOf("alice"));
  await eventOf(events, "join");
  worker.cut();
  await eventOf(events, "disconnected");
  expect(events.map(({ type }) => type)).toEqual(["join", "disconnected"]);
});

test("who does not know the token is refused before a message is read, and never becomes a worker", async () => {
  const { server, events, refusals } = await serve({ tokens: tokensOf("secret") });
  for (const token of ["guess", ""]) {
    const stranger = connect(server, token);
    stranger.hello(helloOf("stranger"));
    await stranger.closed();
    expect(stranger.ended).toMatch(/^16 UNAUTHENTICATED: .*give the worker the coordinator's, or a join token of it/);
  }
  expect(refusals).toEqual([expect.stringMatching(/^token: .*not this cluster's/), expect.stringMatching(/no token/)]);
  const friend = connect(server, "secret");
  friend.hello(helloOf("friend"));
  const join = await eventOf(events, "join");
  expect(join.hello.worker).toBe("friend");
  expect(JSON.stringify([events, refusals])).not.toContain("secret");
});

test("a join token lets workers in until it expires or is revoked; revoking it ends their sessions, and nobody else's", async () => {
  const revoked = new Set<string>();
  let now = 1000;
  const tokens = new Tokens({ secret: "secret", run: "run", revoked: () => revoked, now: () => now });
  const { server, events, refusals } = await serve({ tokens });
  const token = (id: string, run = "run") => signJoinToken("secret", { id, run, expires: 2000 });
  const join = (name: string, shown: string) => {
    const worker = connect(server, shown);
    worker.hello(helloOf(name));
    return worker;
  };
  const joined = (name: string) =>
    vi.waitUntil(() => events.some((event) => event.type === "join" && event.hello.worker === name), 20_000);
  const [a, b] = [join("a", token("id-a")), join("b", token("id-b"))];
  await joined("a");
  await joined("b");
  const stranger = join("stranger", token("id-c", "another"));
  await stranger.closed();
  expect(stranger.ended).toMatch(/16 UNAUTHENTICATED: the join token id-c is for the run "another"/);
  now = 2000;
  const late = join("late", token("id-a"));
  await late.closed();
  expect(late.ended).toMatch(/the join token id-a expired at 1970-01-01T00:33:20/);
  server.recheck(tokens);
  revoked.add("id-b");
  server.recheck(tokens);
  expect(await b.next("refusal")).toMatchObject({ retry: false, reason: "the join token id-b has been revoked" });
  await b.closed();
  a.send({ type: "heartbeat", sentAtMs: 1, busySlots: 1 });
  await eventOf(events, "heartbeat");
  expect(a.ended).toBeUndefined();
  expect(refusals.map((refusal) => refusal.split(":")[0])).toEqual(["token", "expired", "revoked"]);
});

test("another protocol version and a first message that is no hello are refused", async () => {
  const { server, events } = await serve();
  const old = connect(server);
  old.hello(helloOf("old", { protocolVersion: 99 }));
  expect((await old.next("refusal")).reason).toMatch(/speaks protocol 99, this coordinator 3/);
  const rude = connect(server);
  rude.send({ type: "goodbye", reason: "hm" });
  expect((await rude.next("refusal")).reason).toMatch(/was goodbye, not hello/);
  expect(events).toEqual([]);
});

test("a result that cannot be read fails its lease; the session goes on", async () => {
  const { server, events } = await serve();
  const worker = connect(server);
  worker.hello(helloOf("alice"));
  worker.sendRaw({ result: { lease: "l1", stage: "META_TRAINING", gradient: Buffer.alloc(5) } });
  const failure = await eventOf(events, "failure");
  expect(failure).toMatchObject({ lease: "l1", reason: expect.stringMatching(/unusable result: .*5 bytes/) });
  worker.send({ type: "result", lease: "l2", report, gradient });
  await eventOf(events, "result");
});

test("a group that cannot be read fails all its leases", async () => {
  const { server, events } = await serve();
  const worker = connect(server);
  worker.hello(helloOf("alice"));
  worker.sendRaw({ group: { tasks: [{ lease: "l1" }, { lease: "l2" }], high: Buffer.alloc(8), low: Buffer.alloc(8) } });
  await vi.waitUntil(() => events.filter(({ type }) => type === "failure").length === 2, 20_000);
  expect(events.slice(1)).toMatchObject([{ lease: "l1" }, { lease: "l2" }]);
});

test("a message of no kind ends the session, with the reason and leave to try again", async () => {
  const { server, events } = await serve();
  const worker = connect(server);
  worker.hello(helloOf("alice"));
  worker.sendRaw({});
  expect(await worker.next("refusal")).toMatchObject({ retry: true, reason: expect.stringContaining("no known kind") });
  await eventOf(events, "disconnected");
});

test("parameters are serialised once per step, and every worker gets the same", async () => {
  const { server, events } = await serve();
  const theta = Float32Array.from({ length: 1000 }, (_, i) => i / 7);
  const serialised: number[] = [];
  const parameters = new ParametersMessages((step) => {
    serialised.push(step);
    return { stage: "metaTraining", step, theta };
  }, 1);
  const workers = ["a", "b", "c"].map((name) => {
    const worker = connect(server);
    worker.hello(helloOf(name));
    return worker;
  });
  await vi.waitUntil(() => events.length === 3, 20_000);
  for (const event of events) if (event.type === "join") server.send(event.session, parameters.before(5));
  for (const worker of workers) {
    expect(await worker.next("parameters")).toEqual({ type: "parameters", stage: "metaTraining", step: 5, theta });
  }
  expect(serialised).toEqual([5]);
  parameters.before(6);
  parameters.before(5);
  expect(serialised).toEqual([5, 6, 5]);
});

async function fetched(client: ClusterClient, sha256: string, token = ""): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const call = client.FetchImage({ sha256 }, authorization(token));
  for await (const chunk of call) chunks.push((chunk as { data: Buffer }).data);
  return Buffer.concat(chunks);
}

test("images of the data set are served by their hash to who knows the token, and nothing else is", async () => {
  const folder = await temporaryFolder();
  const { images } = await loadDataset(await smallImages(folder), smallConfiguration());
  const { server } = await serve({ images, tokens: tokensOf("secret") });
  const { client } = connect(server);
  const bytes = await fetched(client, images[0]!.sha256, "secret");
  expect(bytes.equals(await readFile(images[0]!.path))).toBe(true);
  const codeOf = (call: Promise<unknown>) =>
    call.then(
      () => status.OK,
      (error: ServiceError) => error.code,
    );
  expect(await codeOf(fetched(client, images[0]!.sha256, "guess"))).toBe(status.UNAUTHENTICATED);
  expect(await codeOf(fetched(client, "0".repeat(64), "secret"))).toBe(status.NOT_FOUND);
});

test("a port in use is named, with the flag that sets it", async () => {
  const { server } = await serve();
  const second = serve({ port: server.port });
  await expect(second).rejects.toThrow(InputError);
  await expect(second).rejects.toThrow(new RegExp(`127.0.0.1:${server.port}.*--port`));
});

/** An authority, and a certificate for 127.0.0.1 that it signed. */
async function certificates(context: TestContext) {
  const folder = await temporaryFolder();
  const file = (name: string) => join(folder, name);
  const openssl = (...words: string[]) => promisify(execFile)("openssl", words);
  await openssl("version").catch(() => context.skip("openssl is not on PATH"));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.pem"),
    "-subj",
    "/CN=test authority",
  );
  await openssl(
    ...["req", "-x509", ...key, "-keyout", file("key.pem"), "-out", file("cert.pem"), "-subj", "/CN=test"],
    ...["-addext", "subjectAltName=IP:127.0.0.1", "-CA", file("ca.pem"), "-CAkey", file("ca.key")],
  );
  return { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
}

test("with TLS and a client authority, only workers with a certificate of it come in", async (context) => {
  const { ca, cert, key } = await certificates(context);
  const tls = { certFile: cert, keyFile: key, clientCaFile: ca };
  const { server, events } = await serve({ credentials: await serverCredentials(tls) });
  const [caPem, certPem, keyPem] = await Promise.all([ca, cert, key].map((path) => readFile(path)));
  const connectWith = (channel: ReturnType<typeof credentials.createSsl>) => {
    const worker = new ScriptedWorker(clusterClient(`127.0.0.1:${server.port}`, channel));
    onTestFinished(() => worker.client.close());
    return worker;
  };
  const stranger = connectWith(credentials.createSsl(caPem));
  stranger.hello(helloOf("stranger"));
  await stranger.closed();
  const friend = connectWith(credentials.createSsl(caPem, keyPem, certPem));
  friend.hello(helloOf("friend"));
  expect((await eventOf(events, "join")).hello.worker).toBe("friend");
});

test("certificates that change are given to new connections, while a session on the old ones goes on", async (context) => {
  const [first, second] = [await certificates(context), await certificates(context)];
  const tls = { certFile: first.cert, keyFile: first.key, clientCaFile: first.ca };
  const shown = await serverCredentials(tls);
  const { server, events } = await serve({ credentials: shown });
  const told: string[] = [];
  const stop = watchCredentials(shown, tls, {
    onReload: () => told.push("reloaded"),
    onProblem: (reason) => told.push(reason),
    everyMs: 10,
  });
  onTestFinished(stop);
  const pems = async ({ ca, cert, key }: typeof first) => {
    const [caPem, certPem, keyPem] = await Promise.all([ca, cert, key].map((path) => readFile(path)));
    return { caPem: caPem!, certPem: certPem!, keyPem: keyPem! };
  };
  const [old, now] = [await pems(first), await pems(second)];
  const join = ({ caPem, certPem, keyPem }: typeof old, name: string) => {
    const channel = credentials.createSsl(caPem, keyPem, certPem);
    const worker = new ScriptedWorker(clusterClient(`127.0.0.1:${server.port}`, channel));
    onTestFinished(() => worker.client.close());
    worker.hello(helloOf(name));
    return worker;
  };
  const before = join(old, "before");
  await eventOf(events, "join");
  await writeFile(first.key, "half of a key");
  await vi.waitUntil(() => told.length === 1, 20_000);
  expect(told[0]).toMatch(/--tls-key .*holds no private key/);
  await writeFile(first.ca, now.caPem);
  await writeFile(first.key, now.keyPem);
  await writeFile(first.cert, now.certPem);
  await vi.waitUntil(() => told.at(-1) === "reloaded", 20_000);
  join(now, "after");
  await vi.waitUntil(() => events.some((event) => event.type === "join" && event.hello.worker === "after"), 20_000);
  const stranger = join(old, "stranger");
  await stranger.closed();
  before.send({ type: "heartbeat", sentAtMs: 1, busySlots: 1 });
  await eventOf(events, "heartbeat");
});

test("a TLS file that is missing or no certificate is named", async () => {
  const folder = await temporaryFolder();
  const missing = serverCredentials({ certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") });
  await expect(missing).rejects.toThrow(/--tls-cert .*cert.pem: cannot be read/);
  const [image] = await smallImages(folder);
  await expect(serverCredentials({ certFile: image!, keyFile: image! })).rejects.toThrow("holds no certificate");
});

/** A worker that stops reading, to which the parameters before steps 1 to 6 are sent. */
async function slowReader(changes: Partial<GrpcServerOptions> = {}) {
  const { server, events } = await serve(changes);
  // More than a stream's window takes.
  const theta = new Float32Array(FLOW_CONTROL_WINDOW_BYTES);
  const worker = connect(server);
  worker.hello(helloOf("slow"));
  const { session } = await eventOf(events, "join");
  worker.stopReading();
  const parameters = new ParametersMessages((step) => ({ stage: "metaTraining", step, theta }), 1);
  for (let step = 1; step <= 6; step++) server.send(session, parameters.before(step));
  return { server, events, worker, session };
}

test("a worker that stops reading gets no queue of old parameters, and is let go after the patience", async () => {
  const { events, worker } = await slowReader({ patienceMs: 300 });
  const { reason } = await eventOf(events, "disconnected");
  expect(reason).toBe("it reads too slowly: a message was on its way for 0.3 s");
  worker.readOn();
  await worker.closed();
  expect(worker.received.length).toBeLessThanOrEqual(1);
});

test("a worker that reads again gets the newest parameters, without those between", async () => {
  const { server, worker, session } = await slowReader();
  server.send(session, { type: "drain", reason: "the test is over", finished: true });
  worker.readOn();
  await worker.next("drain");
  const steps = worker.received.flatMap((message) => (message.type === "parameters" ? [message.step] : []));
  expect(steps).toEqual([1, 6]);
});

test("a worker for which more waits than may is let go at once", async () => {
  const { server, events, session } = await slowReader();
  for (let i = 0; i <= MAX_WAITING_MESSAGES; i++) server.send(session, { type: "cancel", leases: [`lease-${i}`] });
  const { reason } = await eventOf(events, "disconnected");
  expect(reason).toBe(`it reads too slowly: more than ${MAX_WAITING_MESSAGES} messages wait`);
});

test("a session that ends while a worker does not read still says what was sent before, once it reads", async () => {
  const { server, worker, session } = await slowReader();
  server.send(session, { type: "refusal", reason: "another of this name came", retry: true });
  server.close(session, "another of this name came");
  worker.readOn();
  expect(await worker.next("refusal")).toMatchObject({ reason: "another of this name came" });
  await worker.closed();
});
