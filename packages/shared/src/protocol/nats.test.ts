import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@mzsr/testing/free-port";
import { hasNatsServer, startNatsServer, type TestNatsServer } from "@mzsr/testing/nats-server";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { nkeys } from "nats";
import { afterEach, describe, expect, it } from "vitest";
import { connectNats, type NatsLink } from "./nats.js";
import { natsOptions } from "./nats-options.js";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const link = (address: string, extra: object = {}): NatsLink => {
  const made = connectNats({ servers: [address], ...extra }, "test", undefined, () => 0);
  open.push(made);
  return made;
};
const server = async (port?: number, flags?: string[]): Promise<TestNatsServer> => {
  const started = await startNatsServer(port, flags);
  open.push({ close: () => started.stop() });
  return started;
};
const change = (nats: NatsLink, wanted: boolean): Promise<string> =>
  new Promise((resolve) => {
    const stop = nats.onChange((connected, reason) => {
      if (connected !== wanted) return;
      stop();
      resolve(reason);
    });
  });

describe.skipIf(!hasNatsServer())("a NATS link", () => {
  it("carries messages and answers requests", async () => {
    const { address } = await server();
    const [a, b] = [link(address), link(address)];
    b.subscribe("mzsr.*.status", (message) => message.respond(Buffer.from(`you said ${Buffer.from(message.data)}`)));
    await Promise.all([a.whenConnected(10_000), b.whenConnected(10_000)]);
    await b.flush();
    expect(Buffer.from(await a.request("mzsr.r.status", Buffer.from("hi"), 5_000)).toString()).toBe("you said hi");
  });

  it("waits for a server that comes later, and subscribes then", async () => {
    const port = await freePort();
    const nats = link(`127.0.0.1:${port}`);
    const heard = new Promise<string>((resolve) => {
      nats.subscribe("late", (message) => resolve(Buffer.from(message.data).toString()));
    });
    expect(await change(nats, false)).toMatch(/REFUSED|CONNECTION/i);
    expect(nats.publish("late", Buffer.from("dropped"))).toBe(false);
    await server(port);
    await nats.whenConnected(20_000);
    await nats.flush();
    nats.publish("late", Buffer.from("heard"));
    expect(await heard).toBe("heard");
  });

  it("notices that the server dies, and hears again when it is back", async () => {
    const first = await server();
    const nats = link(first.address);
    const heard = new Promise<string>((resolve) => {
      nats.subscribe("again", (message) => resolve(Buffer.from(message.data).toString()));
    });
    await nats.whenConnected(10_000);
    const lost = change(nats, false);
    await first.stop();
    await lost;
    expect(nats.publish("again", Buffer.from("dropped"))).toBe(false);
    const back = change(nats, true);
    await server(first.port);
    await back;
    await nats.flush();
    nats.publish("again", Buffer.from("back"));
    expect(await heard).toBe("back");
  });

  it("gives a token", async () => {
    const { address } = await server(-1, ["--auth", "secret"]);
    await link(address, { token: "secret" }).whenConnected(10_000);
    expect(await change(link(address), false)).toMatch(/authori[sz]ation/i);
  });

  it("proves an nkey from its seed file", async () => {
    const folder = await temporaryFolder();
    const user = nkeys.createUser();
    const [nkeyFile, config] = [join(folder, "user.nk"), join(folder, "nats.conf")];
    await writeFile(nkeyFile, `${Buffer.from(user.getSeed())}\n`);
    await writeFile(config, `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`);
    const { address } = await server(-1, ["-c", config]);
    await link(address, { nkeyFile }).whenConnected(10_000);
  });

  it("gives user and password, and says so when they are wrong", async () => {
    const { address } = await server(-1, ["--user", "u", "--pass", "p"]);
    await link(address, { user: "u", password: "p" }).whenConnected(10_000);
    expect(await change(link(address, { user: "u", password: "x" }), false)).toMatch(/authori[sz]ation/i);
  });
});

describe("a link without a server", () => {
  it("closes at once, and a request says where it looked", async () => {
    const nats = connectNats({ servers: ["127.0.0.1:1"] }, "test");
    await expect(nats.request("a", new Uint8Array(), 100)).rejects.toThrow(/127\.0\.0\.1:1/);
    await nats.close();
    expect(nats.connected).toBe(false);
  });
});

describe("NATS options", () => {
  it("flags go before the environment; no server means none", () => {
    expect(natsOptions({}, {})).toBeUndefined();
    const found = natsOptions({ servers: "a:1, tls://b:2", user: "u" }, { MZSR_NATS: "c:3", MZSR_NATS_USER: "v" });
    expect(found).toMatchObject({ servers: ["a:1", "tls://b:2"], user: "u" });
  });

  it("refuse what is no server and files that cannot be read", () => {
    expect(() => natsOptions({ servers: "http://x" }, {})).toThrow(/"http:\/\/x" is not a NATS server/);
    expect(() => connectNats({ servers: ["a:1"], credsFile: "/does/not/exist" }, "t")).toThrow(/does\/not\/exist/);
  });
});
