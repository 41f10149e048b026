import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectNats } from "@mzsr/shared";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";
import { findNatsServer, startNats } from "./nats-process.js";

const folder = sharedFolder();

const command = await findNatsServer(process.env.PATH ?? "");

it.skipIf(command === undefined)(
  "starts a nats-server that only this machine reaches, and ends it (skipped without nats-server)",
  async () => {
    const nats = await startNats(command!);
    expect(nats.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    const link = connectNats({ servers: [nats.url] }, "test");
    await link.whenConnected(5_000);
    const lost = new Promise<void>((resolve) => link.onChange((connected) => void (connected || resolve())));
    await nats.stop();
    await lost;
    await link.close();
  },
);

it("says why a nats-server does not start", async () => {
  const broken = join(folder, "nats-server");
  await writeFile(broken, "#!/bin/sh\nexit 3\n");
  await chmod(broken, 0o755);
  await expect(startNats(broken)).rejects.toThrow("nats-server does not start: it ended with 3");
  expect(await findNatsServer(folder)).toBe(broken);
});
