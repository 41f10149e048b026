import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { RunError } from "@mzsr/mzsr";
import { hasNatsServer, startNatsServer } from "@mzsr/testing/nats-server";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { LeaderStore } from "./leader-store.js";
import { LateError, patiently, within } from "./patience.js";

/** Longer than a request to JetStream may take. */
const LATE_MS = 1_500;

/** Stands before NATS; what follows the first request to JetStream comes back late. Returns its address. */
async function lateRelay(natsPort: number): Promise<string> {
  let answers: Promise<void> | undefined;
  const relay = createServer((client) => {
    const nats = connect(natsPort, "127.0.0.1");
    client.on("data", (bytes) => {
      if (bytes.includes("$JS.API")) answers ??= delay(LATE_MS);
      nats.write(bytes);
    });
    nats.on("data", (bytes) => void Promise.resolve(answers).then(() => client.write(bytes)));
    for (const socket of [client, nats]) {
      socket.on("error", () => undefined);
      onTestFinished(() => void socket.destroy());
    }
  });
  onTestFinished(() => void relay.close());
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  return `127.0.0.1:${(relay.address() as AddressInfo).port}`;
}

describe.skipIf(!hasNatsServer())("opening the records where JetStream", () => {
  test("answers late, as on a busy machine, waits for it and says so", async () => {
    const server = await startNatsServer(undefined, ["-js", "-sd", await temporaryFolder()]);
    onTestFinished(() => server.stop());
    const servers = [await lateRelay(server.port)];
    const troubles: string[] = [];
    const store = await LeaderStore.open({ servers }, "a run", 1, undefined, (reason) => troubles.push(reason));
    onTestFinished(() => store.close());
    expect(troubles).toEqual(["TIMEOUT"]);
    expect(await store.read()).toBeUndefined();
  });

  test("is not there, says at once what is needed", async () => {
    const server = await startNatsServer();
    onTestFinished(() => server.stop());
    await expect(LeaderStore.open({ servers: [server.address] }, "a run", 1)).rejects.toThrow(/nats-server -js/);
  });
});

describe("what is tried again", () => {
  const never = new Promise<never>(() => undefined);

  test("is what came too late, until it succeeds; each reason is told once", async () => {
    let tries = 0;
    const troubles: string[] = [];
    const work = async () => (++tries < 4 ? within(0.001, "reading it", never) : "read");
    expect(
      await patiently(
        work,
        () => true,
        (reason) => troubles.push(reason),
      ),
    ).toBe("read");
    expect([tries, troubles]).toEqual([4, ["reading it took more than 0.001 s"]]);
  });

  test("is nothing that would fail again, and nothing once nobody needs it any more", async () => {
    let tries = 0;
    const failing = (thrown: Error) => async () => {
      tries++;
      throw thrown;
    };
    const untold = () => expect.unreachable();
    await expect(patiently(failing(new RunError("broken")), () => true, untold)).rejects.toThrow("broken");
    await expect(patiently(failing(new LateError("late")), () => false, untold)).rejects.toThrow("late");
    expect(tries).toBe(2);
  });
});
