/** Who comes in where workers must show a certificate: those of the cluster's authority, and nobody else. */
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { clusterClient } from "@mzsr/shared";
import { freePort } from "@mzsr/testing/free-port";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { mzsr } from "@mzsr/testing/run-command";
import { helloOf, ScriptedWorker } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { issue } from "../../packages/cli/src/certs/authority.js";
import { coordinatorProcess, statusWhere } from "../cluster/cluster-processes.js";
import { StrangePeer } from "./strange-peer.js";

const DAY_MS = 86_400_000;

/** Runs `mzsr certs` in a folder. */
async function certs(folder: string, ...words: string[]): Promise<void> {
  const { code, notes } = await mzsr(["certs", ...words], { cwd: folder });
  expect(code, notes).toBe(0);
}

async function pair(folder: string, name: string) {
  const [certificate, key] = await Promise.all(
    [`${name}.pem`, `${name}.key`].map((file) => readFile(join(folder, "certs", file))),
  );
  return { certificate: certificate!, key: key! };
}

test.skipIf(!hasMzsr())(
  "a worker without a certificate, or with a foreign, expired or wrong one, is refused with the reason",
  async () => {
    const folder = await temporaryFolder();
    const foreign = join(folder, "foreign");
    await mkdir(foreign);
    await Promise.all([certs(folder, "init"), certs(foreign, "init")]);
    await Promise.all([
      certs(folder, "server", "localhost", "127.0.0.1"),
      certs(folder, "client", "worker"),
      certs(foreign, "client", "worker"),
    ]);
    expect((await stat(join(folder, "certs", "worker.key"))).mode & 0o077).toBe(0);

    await smallImages(join(folder, "images"));
    const [port, httpPort] = [await freePort(), await freePort()];
    const file = (name: string) => join(folder, "certs", name);
    const coordinator = await coordinatorProcess({
      folder,
      configuration: smallConfiguration({ metaTraining: { steps: 1_000_000 }, data: join(folder, "images") }),
      port,
      httpPort,
      more: ["--tls-cert", file("localhost.pem"), "--tls-key", file("localhost.key"), "--tls-ca", file("ca.pem")],
    });
    await statusWhere(httpPort, () => true);

    const authority = await pair(folder, "ca");
    const connect = (shown?: { readonly certificate: Buffer; readonly key: Buffer }) => {
      const channel = credentials.createSsl(authority.certificate, shown?.key ?? null, shown?.certificate ?? null);
      const worker = new ScriptedWorker(clusterClient(`localhost:${port}`, channel));
      onTestFinished(() => worker.client.close());
      worker.hello(helloOf("worker"));
      return worker;
    };
    const texts = { certificate: authority.certificate.toString(), key: authority.key.toString() };
    const lastYear = { notBefore: new Date(Date.now() - 20 * DAY_MS), notAfter: new Date(Date.now() - 10 * DAY_MS) };
    const expired = await issue(texts, "client", ["worker"], lastYear);
    const refused = {
      "it shows no certificate": undefined,
      "its certificate is of an authority that is not --tls-ca's": await pair(foreign, "worker"),
      "its certificate has expired": { certificate: Buffer.from(expired.certificate), key: Buffer.from(expired.key) },
      "its certificate is not one for workers": await pair(folder, "localhost"),
    };
    for (const [reason, shown] of Object.entries(refused)) {
      await connect(shown).closed();
      await vi.waitUntil(() => coordinator.said.includes(reason), 60_000);
    }
    await new StrangePeer(port).gone();
    await vi.waitUntil(() => coordinator.said.includes("it does not speak TLS"), 60_000);

    const friend = connect(await pair(folder, "worker"));
    friend.compute();
    await friend.next("welcome");
    await statusWhere(httpPort, ({ step }) => step > 3);
    const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
    const counted = /^mzsr_refusals_total\{.*reason="certificate".*\} (\d+)$/m.exec(metrics)?.[1];
    expect(Number(counted)).toBeGreaterThanOrEqual(5);
    friend.cut();
  },
);
