/** What bad input gets: one or two lines that say what, where and what would be right; exit code 2; nothing written. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { createImage, encodeModel, type Model, parameterLayout, writeModel, writePng } from "@mzsr/mzsr";
import { FakeCoordinator } from "@mzsr/testing/fake-coordinator";
import { freePort } from "@mzsr/testing/free-port";
import { mzsr } from "@mzsr/testing/run-command";
import { sharedFolder, temporaryFolder } from "@mzsr/testing/temporary-folder";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

let model: string;
let photo: string;

function smallModel(): Model {
  const architecture = { depth: 2, width: 4 };
  const parameters = new Float32Array(parameterLayout(architecture).size).fill(0.01);
  return { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
}

const folder = sharedFolder();
beforeAll(async () => {
  model = join(folder, "model.safetensors");
  photo = join(folder, "photo.png");
  await writeModel(model, smallModel());
  await writePng(photo, createImage(40, 40, 3));
});

/** A place of its own for each test, which must stay empty. */
let empty: string;
beforeEach(async () => {
  empty = await temporaryFolder();
});

/** Runs the command, checks the manners of its refusal, and returns the message. */
async function refusal(...args: string[]): Promise<string> {
  const { code, out, notes } = await mzsr(args, { cwd: empty });
  expect(notes).toMatch(/^mzsr: /);
  expect(notes.trimEnd().split("\n").length).toBeLessThanOrEqual(2);
  expect(notes).not.toMatch(/\n\s+at /);
  expect(out).toBe("");
  expect(code).toBe(2);
  expect(await readdir(empty)).toEqual([]);
  return notes;
}

const upscale = (image: string, ...args: string[]) =>
  refusal("upscale", image, "--model", model, "--kernel", "g2.0", "-o", "out.png", ...args);
const upscaleWithModel = (path: string) =>
  refusal("upscale", photo, "--model", path, "--kernel", "g2.0", "-o", "out.png");

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe("a folder or file that is named", () => {
  it("by nothing, as by a variable that is not set, is not the working directory", async () => {
    for (const command of ["up", "coordinator", "status"]) {
      expect(await refusal(command, "--run", "")).toMatch(
        /option '--run <dir>' argument '' is invalid\. Expected a name/,
      );
    }
  });

  it("and cannot be used is told of in words, not in the system's codes", async () => {
    const messages = [
      await refusal("up", "--run", photo),
      await refusal("up", "--run", join(photo, "run")),
      await refusal("up", "--config", "none.yaml"),
      await refusal("up", "--config", folder),
      await refusal("coordinator", "--token-file", "none"),
      await refusal("runs", photo),
      await refusal("runs", "none"),
    ];
    for (const message of messages) expect(message).toMatch(/\((no such file or folder|not a folder|is a folder)\)/);
  });
});

describe("an image", () => {
  it("that is missing", async () => {
    expect(await upscale("none.png")).toMatch(/none\.png.*expected a PNG, JPEG, WebP or TIFF image/);
  });

  it("that is corrupt", async () => {
    const whole = await readFile(photo);
    expect(await upscale(await file("cut.png", whole.subarray(0, whole.length / 2)))).toMatch(/cut\.png.*corrupt/);
    expect(await upscale(await file("noise.jpg", "no image at all"))).toMatch(/noise\.jpg.*not a readable image/);
  });

  it("that is tiny", async () => {
    const path = join(folder, "tiny.png");
    await writePng(path, createImage(8, 40, 3));
    expect(await upscale(path)).toMatch(/tiny\.png.*40×8.*expected at least 16 pixels a side/);
  });

  it("that is huge", async () => {
    expect(await upscale(await file("huge.png", pngHeader(100_000, 50_000)))).toMatch(
      /huge\.png.*too large.*at most 64 megapixels/,
    );
  });

  it("that is too small to degrade and compare", async () => {
    const images = join(folder, "small-images");
    await mkdir(images);
    await writePng(join(images, "small.png"), createImage(40, 40, 3));
    const evaluate = ["evaluate", "--model", model, "--images", images, "--kernel", "g2.0"];
    expect(await refusal(...evaluate)).toMatch(
      /small-images: 1 of 1 image cannot[\s\S]*small\.png.*at least 64 a side/,
    );
  });
});

describe("a folder of images", () => {
  it("that is missing or has none", async () => {
    const images = join(folder, "no-images");
    await mkdir(images);
    const evaluate = (path: string) => refusal("evaluate", "--model", model, "--images", path, "--kernel", "g2.0");
    expect(await evaluate(join(folder, "nowhere"))).toMatch(/nowhere.*expected a folder with images/);
    expect(await evaluate(images)).toMatch(/no-images: folder has no image/);
    expect(await refusal("up", "--data", images, "--run", "run")).toMatch(/no-images: folder has no image/);
  });
});

