/** Every parser of bytes from outside, and whole inputs of it that are then changed. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { crc32, gzipSync } from "node:zlib";
import { readImageBytes } from "@mzsr/mzsr";
import {
  askedUrl,
  clusterService,
  configurationSchema,
  configurationYaml,
  coordinatorMessageFromProto,
  coordinatorMessageToProto,
  heartbeatFromBytes,
  heartbeatToBytes,
  leaderRecordFromBytes,
  leaderRecordToBytes,
  loadConfiguration,
  parseOverride,
  statusFromBytes,
  statusToBytes,
  type WorkerToCoordinator,
  workerMessageFromProto,
  workerMessageToProto,
  workerOfHeartbeat,
} from "@mzsr/shared";
import { fakeStatus, fakeWorker } from "@mzsr/testing/fake-feed";
import { readFixture } from "@mzsr/testing/fixtures";
import { sampleReport as report, sampleTask as task } from "@mzsr/testing/sample-task";
import { helloOf } from "@mzsr/testing/scripted-worker";
import sharp from "sharp";
import { scrapeAddress } from "../../packages/coordinator/src/http/scrape-address.js";
import { sendFile } from "../../packages/coordinator/src/http/static-files.js";
import { FrameReader } from "../../packages/coordinator/src/server/frame-reader.js";
import { readJoinToken, signJoinToken } from "../../packages/coordinator/src/server/join-token.js";
import { MessageMemory } from "../../packages/coordinator/src/server/message-memory.js";
import { parseMat } from "../../packages/mzsr/src/degradation/mat-file.js";
import { parseNpyArray } from "../../packages/mzsr/src/degradation/npy-file.js";
import { readZip } from "../../packages/mzsr/src/files/zip.js";
import { colourConversion } from "../../packages/mzsr/src/imaging/colour-profile.js";
import { uprightExif } from "../../packages/mzsr/src/imaging/exif.js";
import { parameterLayout } from "../../packages/mzsr/src/model/layout.js";
import { decodeModel, encodeModel } from "../../packages/mzsr/src/model/model.js";
import { encodeSafetensors } from "../../packages/mzsr/src/model/safetensors.js";
import { readTf1Checkpoint } from "../../packages/mzsr/src/model/tf1-checkpoint.js";
import { KnownHosts } from "../../packages/shared/src/http/known-hosts.js";

export interface Target {
  readonly name: string;
  /** Whole inputs. */
  readonly seeds: () => Promise<readonly Uint8Array[]>;
  /** Throws our errors for what it cannot use. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** Of the inputs that are asked for, one in so many: of parsers that go through files or libraries of their own. */
  readonly oneIn: number;
}

const text = (value: string) => Buffer.from(value, "utf8");
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
const session = clusterService().Session;

const FROM_WORKERS: readonly WorkerToCoordinator[] = [
  { type: "hello", ...helloOf("a worker", { metricsAddress: "10.0.0.1:7702" }) },
  { type: "result", lease: "l1", report, gradient: Buffer.of(1, 2, 3, 4, 5, 6, 7, 8) },
  {
    type: "group",
    tasks: [{ lease: "l1", report, sha256: "0f".repeat(32) }],
    sum: { high: Buffer.alloc(16, 1), low: Buffer.alloc(16, 2), count: 2 },
  },
  { type: "failure", lease: "l1", reason: "out of memory" },
  { type: "goodbye", reason: "SIGTERM" },
  { type: "heartbeat", sentAtMs: 1_700_000_000_000, busySlots: 3 },
];

/** What gRPC's codec cannot read it answers by itself; what it reads is ours. */
function decoded<T>(decode: (bytes: Buffer) => T, bytes: Uint8Array): T | undefined {
  try {
    return decode(Buffer.from(bytes));
  } catch {
    return undefined;
  }
}

/** A folder for one target, gone with the process. */
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "mzsr-fuzz-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

function smallModel() {
  const architecture = { depth: 2, width: 4 };
  const { size } = parameterLayout(architecture);
  return { architecture, scale: 2, parameters: new Float32Array(size).fill(0.5), innerRates: undefined, metadata: {} };
}

async function pictures(): Promise<Buffer[]> {
  const raw = { create: { width: 24, height: 20, channels: 3 as const, background: { r: 9, g: 90, b: 200 } } };
  const made = () =>
    sharp(raw)
      .withExif({ IFD0: { Artist: "nobody" } })
      .withIccProfile("p3");
  return Promise.all([
    made().png().toBuffer(),
    made().jpeg().toBuffer(),
    made().webp().toBuffer(),
    made().tiff().toBuffer(),
  ]);
}

async function metadataOf(part: "exif" | "icc"): Promise<Buffer[]> {
  const all = await Promise.all((await pictures()).map(async (picture) => (await sharp(picture).metadata())[part]));
  return all.filter((block) => block !== undefined);
}

