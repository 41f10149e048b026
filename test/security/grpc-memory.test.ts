/** Strangers and bad workers at the workers' port: what they cost a coordinator in memory, and that training goes on beside them. */
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createImage, Draws, writePng } from "@mzsr/mzsr";
import { clusterClient, clusterService } from "@mzsr/shared";
import { freePort } from "@mzsr/testing/free-port";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { helloOf, ScriptedWorker } from "@mzsr/testing/scripted-worker";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ClusterProcess, coordinatorProcess, statusWhere } from "../cluster/cluster-processes.js";
import { forgetPeak, peakBytes, residentBytes } from "./process-memory.js";
import { largeMessage, messageOf, prefixOf, StrangePeer } from "./strange-peer.js";

const MEBIBYTE = 1024 * 1024;
/** A coordinator stays within this of what it has when it trains. */
const ALLOWED_BYTES = 300 * MEBIBYTE;
const TOKEN = "what every worker knows";
const BEARER = { authorization: `Bearer ${TOKEN}` };
const UNAUTHENTICATED = 16;
const UNIMPLEMENTED = 12;
const RESOURCE_EXHAUSTED = 8;

interface Training {
  readonly coordinator: ClusterProcess;
  readonly port: number;
  /** SHA-256 of an image of more than a megabyte. */
  readonly image: string;
  /** Lets an attack happen: memory stays bounded, steps are made after its beginning and after its end. */
  readonly under: (attack: () => Promise<void>) => Promise<void>;
}

/** A coordinator that asks for a token, with a worker that answers at once. */
async function training(): Promise<Training> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "images"));
  await largeImage(join(folder, "images", "noise.png"));
  await writeFile(join(folder, "token"), TOKEN);
  const [port, httpPort] = [await freePort(), await freePort()];
  const configuration = smallConfiguration({
    metaTraining: { steps: 1_000_000 },
    data: join(folder, "images"),
    checkpoints: { every: 100_000 },
    // The worker shares this process with the attack, and nobody else is there to audit it.
    cluster: { patience: 60, auditShare: 0 },
  });
  const more = ["--token-file", join(folder, "token")];
  const coordinator = await coordinatorProcess({ folder, configuration, port, httpPort, more });
  await statusWhere(httpPort, () => true);
  const worker = new ScriptedWorker(clusterClient(`127.0.0.1:${port}`), TOKEN);
  onTestFinished(() => worker.cut());
  worker.hello(helloOf("honest", { slots: 3 }));
  worker.compute();
  const { images } = await worker.next("welcome");
  const stepAfter = async (step: number) => (await statusWhere(httpPort, (status) => status.step > step)).step;
  const under = async (attack: () => Promise<void>) => {
    const before = await stepAfter(20);
    const start = await residentBytes(coordinator.pid);
    await forgetPeak(coordinator.pid);
    const [during] = await Promise.all([stepAfter(before), attack()]);
    await stepAfter(during);
    expect((await peakBytes(coordinator.pid)) - start).toBeLessThan(ALLOWED_BYTES);
    expect(worker.ended).toBeUndefined();
  };
  return { coordinator, port, image: images[0]!.sha256, under };
}

async function largeImage(path: string): Promise<void> {
  const image = createImage(640, 640, 3);
  const draws = new Draws(7, [0, 0, 0]);
  for (let at = 0; at < image.data.length; at++) image.data[at] = draws.uniform(0, 1);
  await writePng(path, image);
}

describe.skipIf(!hasMzsr() || process.platform !== "linux")("strangers at the workers' port", () => {
  test("send large messages without a token: they are refused before they are read", async () => {
    const { port, under } = await training();
    await under(async () => {
      const peers = Array.from({ length: 16 }, () => new StrangePeer(port));
      for (const headers of [{}, { authorization: "Bearer a guess" }]) {
        const ends = await Promise.all(
          peers.map((peer) => peer.send(largeMessage(63 * MEBIBYTE, 60 * MEBIBYTE), headers)),
        );
        for (const { status, sentBytes } of ends) {
          expect(status).toBe(UNAUTHENTICATED);
          expect(sentBytes).toBeLessThan(60 * MEBIBYTE);
        }
      }
    });
  });

  test("with the token, but before a hello, send large messages: only small ones are taken", async () => {
    const { port, under } = await training();
    await under(async () => {
      const peers = Array.from({ length: 16 }, () => new StrangePeer(port));
      const ends = await Promise.all(
        peers.map((peer) => peer.send(largeMessage(63 * MEBIBYTE, 60 * MEBIBYTE), BEARER)),
      );
      for (const { status } of ends) expect(status).toBe(RESOURCE_EXHAUSTED);
    });
  });

  test("send what inflates to much more: compressed messages are refused as they are", async () => {
    const bomb = messageOf(gzipSync(Buffer.alloc(60 * MEBIBYTE), { level: 9 }), true);
    expect(bomb.length).toBeLessThan(64 * 1024);
    const { port, under } = await training();
    await under(async () => {
      const peer = new StrangePeer(port);
      const attempts = Array.from({ length: 20 }, () => peer.send([bomb], { ...BEARER, "grpc-encoding": "gzip" }));
      for (const { status } of await Promise.all(attempts)) expect(status).toBe(UNIMPLEMENTED);
      const withoutAWord = await peer.send([prefixOf(bomb.length, true), bomb], BEARER);
      expect(withoutAWord.status).toBe(UNIMPLEMENTED);
    });
  });

  test("ask for an image 2,000 times and read none of them", async () => {
    const { port, image, under } = await training();
    const request = messageOf(clusterService().FetchImage.requestSerialize({ sha256: image }));
    await under(async () => {
      const peer = new StrangePeer(port);
      const streams = Array.from({ length: 2_000 }, () => {
        const stream = peer.open("FetchImage", BEARER);
        stream.end(request);
        return stream;
      });
      // Those that are sent first have begun; what comes then waits.
      await Promise.all(streams.slice(0, 8).map((stream) => once(stream, "response")));
      const reader = new StrangePeer(port).open("FetchImage", BEARER);
      reader.end(request);
      let bytes = 0;
      for await (const piece of reader) bytes += (piece as Buffer).length;
      expect(bytes).toBeGreaterThan(MEBIBYTE);
      peer.leave();
    });
  });
});