describe("a kernel", () => {
  const withKernel = (kernel: string) =>
    refusal("upscale", photo, "--model", model, "--kernel", kernel, "-o", "out.png");

  it("that has no known name", async () => {
    expect(await withKernel("g9")).toMatch(/unknown kernel 'g9'.*expected g0\.2/);
    expect(await withKernel("gauss:1,x,0")).toMatch(/not three numbers/);
  });

  it("that is not finite", async () => {
    expect(await withKernel(await file("nan.npy", npy([3, 3], [0, 0, 0, 0, Number.NaN, 0, 0, 0, 0])))).toMatch(
      /nan\.npy.*NaN/,
    );
  });

  it("that is not square", async () => {
    expect(await withKernel(await file("wide.npy", npy([3, 5], new Array(15).fill(1))))).toMatch(/wide\.npy.*3×5/);
  });

  it("that sums to zero", async () => {
    expect(await withKernel(await file("zero.npy", npy([3, 3], new Array(9).fill(0))))).toMatch(/zero\.npy.*sum/);
  });
});

describe("a configuration", () => {
  it("with an unknown key", async () => {
    const config = await file("unknown.yaml", "metaTraining:\n  inerSteps: 3\n");
    expect(await refusal("up", "--config", config, "--run", "run")).toMatch(
      /unknown\.yaml: unknown key metaTraining\.inerSteps.*did you mean innerSteps\?/,
    );
  });

  it("with a value out of range", async () => {
    const config = await file("range.yaml", "model: {depth: 99}\n");
    expect(await refusal("up", "--config", config, "--run", "run")).toMatch(
      /range\.yaml: model\.depth is 99; expected a whole number from 2 to 32/,
    );
    expect(await refusal("coordinator", "--set", "model.depth=99")).toMatch(/--set model\.depth=99: /);
    expect(await refusal("up", "--backend", "gpu")).toMatch(/--backend gpu: backend is "gpu"; expected one of auto/);
  });

  it("with a flag that is no number, unknown or missing", async () => {
    expect(await refusal("up", "--workers", "none")).toMatch(/--workers.*whole number from 1 to 256/);
    expect(await refusal("up", "--preste", "quick")).toMatch(/unknown option '--preste'[\s\S]*--preset/);
    expect(await refusal("upscale", photo, "--kernel", "g2.0", "--scale", "3", "-o", "out.png")).toMatch(
      /--model: is missing, and no model for ×3 comes with the program; expected model\.safetensors/,
    );
    expect(await refusal("upp")).toMatch(/unknown command 'upp'[\s\S]*up/);
  });

  it("for a run that is there already, is not there, or is something else", async () => {
    const other = join(folder, "other");
    await mkdir(other);
    await writeFile(join(other, "thesis.txt"), "");
    expect(await refusal("up", "--run", other)).toMatch(/holds no run; expected another --run/);
    await writeFile(join(other, "config.yaml"), "seed: 1\n");
    expect(await refusal("up", "--run", other, "--fresh")).toMatch(/holds no run/);
    expect((await readdir(other)).sort()).toEqual(["config.yaml", "thesis.txt"]);
    const old = join(folder, "old");
    await mkdir(old);
    await writeFile(join(old, "config.yaml"), "seed: 1\n");
    await writeFile(join(old, "metrics.jsonl"), "{}\n");
    expect(await refusal("up", "--run", old, "--fresh")).toMatch(/no \.mzsr-run; expected --resume, which marks it/);
    expect(await refusal("up", "--run", "nowhere", "--resume")).toMatch(/no run to resume/);
    expect(await refusal("up", "--resume", "--fresh", "--run", other)).toMatch(/contradict/);
  });
});

describe("a model file", () => {
  it("that is missing or no model", async () => {
    expect(await upscaleWithModel(join(folder, "none.safetensors"))).toMatch(
      /none\.safetensors.*expected a model file/,
    );
    expect(await upscaleWithModel(photo)).toMatch(
      /photo\.png: not a safetensors file \(.*\); expected the model\.safetensors of a run, or what `mzsr import` makes/,
    );
  });

  it("that is cut short", async () => {
    const whole = encodeModel(smallModel());
    expect(await upscaleWithModel(await file("cut.safetensors", whole.subarray(0, whole.length - 100)))).toMatch(
      /cut short/,
    );
    expect(await upscaleWithModel(await file("stub.safetensors", whole.subarray(0, 5)))).toMatch(/stub\.safetensors/);
  });

  it("of another shape", async () => {
    const text = Buffer.from(encodeModel(smallModel())).toString("latin1");
    const bent = Buffer.from(text.replace('"shape":[3,3,4,3]', '"shape":[3,3,3,4]'), "latin1");
    expect(await upscaleWithModel(await file("bent.safetensors", bent))).toMatch(
      /conv2\/kernel has shape \[3,3,3,4\]; expected \[3,3,4,3\]/,
    );
  });

  it("with NaN", async () => {
    const bytes = Buffer.from(encodeModel(smallModel()));
    bytes.writeFloatLE(Number.NaN, bytes.length - 8);
    expect(await upscaleWithModel(await file("nan.safetensors", bytes))).toMatch(
      /holds NaN at element \d+; expected finite numbers/,
    );
  });

  it("for another scale", async () => {
    const images = join(folder, "no-images-needed");
    expect(await refusal("evaluate", "--model", model, "--images", images, "--kernel", "g2.0", "--scale", "3")).toMatch(
      /enlarges 2 times/,
    );
  });
});

