/** Files of other programs, written here by hand; test/exchange has those that the programs write. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, describe, expect, it } from "vitest";
import { importNpz, importSafetensors } from "./import-file.js";
import { parameterLayout } from "./layout.js";
import { encodeSafetensors, type NamedTensor } from "./safetensors.js";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const SHAPES: [string, number[]][] = [
  ["conv1.weight", [4, 3, 3, 3]],
  ["conv1.bias", [4]],
  ["conv2.weight", [3, 4, 3, 3]],
  ["conv2.bias", [3]],
];
/** Each element says where it lies. */
const tensors = (shapes = SHAPES): NamedTensor[] =>
  shapes.map(([name, shape], t) => {
    const size = shape.reduce((product, side) => product * side, 1);
    return { name, shape, data: Float32Array.from({ length: size }, (_, i) => 1000 * t + i) };
  });

async function safetensors(list: readonly NamedTensor[]): Promise<string> {
  const path = join(folder, "net.safetensors");
  await writeFile(path, encodeSafetensors(list, {}));
  return path;
}

function npy({ shape, data }: NamedTensor, order = "False"): Buffer {
  const header = `{'descr': '<f4', 'fortran_order': ${order}, 'shape': (${shape.join(", ")},), }\n`;
  const prefix = Buffer.from("\x93NUMPY\x01\x00\x00\x00", "latin1");
  prefix.writeUInt16LE(header.length, 8);
  return Buffer.concat([prefix, Buffer.from(header, "latin1"), new Uint8Array(data.buffer)]);
}

/** A ZIP archive with what is told about an entry, by default the truth. */
function zip(files: readonly [string, Buffer][], told: { size?: number; method?: number } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of files) {
    const packed = deflateRawSync(content);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(told.method ?? 8, 10);
    entry.writeUInt32LE(crc32(content), 16);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(told.size ?? content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), packed);
    at += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

async function npz(bytes: Buffer): Promise<string> {
  const path = join(folder, "net.npz");
  await writeFile(path, bytes);
  return path;
}

const archive = () => tensors().map((tensor): [string, Buffer] => [`${tensor.name}.npy`, npy(tensor)]);

describe("a network of another program", () => {
  it("is turned from OIHW to HWIO, whatever its convolutions are called", async () => {
    const renamed = tensors().map((tensor) => ({
      ...tensor,
      name: tensor.name.replace("conv1", "net.2").replace("conv2", "net.10"),
    }));
    for (const path of [await safetensors(tensors()), await safetensors(renamed), await npz(zip(archive()))]) {
      const read = path.endsWith(".npz") ? importNpz : importSafetensors;
      const { architecture, scale, parameters } = await read(path, 4);
      expect([architecture, scale]).toEqual([{ depth: 2, width: 4 }, 4]);
      const [kernel, bias, second] = parameterLayout(architecture).entries;
      // Element (y 1, x 2, i 2, o 3) of the one is (o 3, i 2, y 1, x 2) of the other.
      expect(parameters[kernel!.offset + ((1 * 3 + 2) * 3 + 2) * 4 + 3]).toBe((3 * 3 + 2) * 9 + 1 * 3 + 2);
      expect([...parameters.subarray(bias!.offset, second!.offset)]).toEqual([1000, 1001, 1002, 1003]);
    }
  });

  it("that is no chain of 3×3 convolutions from colour to colour is refused by the tensor that is wrong", async () => {
    const refused = async (shapes: [string, number[]][]) =>
      expect(importSafetensors(await safetensors(tensors(shapes)), 2)).rejects;
    const [one, bias, two, last] = SHAPES as [
      [string, number[]],
      [string, number[]],
      [string, number[]],
      [string, number[]],
    ];
    await (await refused([one, bias])).toThrow(/no network in it \(1 convolutions\)/);
    await (await refused([one, two, last])).toThrow(/conv1 has no bias/);
    await (await refused([one, ["conv1.bias", [3]], two, last])).toThrow(/conv1 has a bias of shape \[3\]/);
    await (await refused([["conv1.weight", [4, 3, 5, 5]], bias, two, last])).toThrow(
      /conv1\.weight has shape \[4,3,5,5\]/,
    );
    await (await refused([one, bias, ["conv2.weight", [3, 5, 3, 3]], last])).toThrow(
      /conv2\.weight leads from 5 to 3 channels; expected 4 → 3/,
    );
  });
});

describe("an archive of arrays", () => {
  it("that is cut short, changed or none is refused", async () => {
    const whole = zip(archive());
    await expect(importNpz(await npz(whole.subarray(0, 500)), 2)).rejects.toThrow(/not a ZIP archive, or cut short/);
    const changed = Buffer.from(whole);
    // In the packed data of the first entry.
    changed[30 + "conv1.weight.npy".length + 60]! ^= 0xff;
    await expect(importNpz(await npz(changed), 2)).rejects.toThrow(/damaged/);
    await expect(importNpz(await npz(zip(archive(), { method: 12 })), 2)).rejects.toThrow(/packed by method 12/);
    await expect(importNpz(await npz(Buffer.from("no archive, but more than twenty-two bytes")), 2)).rejects.toThrow(
      /not a ZIP/,
    );
  });

  it("never unpacks more than it says, nor more than a model may have", async () => {
    const bomb: [string, Buffer][] = [["conv1.weight.npy", Buffer.alloc(1_000_000)]];
    await expect(importNpz(await npz(zip(bomb, { size: 100 })), 2)).rejects.toThrow(/damaged/);
    await expect(importNpz(await npz(zip(bomb, { size: 2 ** 31 })), 2)).rejects.toThrow(/unpacks to too much/);
  });

  it("in Fortran order is refused, since its elements lie otherwise", async () => {
    const files = tensors().map((tensor): [string, Buffer] => [`${tensor.name}.npy`, npy(tensor, "True")]);
    await expect(importNpz(await npz(zip(files)), 2)).rejects.toThrow(/conv1\.weight: array is in Fortran order/);
  });
});
