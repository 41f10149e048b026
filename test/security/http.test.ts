/** What strangers, foreign pages and prepared folders can do with the HTTP interface. */
import { once } from "node:events";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { type ClientRequest, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LARGEST_MODEL_BYTES } from "@mzsr/mzsr";
import type { ClusterStatus, RunListing } from "@mzsr/shared";
import { mzsr } from "@mzsr/testing/run-command";
import { helloOf } from "@mzsr/testing/scripted-worker";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test } from "vitest";
import { smallCoordinator, workerOf } from "../../packages/coordinator/src/testing/small-coordinator.js";

interface Asked {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  /** The address that it is asked from. */
  readonly from?: string;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** Node's own client, since fetch sets `Host` by itself. */
async function open(
  address: string,
  { path, headers, method, from }: Asked,
): Promise<[ClientRequest, IncomingMessage]> {
  const local = from === undefined ? {} : { localAddress: from };
  const call = request(`http://${address}${path}`, { headers: headers ?? {}, method: method ?? "GET", ...local }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  return [call, response];
}

async function ask(address: string, asked: Asked): Promise<Answer> {
  const [, response] = await open(address, asked);
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return { status: response.statusCode!, headers: response.headers, text };
}

test("Prometheus is sent to the address that a worker connects from, whatever host the worker names", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { http: { metricsHosts: ["inside.example"] } });
  for (const [name, metricsAddress] of [
    ["a-forger", "169.254.169.254:80"],
    ["b-allowed", "inside.example:7702"],
  ] as const) {
    const worker = workerOf(coordinator);
    worker.hello(helloOf(name, { metricsAddress }));
    await worker.next("welcome");
  }
  const { text } = await ask(coordinator.httpAddress, { path: "/sd" });
  const targets = (JSON.parse(text) as { targets: string[] }[]).flatMap((group) => group.targets);
  expect(targets).toEqual([coordinator.httpAddress, "127.0.0.1:80", "inside.example:7702"]);
});

test("a page whose name is made to lead here reads nothing; names that were allowed do", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { http: { allowedHosts: ["runs.example"] } });
  const under = (host: string, path = "/api/status") => ask(coordinator.httpAddress, { path, headers: { host } });
  for (const path of ["/", "/api/status", "/metrics", "/sd", "/api/stream", "/model.safetensors"]) {
    const { status, text } = await under("evil.example:7701", path);
    expect([path, status, text]).toEqual([path, 403, expect.stringMatching(/evil\.example.*--allowed-hosts/)]);
  }
  for (const host of ["runs.example", "127.0.0.1:1", "localhost"]) expect((await under(host)).status).toBe(200);
  // Supervisors ask under whatever name, and learn nothing but that it lives.
  expect((await under("evil.example", "/healthz")).text).toBe("ok\n");
});

test("no answer can be sniffed, embedded or made to load anything, errors included", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { http: { secret: "s3cret" } });
  const headers = { authorization: "Bearer s3cret" };
  const asked: Asked[] = [
    ...["/", "/healthz", "/metrics", "/sd", "/api/status", "/api/runs", "/nothing", "/%ZZ"].map((path) => ({
      path,
      headers,
    })),
    { path: "/api/status", method: "POST", headers },
    { path: "/api/status" },
    { path: "/", headers: { ...headers, host: "evil.example" } },
  ];
  for (const each of asked) {
    const answer = await ask(coordinator.httpAddress, each);
    expect(answer.headers, `${each.path} ${answer.status}`).toMatchObject({
      "x-content-type-options": "nosniff",
      "content-security-policy": expect.stringMatching(/^default-src 'none'.*frame-ancestors 'none'/),
      "cross-origin-resource-policy": "same-origin",
    });
  }
  const [call, stream] = await open(coordinator.httpAddress, { path: "/api/stream", headers });
  onTestFinished(() => void call.destroy());
  call.on("error", () => undefined);
  stream.on("error", () => undefined);
  expect(stream.headers["x-content-type-options"]).toBe("nosniff");
});

test("with a secret nobody reads anything without it but whether it lives", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { http: { secret: "s3cret" } });
  const statusOf = async (authorization: string | undefined, path = "/api/status") => {
    const headers = authorization === undefined ? {} : { authorization };
    return (await ask(coordinator.httpAddress, { path, headers })).status;
  };
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
  for (const wrong of [
    undefined,
    "",
    "Bearer",
    "Bearer s3cre",
    "Bearer s3cret2",
    "s3cret",
    basic("s3cret:"),
    basic("s3cret"),
  ]) {
    const expected = wrong === basic("s3cret") ? 200 : 401;
    expect([wrong, await statusOf(wrong)]).toEqual([wrong, expected]);
  }
  for (const right of ["Bearer s3cret", "bearer s3cret", basic("anybody:s3cret")])
    expect(await statusOf(right)).toBe(200);
  for (const path of ["/", "/metrics", "/sd", "/api/stream", "/model.safetensors"]) {
    expect([path, await statusOf(undefined, path)]).toEqual([path, 401]);
  }
  expect([await statusOf(undefined, "/healthz"), await statusOf(undefined, "/readyz")]).toEqual([200, 200]);
  const refused = await ask(coordinator.httpAddress, { path: "/" });
  // A browser asks its user for the password then.
  expect(refused.headers["www-authenticate"]).toMatch(/^Basic /);
});

