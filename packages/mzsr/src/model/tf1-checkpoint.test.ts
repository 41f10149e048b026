import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { crc32cTable, maskedCrc } from "../files/crc32c.js";
import { parameterLayout } from "./layout.js";
import { importTf1Checkpoint } from "./tf1-checkpoint.js";

const architecture = { depth: 2, width: 3 };
const parameters = Float32Array.from({ length: parameterLayout(architecture).size }, (_, i) => Math.sin(i));

let prefix: string;
const folder = sharedFolder();
beforeAll(async () => {
  prefix = join(folder, "Model");
  await writeCheckpoint(prefix, parameters);
});

describe("crc32c", () => {
  it("gives the published check value", () => {
    expect(crc32cTable()(Buffer.from("123456789"))).toBe(0xe3069283);
  });
});

describe("a TensorFlow 1 checkpoint", () => {
  it("gives its network", async () => {
    expect(await importTf1Checkpoint(prefix, 2)).toMatchObject({ architecture, scale: 2, parameters });
  });

  it("is refused when a file is missing", async () => {
    await expect(importTf1Checkpoint(join(folder, "none"), 2)).rejects.toThrow(InputError);
  });

  it("is refused when a byte of the index or of a tensor is another", async () => {
    const data = await readFile(`${prefix}.data-00000-of-00001`);
    const index = await readFile(`${prefix}.index`);
    const broken = join(folder, "Broken");
    // Before the end come a block that nobody reads, the block that says where the first one lies, and the footer.
    const positions = Array.from({ length: Math.floor((index.length - 90) / 7) }, (_, i) => 7 * i);
    for (const at of [...positions, index.length - 50, index.length - 1]) {
      const other = Buffer.from(index);
      other[at]! ^= 1;
      await writeFile(`${broken}.data-00000-of-00001`, data);
      await writeFile(`${broken}.index`, other);
      await expect(importTf1Checkpoint(broken, 2), `byte ${at}`).rejects.toThrow("damaged or not the index");
    }
    data[9]! ^= 1;
    await writeFile(`${broken}.index`, index);
    await writeFile(`${broken}.data-00000-of-00001`, data);
    await expect(importTf1Checkpoint(broken, 2)).rejects.toThrow(/tensor \S+ is damaged/);
  });

  it("is refused when cut short", async () => {
    const cut = join(folder, "Cut");
    const [index, data] = [await readFile(`${prefix}.index`), await readFile(`${prefix}.data-00000-of-00001`)];
    await writeFile(`${cut}.index`, index);
    await writeFile(`${cut}.data-00000-of-00001`, data.subarray(0, -4));
    await expect(importTf1Checkpoint(cut, 2)).rejects.toThrow("cut short");
    await writeFile(`${cut}.index`, index.subarray(0, 20));
    await expect(importTf1Checkpoint(cut, 2)).rejects.toThrow(InputError);
  });

  /** A tensor's description: float32, all its bytes at the start of the shard. */
  const described = (shape: readonly number[], size: number) => {
    const dimensions = Buffer.concat(shape.map((side) => field(2, field(1, side))));
    return Buffer.concat([field(1, 1), field(2, dimensions), field(4, 0), field(5, size)]);
  };
  const bytes = parameters.byteLength;

  it.each<[string, Parameters<typeof writeCheckpoint>[2], RegExp]>([
    ["10 million shards", { shards: 1e7 }, /checkpoint of 10000000 shards; expected at most 1000/],
    [
      "tensors that share their bytes",
      { more: Array.from({ length: 400 }, (_, i) => [`copy${i}`, described([bytes / 4], bytes)] as [string, Buffer]) },
      /tensors overlap: \d+ bytes of tensors in \d+; expected the whole files/,
    ],
    ["a tensor of fewer bytes than its shape", { more: [["wide", described([3, 3, 3, 1e9], 0)]] }, /tensor wide has 0/],
    ["a block named again and again", { handles: 1000 }, /damaged or not the index/],
    ["a key of many kilobytes", { more: [["k".repeat(5000), described([0], 0)]] }, /damaged or not the index/],
  ])("of %s is refused in a line, before it takes memory", async (_, how, message) => {
    const path = join(folder, "Hostile");
    await writeCheckpoint(path, parameters, how);
    const error = await importTf1Checkpoint(path, 2).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(message);
  });

  const published = fileURLToPath(new URL("../../../../../shared/data/pretrained_tf1/Pretrained", import.meta.url));
  it.skipIf(!existsSync(`${published}.index`))("of the public implementation is read (needs ../shared)", async () => {
    const model = await importTf1Checkpoint(published, 2);
    expect(model.architecture).toEqual({ depth: 8, width: 64 });
    expect(model.parameters).toHaveLength(225_091);
    expect(model.parameters[0]).toBeCloseTo(0.043290186673, 9);
  });
});