describe("the network", () => {
  let busy: Server;
  let port: number;
  beforeAll(async () => {
    busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, "127.0.0.1", resolve));
    port = (busy.address() as { port: number }).port;
  });
  afterAll(() => {
    busy.close();
  });

  it("refuses a port in use, and leaves no run folder", async () => {
    const small = ["--set", "model.width=4", "--set", "model.depth=2", "--run", "run"];
    expect(await refusal("up", ...small, "--http-port", String(port))).toMatch(
      new RegExp(`port ${port} is in use.*expected a free port`),
    );
    expect(await refusal("coordinator", ...small, "--port", String(port), "--http-port", "0")).toMatch(
      new RegExp(`127.0.0.1:${port}: workers cannot be served .*in use.*expected a free port`),
    );
  });

  it("ends a worker without a coordinator as a failure that may pass, and says where it looked", async () => {
    const nobody = await freePort();
    const { code, notes } = await mzsr(
      ["worker", "--coordinator", `127.0.0.1:${nobody}`, "--connect-timeout", "1", "--backend", "cpu"],
      { cwd: empty },
    );
    expect(code).toBe(1);
    expect(notes.trimEnd().split("\n").at(-1)).toMatch(new RegExp(`^mzsr: .*127\\.0\\.0\\.1:${nobody}`));
    expect(notes).not.toMatch(/\n\s+at /);
    expect(await refusal("worker", "--coordinator", "http://nonsense")).toMatch(/--coordinator.*host:port/);
  });

  it("has a worker that is refused for good end as bad input, with the reason", async () => {
    const coordinator = await new FakeCoordinator().listen();
    try {
      const ended = mzsr(["worker", "--coordinator", coordinator.address, "--backend", "cpu", "--slots", "1"], {
        cwd: empty,
      });
      (await coordinator.session()).send({ type: "refusal", reason: "the token is not right", retry: false });
      const { code, notes } = await ended;
      expect(notes.trimEnd().split("\n").at(-1)).toMatch(
        /^mzsr: .*the token is not right; expected .*MZSR_TOKEN .*--token-file .*none is given here$/,
      );
      expect(code).toBe(2);
    } finally {
      coordinator.kill();
    }
  });

  it("refuses a status that nobody gives", async () => {
    const nobody = await freePort();
    expect(await refusal("status", "--url", `http://127.0.0.1:${nobody}`)).toMatch(
      /no coordinator answers at http:.*expected/,
    );
    expect(await refusal("status", "--url", "nonsense")).toMatch(/not a URL/);
    expect(await refusal("status", "--run", folder)).toMatch(/no run in it; expected a run folder/);
  });
});

it("options of a standby without --standby", async () => {
  expect(await refusal("coordinator", "--advertise", "10.0.0.5")).toMatch(/--advertise: .*without --standby/);
  expect(await refusal("coordinator", "--nats-replicas", "3")).toMatch(/--nats-replicas: .*without --standby/);
});

it("a TLS file of another kind, or none", async () => {
  const key = await file("worker.key", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
  const worker = (...tls: string[]) => refusal("worker", "--coordinator", "127.0.0.1:1", ...tls);
  expect(await worker("--tls-ca", key)).toMatch(/--tls-ca .*worker\.key: holds no certificate; expected a PEM file/);
  expect(await worker("--tls-ca", join(folder, "none.crt"))).toMatch(/--tls-ca .*none\.crt: cannot be read/);
});

it("an output that cannot be written", async () => {
  const into = (output: string) => refusal("upscale", photo, "--model", model, "--kernel", "g2.0", "-o", output);
  expect(await into("out.gif")).toMatch(/cannot write \.gif; expected a folder, or a name that ends with \.png/);
  expect(await into("nowhere/out.png")).toMatch(/expected a name in a writable folder/);
  expect(await refusal("export", "--model", model, "-o", "net.pt")).toMatch(/ends with \.onnx or \.safetensors/);
});

it("a checkpoint that is none", async () => {
  expect(await refusal("import", join(folder, "none"), "-o", "m.safetensors")).toMatch(
    /none: no such file, folder or checkpoint; expected a TensorFlow 1 checkpoint/,
  );
});

/** A NumPy file of float64. */
function npy(shape: readonly number[], values: readonly number[]): Buffer {
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`.padEnd(117, " ");
  const start = Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    Buffer.from([118, 0]),
    Buffer.from(`${header}\n`),
  ]);
  return Buffer.concat([start, Buffer.from(Float64Array.from(values).buffer)]);
}

/** The beginning of a PNG that says how large it is, and nothing more. */
function pngHeader(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, check]);
  };
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(width, 0);
  ihdr.writeUInt32BE(height, 4);
  ihdr.set([8, 2], 8);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    signature,
    chunk("IHDR", ihdr),
    chunk("IDAT", Buffer.alloc(0)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
