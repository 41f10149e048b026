/**
 * The gradient of a layer's kernel and bias for many tasks at once: dW[ky, kx] = Σ_p x[p + (ky, kx) − 1] ⊗ dy[p] and
 * db = Σ_p dy[p], as partial sums over equal parts of the pixels ("splits"), which a reduction adds in their order.
 *
 * A workgroup sums one row of taps (ky) over one split, for a block of input × output groups. It walks over tiles of
 * `slices` rows × 16 pixels; a thread sums 3 taps × 4 × 4 channels over one row of the tile, so each value that it reads
 * from workgroup memory serves 12 or 24 products. Rows of a tile are summed apart and added at the end, in order.
 */
import { GROUP, type PatchShape, taskStride } from "../plan/shapes.js";
import { type Binding, COMPONENTS, type GridKernel, kernel, repeat } from "./kernel.js";

export interface FilterGradientOptions {
  readonly shape: PatchShape;
  readonly inputGroups: number;
  readonly outputGroups: number;
  /** Pairs `x0`, `dy0`, and in dual kernels `x1`, `dy1`, whose products are added. */
  readonly sources: 1 | 2;
  /** Whose `dy` is the gradient of the bias; where none is, the bias's gradient is 0. */
  readonly bias?: 0 | 1;
  /** x0 is an image, which all inner steps of a task share. */
  readonly readsImage: boolean;
  /** Floats from one task's parameters to the next's. */
  readonly parameterStride: number;
  /** Parts that the pixels are split into. */
  readonly splits: number;
}

/** Pixels of a row that a thread sums over at a time. */
const SEGMENT = 16;
const LARGEST_GROUPS = 16;
const LARGEST_THREADS = 256;
const LARGEST_SLICES = 8;

/** Bytes of workgroup memory that every adapter has. */
const WORKGROUP_BYTES = 16_384;

/** Bindings: x0, dy0, [x1, dy1], [batch], partials [tasks][splits][parameterStride], bound from the layer's kernel on. */
export function filterGradientKernel(options: FilterGradientOptions): GridKernel {
  const { inputGroups, outputGroups, sources, readsImage } = options;
  const read = (name: string): Binding => ({ name, type: "array<vec4f>", access: "read" });
  const bindings = [read("x0"), read("dy0")];
  if (sources === 2) bindings.push(read("x1"), read("dy1"));
  if (readsImage) bindings.push({ name: "batch", type: "vec4u", access: "uniform" });
  bindings.push({ name: "partials", type: "array<vec4f>", access: "read_write" });
  const tile = filterGradientTile(options);
  const name = `filter gradient ${4 * inputGroups}→${4 * outputGroups}${sources === 2 ? " dual" : ""}`;
  const made = kernel(name, bindings, body(options, tile));
  return { ...made, grid: [3 * options.splits, tile.inputBlocks * tile.outputBlocks] };
}

/** Tiles of one task, of which splits are made: at most so many splits are of use. */
export function filterGradientTiles(shape: PatchShape, inputGroups: number, outputGroups: number): number {
  return filterGradientTile({ shape, inputGroups, outputGroups }).tiles;
}

interface Tile {
  readonly inputBlocks: number;
  readonly outputBlocks: number;
  /** Groups in a block. */
  readonly inputs: number;
  readonly outputs: number;
  /** Rows of a tile. */
  readonly slices: number;
  readonly threads: number;
  readonly across: number;
  readonly down: number;
  readonly tiles: number;
}

function filterGradientTile({
  shape,
  inputGroups,
  outputGroups,
}: Pick<FilterGradientOptions, "shape" | "inputGroups" | "outputGroups">): Tile {
  const inputBlocks = Math.ceil(inputGroups / LARGEST_GROUPS);
  const outputBlocks = Math.ceil(outputGroups / LARGEST_GROUPS);
  const inputs = Math.ceil(inputGroups / inputBlocks);
  const outputs = Math.ceil(outputGroups / outputBlocks);
  let slices = LARGEST_SLICES;
  const fits = (count: number) =>
    count * inputs * outputs <= LARGEST_THREADS && workgroupBytes(count, inputs, outputs) <= WORKGROUP_BYTES;
  while (slices > 1 && !fits(slices)) slices /= 2;
  const across = Math.ceil(shape.width / SEGMENT);
  const down = Math.ceil(shape.height / slices);
  const tiles = shape.patches * across * down;
  const threads = slices * inputs * outputs;
  return { inputBlocks, outputBlocks, inputs, outputs, slices, threads, across, down, tiles };
}

function workgroupBytes(slices: number, inputs: number, outputs: number): number {
  const groups = slices * ((SEGMENT + 2) * inputs + SEGMENT * outputs) + GROUP * inputs * outputs;
  return 16 * groups;
}

