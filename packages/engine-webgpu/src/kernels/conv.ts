/**
 * A 3×3 'same' convolution of one or two sources for many tasks at once, each with weights of its own, and what
 * follows it: bias, ReLU or its mask, or the L1 loss. One template serves the walk forward, the walk back (the same
 * convolution with flipped, transposed kernels) and both tangents of the R-operator.
 *
 * A workgroup computes a tile of pixels for a block of channel groups. Going through the input a group of four
 * channels at a time, it brings the tile with its border and the kernels of these channels into workgroup memory; a
 * thread keeps a run of pixels × four channels in registers and reads each input pixel once for three taps of a row.
 * The order in which an output's products are added (source, input group, row, column, channel) depends on nothing
 * else, so neither tiles nor the number of tasks touch its bits.
 */
import { biasOf, bindingsOf, type ConvOptions, constantsOf, pixelOf, STORE_HIDDEN } from "./conv-layer.js";
import { type ConvTile, convTile } from "./conv-tile.js";
import { COMPONENTS, type GridKernel, kernel, repeat } from "./kernel.js";

/** A convolution, computed as it is defined. */
export function convKernel(options: ConvOptions): GridKernel {
  const { shape, inputGroups, outputGroups, sources, direction, end } = options;
  const tile = convTile(outputGroups, shape);
  const name = `conv ${direction} ${4 * inputGroups}→${4 * outputGroups}${sources === 2 ? " dual" : ""} ${end.kind}`;
  const made = kernel(name, bindingsOf(options), body(options, tile));
  return { ...made, grid: [tile.tiles, shape.patches * tile.blocks] };
}

function body(options: ConvOptions, tile: ConvTile): string {
  const { sources, end } = options;
  const { threads, run, columns, rows, groups } = tile;
  const tileWidth = columns * run + 2;
  const tileSize = (rows + 2) * tileWidth;
  return `${constantsOf(options)}
var<workgroup> pixels: array<vec4f, ${tileSize}>;
var<workgroup> taps: array<vec4f, ${36 * groups}>;
${end.kind === "loss" ? `var<workgroup> sums: array<f32, ${threads}>;` : ""}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32) {
  let task = at.z;
  let picture = at.y % PATCHES;
  let firstOut = (at.y / PATCHES) * ${groups}u;
  let top = i32(at.x / ${tile.tilesAcross}u) * ${rows};
  let left = i32(at.x % ${tile.tilesAcross}u) * ${columns * run};
  let group = thread % ${groups}u;
  let place = thread / ${groups}u;
  let column = (place % ${columns}u) * ${run}u;
  let row = place / ${columns}u;
  let weightBase = task * WEIGHT_STRIDE;
  let pictureBase = picture * u32(HEIGHT * WIDTH);
${repeat(run, (p) => `  var sum${p} = vec4f();`)}
${repeat(sources, (s) => source(options, tile, s, tileWidth, tileSize))}
  let out = firstOut + group;
  let y = top + i32(row);
${ending(options, tile)}
}
`;
}

/** Adds one source's products to the sums. */
function source(options: ConvOptions, tile: ConvTile, s: number, tileWidth: number, tileSize: number): string {
  const { threads } = tile;
  return `
  for (var chunk = 0u; chunk < IN; chunk++) {
    for (var i = thread; i < ${tileSize}u; i += ${threads}u) {
      let iy = top + i32(i / ${tileWidth}u) - 1;
      let ix = left + i32(i % ${tileWidth}u) - 1;
      var value = vec4f();
      if (iy >= 0 && iy < HEIGHT && ix >= 0 && ix < WIDTH) {
        value = ${pixelOf(options, s)};
      }
      pixels[i] = value;
    }
${options.direction === "forward" ? forwardTaps(tile, s) : backTaps(tile, s)}
    workgroupBarrier();
    for (var ky = 0u; ky < 3u; ky++) {
      let start = (row + ky) * ${tileWidth}u + column;
      let tap = ky * 12u * ${tile.groups}u + group;
${productsOfRow(tile)}
    }
    workgroupBarrier();
  }`;
}