/** An answer that keeps what it was given, for whoever looks whether it is a secret. */
function answerInto(parts: Buffer[]): ServerResponse {
  const answer = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part);
      done();
    },
  });
  return Object.assign(answer, { writeHead: () => answer }) as unknown as ServerResponse;
}

const SIGNING_SECRET = "twenty characters and more";
const TOKEN = signJoinToken(SIGNING_SECRET, { id: "0123456789ab", run: "run", expires: 2_000_000_000 });

/** A message as gRPC sends it. */
function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

const SECRET = "a secret that lies beside";

function pathTarget(): Pick<Target, "read" | "seeds"> {
  const root = folder();
  const served = join(root, "served");
  mkdirSync(join(served, "assets"), { recursive: true });
  for (const path of ["index.html", "assets/page.js"]) writeFileSync(join(served, path), "open to all");
  for (const name of ["secret.html", "secret.png"]) writeFileSync(join(root, name), SECRET);
  symlinkSync(join(root, "secret.html"), join(served, "link.html"));
  symlinkSync(root, join(served, "up"));
  const paths = [
    "/index.html",
    "/assets/page.js?x=1",
    "/../secret.html",
    "/%2e%2e/secret.png",
    "/link.html",
    "/up/secret.html",
  ];
  return {
    seeds: async () =>
      [...paths, "/api/metrics?from=1&points=2", "//evil/../..", "http://a:b@c/../secret.html"].map(text),
    read: async (bytes) => {
      const url = askedUrl({ method: "GET", url: textOf(bytes) } as IncomingMessage);
      const parts: Buffer[] = [];
      await sendFile(answerInto(parts), served, url.pathname, false);
      if (Buffer.concat(parts).includes(SECRET)) throw new Error("it was served");
    },
  };
}

function tf1Target(): Pick<Target, "read" | "seeds"> {
  const prefix = join(folder(), "small");
  const data = readFixture("tf1/small.data-00000-of-00001");
  writeFileSync(`${prefix}.data-00000-of-00001`, data);
  return {
    seeds: async () => [readFixture("tf1/small.index")],
    read: (bytes) => {
      writeFileSync(`${prefix}.index`, bytes);
      return readTf1Checkpoint(prefix);
    },
  };
}

function yamlFileTarget(): Pick<Target, "read" | "seeds"> {
  const file = join(folder(), "config.yaml");
  const anchors = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
  return {
    seeds: async () => [
      text(configurationYaml(configurationSchema.parse({}))),
      text(anchors),
      text("metaTraining: {steps: 7}\n"),
    ],
    read: (bytes) => {
      writeFileSync(file, bytes);
      return loadConfiguration({ file });
    },
  };
}