test("mzsr status and fetch-model show the secret, and say what is missing without it", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { http: { secret: "s3cret" } });
  const url = `http://${coordinator.httpAddress}`;
  const env = { ...process.env, MZSR_HTTP_TOKEN: "s3cret" };
  const file = join(await temporaryFolder(), "token");
  await writeFile(file, "s3cret\n");
  const status = await mzsr(["status", "--url", url, "--json"], { env });
  expect([status.code, (JSON.parse(status.out) as ClusterStatus).run]).toEqual([0, "run"]);
  expect((await mzsr(["status", "--url", url, "--http-token-file", file])).code).toBe(0);
  const without = await mzsr(["status", "--url", url]);
  expect([without.code, without.notes]).toEqual([2, expect.stringMatching(/secret.*--http-token-file/)]);
  const model = await mzsr(["fetch-model", "--from", url, "-o", `${file}.safetensors`], { env });
  expect([model.code, model.notes]).toEqual([1, expect.stringContaining("has no model yet")]);
});

test("fetch-model gives up on an answer that is larger than any model, however little was announced", async () => {
  let sent = 0;
  const endless = async function* () {
    for (const part = Buffer.alloc(1024 * 1024); ; sent += part.length) yield part;
  };
  const server = createServer((_, response) => {
    pipeline(endless, response).catch(() => undefined);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const output = join(await temporaryFolder(), "model.safetensors");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, notes } = await mzsr(["fetch-model", "--from", url, "-o", output]);
  expect([code, notes]).toEqual([1, expect.stringContaining("larger than any model")]);
  expect(sent).toBeLessThan(2 * LARGEST_MODEL_BYTES);
});

test("a link in a run folder is not followed out of it", async () => {
  const folder = await temporaryFolder();
  const secret = join(folder, "secret.png");
  const [run, other, linked] = ["run", "other", "linked"].map((name) => join(folder, name)) as [string, string, string];
  const coordinator = await smallCoordinator(folder);
  const get = async (path: string) => ask(coordinator.httpAddress, { path });
  await writeFile(secret, "a secret");
  await mkdir(join(run, "previews"), { recursive: true });
  await writeFile(join(run, "previews", "cat.png"), "a picture");
  await symlink("cat.png", join(run, "previews", "same.png"));
  await symlink(secret, join(run, "previews", "leak.png"));
  await symlink(secret, join(run, "model.safetensors"));
  expect((await get("/api/images/cat.png")).text).toBe("a picture");
  // A link that stays in the folder does no harm.
  expect((await get("/api/images/same.png")).text).toBe("a picture");
  for (const path of ["/api/images/leak.png", "/model.safetensors"]) expect((await get(path)).status).toBe(404);

  // Runs beside it, as somebody may have copied them there.
  await writeFile(join(folder, "lines"), '{"kind": "join", "reason": "a secret"}\n');
  for (const [name, file] of [
    [other, "events.jsonl"],
    [linked, "config.yaml"],
  ] as const) {
    await mkdir(name);
    if (file !== "config.yaml") await writeFile(join(name, "config.yaml"), "metaTraining: { steps: 7 }\n");
    await symlink(join(folder, "lines"), join(name, file));
  }
  expect((await get("/api/events?run=other")).text).not.toContain("a secret");
  expect((JSON.parse((await get("/api/runs")).text) as RunListing[]).map((each) => each.run)).toEqual(["run"]);
  // The folder of previews as a whole.
  await mkdir(join(folder, "pictures"));
  await writeFile(join(folder, "pictures", "previews.json"), '["a secret"]');
  const whole = join(folder, "whole");
  await mkdir(whole);
  await writeFile(join(whole, "config.yaml"), "metaTraining: { steps: 7 }\n");
  await symlink(join(folder, "pictures"), join(whole, "previews"));
  expect((await get("/api/images?run=whole")).text).toBe("[]");
});

test("idle event streams do not shut an honest page out, from its own address or from others", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder());
  const gone: string[] = [];
  const hold = async (name: string, from: string) => {
    const [call, response] = await open(coordinator.httpAddress, { path: "/api/stream", from });
    call.on("error", () => undefined);
    response.on("error", () => undefined).on("close", () => gone.push(name));
    onTestFinished(() => void call.destroy());
    const status = response.statusCode;
    const [first] = (await once(response.setEncoding("utf8"), "data")) as [string];
    return [status, first.split("\n")[0]];
  };
  const opened = [200, "event: status"];
  for (let at = 0; at < 17; at++) expect(await hold(`own ${at}`, "127.0.0.1")).toEqual(opened);
  await expect.poll(() => gone).toEqual(["own 0"]);
  for (let peer = 2; peer <= 4; peer++) {
    for (let at = 0; at < 16; at++) expect(await hold(`${peer} ${at}`, `127.0.0.${peer}`)).toEqual(opened);
  }
  expect(await hold("honest", "127.0.0.9")).toEqual(opened);
  await expect.poll(() => gone).toHaveLength(2);
  expect(gone).not.toContain("honest");
});