/** The products of one row of taps; each pixel is read once. */
function productsOfRow(tile: ConvTile): string {
  const read = repeat(tile.run + 2, (p) => `      let pixel${p} = pixels[start + ${p}u];`);
  return `${read}\n${repeat(3, (kx) => rowOfTaps(tile, kx))}`;
}

function rowOfTaps({ run, groups }: ConvTile, kx: number): string {
  return COMPONENTS.map((component, c) => {
    const weight = `tap${kx}${component}`;
    const products = repeat(run, (p) => `      sum${p} = fma(vec4f(pixel${p + kx}.${component}), ${weight}, sum${p});`);
    return `      let ${weight} = taps[tap + ${(4 * kx + c) * groups}u];\n${products}`;
  }).join("\n");
}

/** Kernels [9, 4·IN, OUT] of the current input group, as they are. */
function forwardTaps({ threads, groups }: ConvTile, s: number): string {
  return `
    for (var i = thread; i < ${36 * groups}u; i += ${threads}u) {
      let o = firstOut + i % ${groups}u;
      let c = i / ${groups}u;
      var value = vec4f();
      if (o < OUT) { value = weights${s}[weightBase + ((c / 4u) * 4u * IN + chunk * 4u + c % 4u) * OUT + o]; }
      taps[i] = value;
    }`;
}

/** Kernels [9, 4·OUT, IN] of the layer that is walked back through: flipped, and each 4 × 4 block transposed. */
function backTaps({ threads, groups }: ConvTile, s: number): string {
  return `
    for (var i = thread; i < ${9 * groups}u; i += ${threads}u) {
      let o = firstOut + i % ${groups}u;
      let k = i / ${groups}u;
      var block = mat4x4f();
      if (o < OUT) {
        let w = weightBase + ((8u - k) * 4u * OUT + o * 4u) * IN + chunk;
        block = transpose(mat4x4f(weights${s}[w], weights${s}[w + IN], weights${s}[w + 2u * IN], weights${s}[w + 3u * IN]));
      }
${repeat(4, (c) => `      taps[(k * 4u + ${c}u) * ${groups}u + i % ${groups}u] = block[${c}];`)}
    }`;
}

function ending(options: ConvOptions, tile: ConvTile): string {
  const { end } = options;
  const pixel = (p: number, text: string) => `
  {
    let x = left + i32(column) + ${p};
    if (out < OUT && y < HEIGHT && x < WIDTH) {
      let p = pictureBase + u32(y * WIDTH + x);
      let value = sum${p} + bias;
${text}
    }
  }`;
  const inImage = options.readsImage || end.kind === "loss" ? "(task % batch.x)" : "task";
  const texts = {
    relu: `      ${STORE_HIDDEN.relu}`,
    mask: `      ${STORE_HIDDEN.mask}`,
    residual: "      output[task * OUT_STRIDE + p * OUT + out] = image[task * IMAGE_STRIDE + p] + value;",
    loss: `      let i = ${inImage} * IMAGE_STRIDE + p;
      let difference = image[i] + value - goal[i];
      loss += dot(abs(difference), vec4f(1));
      output[task * IMAGE_STRIDE + p] = sign(difference) * scale;`,
  };
  const pixels = `  let bias = ${biasOf(options)};\n${repeat(tile.run, (p) => pixel(p, texts[end.kind]))}`;
  if (end.kind !== "loss") return pixels;
  return `  var loss = 0.0;
  let scale = rows[task * ${end.rowFloats}u + ${end.scaleAt}u];
${pixels}
${sumOverThreads("loss", "sums", tile.threads)}
  if (thread == 0u) { partials[task * ${end.partialStride}u + picture * ${tile.tiles}u + at.x] = sums[0]; }`;
}

/** Adds one value of every thread in a fixed order (a tree); the sum is then `array[0]`. */
export function sumOverThreads(value: string, array: string, threads: number): string {
  let text = `  ${array}[thread] = ${value};\n  workgroupBarrier();\n`;
  for (let count = threads; count > 1; ) {
    const half = Math.ceil(count / 2);
    text += `  if (thread < ${count - half}u) { ${array}[thread] += ${array}[thread + ${half}u]; }\n  workgroupBarrier();\n`;
    count = half;
  }
  return text;
}