export const TARGETS: readonly Target[] = [
  {
    name: "messages of workers",
    oneIn: 1,
    seeds: async () => FROM_WORKERS.map((message) => session.requestSerialize(workerMessageToProto(message))),
    read: (bytes) => {
      const wire = decoded(session.requestDeserialize, bytes);
      if (wire !== undefined) workerMessageFromProto(wire);
    },
  },
  {
    name: "messages of the coordinator",
    oneIn: 1,
    seeds: async () =>
      (
        [
          { type: "parameters", stage: "metaTraining", step: 3, theta: Float32Array.of(1, 2, 3) },
          { type: "assign", leases: [{ id: "l1", task, groupable: true }] },
          { type: "announce", tasks: [task] },
          { type: "cancel", leases: ["l1", "l2"] },
          { type: "drain", reason: "over", finished: true },
          { type: "refusal", reason: "no", retry: true },
          {
            type: "welcome",
            run: "run",
            configuration: configurationSchema.parse({}),
            images: [{ sha256: "ab".repeat(32), name: "cat.png", bytes: 100 }],
            heartbeatSeconds: 1,
            incarnation: "1",
          },
        ] as const
      ).map((message) => session.responseSerialize(coordinatorMessageToProto(message))),
    read: (bytes) => {
      const wire = decoded(session.responseDeserialize, bytes);
      if (wire !== undefined) coordinatorMessageFromProto(wire);
    },
  },
  {
    name: "frames of gRPC",
    oneIn: 1,
    seeds: async () => [
      frame(Buffer.alloc(40, 7)),
      Buffer.concat([frame(Buffer.of(1)), frame(Buffer.alloc(3)), frame(Buffer.alloc(0))]),
    ],
    read: (bytes) => {
      const nothing = () => undefined;
      const reader = new FrameReader(4096, new MessageMemory(65_536), {
        pause: nothing,
        resume: nothing,
        refuse: nothing,
      });
      const half = bytes.length >> 1;
      const frames = [bytes.subarray(0, half), bytes.subarray(half)].flatMap((piece) =>
        reader.write(Buffer.from(piece)),
      );
      reader.close();
      for (const each of frames) {
        if (each.length !== 5 + each.readUInt32BE(1) || each.length > 5 + 4096)
          throw new Error("a frame of another length");
      }
    },
  },
  {
    name: "join tokens",
    oneIn: 5,
    seeds: async () => [text(TOKEN)],
    read: (bytes) => {
      const shown = textOf(bytes);
      if (readJoinToken(SIGNING_SECRET, shown) !== undefined && shown !== TOKEN)
        throw new Error("another token is taken");
    },
  },
  {
    name: "heartbeats over NATS",
    oneIn: 1,
    seeds: async () => [
      heartbeatToBytes({
        ...{
          worker: "w",
          incarnation: "i",
          at: 1e12,
          busySlots: 1,
          slots: 2,
          backend: "simd",
          tasksDone: 3,
          busyRatio: 0.5,
        },
        ...{ rssBytes: 1e9, gpu: { utilisation: 0.5, memoryUsedBytes: 1, memoryTotalBytes: 2, name: "a card" } },
      }),
    ],
    read: heartbeatFromBytes,
  },
  {
    name: "names in NATS subjects, hosts and addresses",
    oneIn: 1,
    seeds: async () => ["mzsr.run.heartbeat.a=20b", "example.org:7701", "[fd00::1]:80", "10.0.0.1:7702"].map(text),
    read: (bytes) => {
      const said = textOf(bytes);
      workerOfHeartbeat("run", said);
      new KnownHosts("0.0.0.0", ["*.example.org"], "trainer").accepts(said);
      const scraped = scrapeAddress(said, "10.0.0.9:50000", ["*.example.org"]);
      if (scraped !== "" && !/^10\.0\.0\.9:\d+$/.test(scraped) && !/\.example\.org\.?:\d+$/i.test(scraped)) {
        throw new Error(`Prometheus is sent to ${scraped}`);
      }
    },
  },
  {
    name: "records of leaders",
    oneIn: 1,
    seeds: async () => [
      leaderRecordToBytes({
        ...{ holder: "h", state: "leading", grpcAddress: "a:1", httpAddress: "a:2", leaseMs: 2500 },
        checkpoint: { object: "step-1", step: 1 },
      }),
    ],
    read: leaderRecordFromBytes,
  },
  {
    name: "statuses over NATS",
    oneIn: 1,
    seeds: async () => {
      const status = fakeStatus({ workers: [fakeWorker("a")] });
      return [statusToBytes(status), gzipSync(JSON.stringify(status))];
    },
    read: statusFromBytes,
  },
  {
    name: "models in safetensors",
    oneIn: 1,
    seeds: async () => [
      encodeModel(smallModel()),
      encodeSafetensors([{ name: "a", shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) }], { key: "value" }),
    ],
    read: (bytes) => decodeModel(bytes, "input"),
  },
  {
    name: "kernels in .mat",
    oneIn: 1,
    seeds: async () =>
      ["plain", "compressed", "several", "text", "two"].map((how) => readFixture(`kernels/scipy-${how}.mat`)),
    read: (bytes) => parseMat(bytes, "input"),
  },
  {
    name: "arrays in .npy",
    oneIn: 1,
    seeds: async () => ["numpy-float32", "numpy-float64", "loadmat"].map((name) => readFixture(`kernels/${name}.npy`)),
    read: (bytes) => parseNpyArray(bytes, "input"),
  },
  {
    name: "archives in .npz",
    oneIn: 1,
    seeds: async () => archives(),
    read: (bytes) => {
      for (const content of readZip(bytes, "input", 2 ** 26).values()) parseNpyArray(content, "input");
    },
  },
  { name: "checkpoints of TensorFlow 1", oneIn: 10, ...tf1Target() },
  {
    name: "values in YAML",
    oneIn: 5,
    seeds: async () =>
      ["a.b=[1, 2, {c: d}]", "a=&x [*x, *x]", "a=!!binary aGk=", "a=2001-01-01", 'a="\\x41"'].map(text),
    read: (bytes) => parseOverride(textOf(bytes)),
  },
  { name: "configurations in YAML", oneIn: 50, ...yamlFileTarget() },
  { name: "paths of HTTP", oneIn: 10, ...pathTarget() },
  {
    name: "EXIF blocks and colour profiles",
    oneIn: 1,
    seeds: async () => [...(await metadataOf("exif")), ...(await metadataOf("icc"))],
    read: (bytes) => {
      uprightExif(bytes);
      colourConversion(bytes);
    },
  },
  { name: "images", oneIn: 50, seeds: pictures, read: (bytes) => readImageBytes(bytes, "input") },
];

function archives(): Buffer[] {
  const array = readFixture("kernels/numpy-float32.npy");
  return [stored("a.npy", array), stored("b.npy", Buffer.alloc(0))];
}

/** A ZIP archive with one entry as it is. */
function stored(name: string, content: Buffer): Buffer {
  const crc = crc32(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  local.writeUInt32LE(crc, 14);
  local.writeUInt32LE(content.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(20, 6);
  local.copy(entry, 16, 14, 26);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + content.length, 16);
  return Buffer.concat([local, text(name), content, entry, text(name), end]);
}