/** Writes a network the way `tf.train.Saver` does: a table of one block, keys sharing prefixes, and one shard. */
async function writeCheckpoint(
  path: string,
  state: Float32Array,
  { shards = 1, more = [], handles = 1 }: { shards?: number; more?: [string, Buffer][]; handles?: number } = {},
): Promise<void> {
  const crc = (bytes: Uint8Array) => maskedCrc(crc32cTable()(bytes));
  const bytes = Buffer.from(state.buffer);
  const entries = parameterLayout(architecture).entries.map(({ name, shape, offset, size }): [string, Buffer] => {
    const dimensions = Buffer.concat(shape.map((side) => field(2, field(1, side))));
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc(bytes.subarray(4 * offset, 4 * (offset + size))));
    const place = [field(4, 4 * offset), field(5, 4 * size), Buffer.of((6 << 3) | 5), checksum];
    return [`MODEL/${name}`, Buffer.concat([field(1, 1), field(2, dimensions), ...place])];
  });
  entries.push(...more);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  const file = [block([["", field(1, shards)], ...entries], crc)];
  const metaindex = handle(file[0]!.length, append(file, block([], crc)));
  const indexOffset = file[0]!.length + file[1]!.length;
  const dataHandle = handle(0, file[0]!.length - 5);
  const index = handle(
    indexOffset,
    append(
      file,
      block(
        Array.from({ length: handles }, () => ["N", dataHandle] as [string, Buffer]),
        crc,
      ),
    ),
  );
  const footer = Buffer.alloc(48);
  Buffer.concat([metaindex, index]).copy(footer);
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
  await writeFile(`${path}.index`, Buffer.concat([...file, footer]));
  await writeFile(`${path}.data-00000-of-00001`, bytes);
}

function append(file: Buffer[], more: Buffer): number {
  file.push(more);
  return more.length - 5;
}

function block(entries: [string, Buffer][], crc: (bytes: Uint8Array) => number): Buffer {
  let last = "";
  const parts = entries.map(([key, value]) => {
    let shared = 0;
    while (shared < last.length && last[shared] === key[shared]) shared++;
    last = key;
    const lengths = [shared, key.length - shared, value.length].map(varint);
    return Buffer.concat([...lengths, Buffer.from(key.slice(shared)), value]);
  });
  const restarts = Buffer.alloc(8);
  restarts.writeUInt32LE(1, 4);
  const uncompressed = Buffer.concat([...parts, restarts, Buffer.of(0)]);
  const trailer = Buffer.alloc(4);
  trailer.writeUInt32LE(crc(uncompressed));
  return Buffer.concat([uncompressed, trailer]);
}

function handle(offset: number, size: number): Buffer {
  return Buffer.concat([varint(offset), varint(size)]);
}

function field(number: number, value: number | Buffer): Buffer {
  if (typeof value === "number") return Buffer.concat([varint(number << 3), varint(value)]);
  return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  return value < 128
    ? Buffer.of(value)
    : Buffer.concat([Buffer.of((value % 128) | 128), varint(Math.floor(value / 128))]);
}