function body(options: FilterGradientOptions, tile: Tile): string {
  const { shape, inputGroups, outputGroups, sources, splits } = options;
  const { inputs, outputs, slices, threads } = tile;
  return `
const HEIGHT = ${shape.height};
const WIDTH = ${shape.width};
const IN = ${inputGroups}u;
const OUT = ${outputGroups}u;
const IN_STRIDE = ${taskStride(shape, inputGroups)}u;
const OUT_STRIDE = ${taskStride(shape, outputGroups)}u;
const TILES = ${tile.tiles}u;
const PART = ${Math.ceil(tile.tiles / splits)}u;
const ACROSS = ${tile.across}u;
const DOWN = ${tile.down}u;
var<workgroup> xs: array<vec4f, ${slices * (SEGMENT + 2) * inputs}>;
var<workgroup> dys: array<vec4f, ${slices * SEGMENT * outputs}>;
${slices > 1 ? `var<workgroup> others: array<vec4f, ${GROUP * inputs * outputs}>;` : ""}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32) {
  let task = at.z;
  let ky = at.x % 3u;
  let split = at.x / 3u;
  let firstIn = (at.y % ${tile.inputBlocks}u) * ${inputs}u;
  let firstOut = (at.y / ${tile.inputBlocks}u) * ${outputs}u;
  let slice = thread / ${inputs * outputs}u;
  let lane = thread % ${inputs * outputs}u;
  let input = firstIn + lane / ${outputs}u;
  let output = firstOut + lane % ${outputs}u;
  let firstTile = min(TILES, split * PART);
  let endTile = min(TILES, firstTile + PART);
  var bias = vec4f();
${forSums((_kx, _c, sum) => `var ${sum} = vec4f();`)}
${repeat(sources, (s) => source(options, tile, s))}
${slices > 1 ? addSlices(tile) : ""}
  let to = (task * ${splits}u + split) * ${options.parameterStride / GROUP}u;
  if (slice == 0u && input < IN && output < OUT) {
${forSums((kx, c, sum) => `partials[to + ((ky * 3u + ${kx}u) * 4u * IN + 4u * input + ${c}u) * OUT + output] = ${sum};`)}
  }
  if (ky == 1u && firstIn == 0u && thread < ${outputs}u && firstOut + thread < OUT) {
    partials[to + 36u * IN * OUT + firstOut + thread] = bias;
  }
}
`;
}

/** Walks over the split's tiles with one pair of x and dy. */
function source(options: FilterGradientOptions, tile: Tile, s: number): string {
  const { inputs, outputs, slices, threads } = tile;
  const xTask = s === 0 && options.readsImage ? "(task % batch.x)" : "task";
  const wide = SEGMENT + 2;
  const sumBias = `
    if (ky == 1u && thread < ${outputs}u) {
      for (var p = 0u; p < ${slices * SEGMENT}u; p++) { bias += dys[p * ${outputs}u + thread]; }
    }`;
  return `
  for (var tile = firstTile; tile < endTile; tile++) {
    let left = i32(tile % ACROSS) * ${SEGMENT};
    let top = i32((tile / ACROSS) % DOWN) * ${slices};
    let base = (tile / (ACROSS * DOWN)) * u32(HEIGHT * WIDTH);
    for (var i = thread; i < ${slices * wide * inputs}u; i += ${threads}u) {
      let g = firstIn + i % ${inputs}u;
      let p = i / ${inputs}u;
      let y = top + i32(p / ${wide}u) + i32(ky) - 1;
      let x = left + i32(p % ${wide}u) - 1;
      var value = vec4f();
      if (g < IN && y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH) {
        value = x${s}[${xTask} * IN_STRIDE + (base + u32(y * WIDTH + x)) * IN + g];
      }
      xs[i] = value;
    }
    for (var i = thread; i < ${slices * SEGMENT * outputs}u; i += ${threads}u) {
      let g = firstOut + i % ${outputs}u;
      let p = i / ${outputs}u;
      let y = top + i32(p / ${SEGMENT}u);
      let x = left + i32(p % ${SEGMENT}u);
      var value = vec4f();
      if (g < OUT && y < HEIGHT && x < WIDTH) { value = dy${s}[task * OUT_STRIDE + (base + u32(y * WIDTH + x)) * OUT + g]; }
      dys[i] = value;
    }
    workgroupBarrier();
    let fromX = slice * ${wide * inputs}u + lane / ${outputs}u;
    let fromDy = slice * ${SEGMENT * outputs}u + lane % ${outputs}u;
${products(tile)}
${options.bias === s ? sumBias : ""}
    workgroupBarrier();
  }`;
}

/** Each x is read once and serves three taps. */
function products({ inputs, outputs }: Tile): string {
  const sums = ["before", "here", "after"].flatMap((x, kx) =>
    COMPONENTS.map((c) => `      sum${kx}${c} = fma(vec4f(${x}.${c}), dy, sum${kx}${c});`),
  );
  return `
    var before = xs[fromX];
    var here = xs[fromX + ${inputs}u];
    for (var p = 0u; p < ${SEGMENT}u; p++) {
      let after = xs[fromX + (p + 2u) * ${inputs}u];
      let dy = dys[fromDy + p * ${outputs}u];
${sums.join("\n")}
      before = here;
      here = after;
    }`;
}

/** A statement for each of a thread's sums: of the tap kx and the input channel c. */
function forSums(statement: (kx: number, c: number, sum: string) => string): string {
  return repeat(12, (i) => `    ${statement(i >> 2, i & 3, `sum${i >> 2}${COMPONENTS[i & 3]}`)}`);
}

/** Adds the sums of the tile's other rows to those of its first, row by row. */
function addSlices({ slices, inputs, outputs }: Tile): string {
  const lanes = inputs * outputs;
  // A tap at a time, so that the workgroup memory is a third.
  const oneTap = (kx: number) => `
    if (slice == other) {
${COMPONENTS.map((c, i) => `      others[${i * lanes}u + lane] = sum${kx}${c};`).join("\n")}
    }
    workgroupBarrier();
    if (slice == 0u) {
${COMPONENTS.map((c, i) => `      sum${kx}${c} += others[${i * lanes}u + lane];`).join("\n")}
    }
    workgroupBarrier();`;
  return `  for (var other = 1u; other < ${slices}u; other++) {${repeat(3, oneTap)}\n  }`;
}
