/**
 * The gradient of a layer's kernel and bias for many tasks at once: dW[ky, kx] = Σ_p x[p + (ky, kx) − 1] ⊗ dy[p] and
 * db = Σ_p dy[p], as partial sums over equal parts of the pixels ("splits"), which a reduction adds in their order.
 *
 * A workgroup sums one row of taps (ky) over one split, for a block of input × output groups. It walks over tiles of
 * `slices` rows × 16 pixels; a thread sums 3 taps × 4 × 4 channels over one row of the tile, or twice as many outputs
 * where there are threads enough, so each value that it reads serves 12 to 24 products. Values that several threads need
 * come through workgroup memory. Rows of a tile are summed apart and added at the end, in order.
 */
import { GROUP, GROUP_BYTES, type PatchShape, taskStride } from "../plan/shapes.js";
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
  const tile = filterGradientTile(options);
  const { inputGroups, outputGroups, sources, readsImage } = options;
  const read = (name: string): Binding => ({ name, type: "array<vec4f>", access: "read" });
  const bindings = [read("x0"), read("dy0")];
  if (sources === 2) bindings.push(read("x1"), read("dy1"));
  if (readsImage) bindings.push({ name: "batch", type: "vec4u", access: "uniform" });
  bindings.push({ name: "partials", type: "array<vec4f>", access: "read_write" });
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
  /** Output groups of a thread; its first is its lane's, the others follow `outputs / own` apart. */
  readonly own: number;
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
  const outputsOfBlock = Math.ceil(outputGroups / outputBlocks);
  const own = inputs * outputsOfBlock > LARGEST_THREADS / 2 ? 2 : 1;
  const outputs = own * Math.ceil(outputsOfBlock / own);
  const lanes = (inputs * outputs) / own;
  let slices = LARGEST_SLICES;
  const fits = (count: number) =>
    count * lanes <= LARGEST_THREADS && workgroupBytes(count, { inputs, outputs, own }) <= WORKGROUP_BYTES;
  while (slices > 1 && !fits(slices)) slices /= 2;
  const across = Math.ceil(shape.width / SEGMENT);
  const down = Math.ceil(shape.height / slices);
  const tiles = shape.patches * across * down;
  return { inputBlocks, outputBlocks, inputs, outputs, own, slices, threads: slices * lanes, across, down, tiles };
}

function workgroupBytes(slices: number, tile: Pick<Tile, "inputs" | "outputs" | "own">): number {
  const { inputs, outputs } = tile;
  const x = sharesX(tile) ? (SEGMENT + 2) * inputs : 0;
  const dy = sharesDy(tile) ? SEGMENT * outputs : 0;
  const others = slices > 1 ? GROUP * inputs * outputs : 0;
  return GROUP_BYTES * (slices * (x + dy) + others);
}

function body(options: FilterGradientOptions, tile: Tile): string {
  const { shape, inputGroups, outputGroups, sources, splits } = options;
  const { inputs, outputs, own, slices, threads } = tile;
  const outputLanes = outputs / own;
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
${sharesX(tile) ? `var<workgroup> xs: array<vec4f, ${slices * (SEGMENT + 2) * inputs}>;` : ""}
${sharesDy(tile) ? `var<workgroup> dys: array<vec4f, ${slices * SEGMENT * outputs}>;` : ""}
${slices > 1 ? `var<workgroup> others: array<vec4f, ${GROUP * inputs * outputs}>;` : ""}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32) {
  let task = at.z;
  let ky = at.x % 3u;
  let split = at.x / 3u;
  let firstIn = (at.y % ${tile.inputBlocks}u) * ${inputs}u;
  let firstOut = (at.y / ${tile.inputBlocks}u) * ${outputs}u;
  let slice = thread / ${inputs * outputLanes}u;
  let lane = thread % ${inputs * outputLanes}u;
  let input = firstIn + lane / ${outputLanes}u;
  let output = firstOut + lane % ${outputLanes}u;
  let firstTile = min(TILES, split * PART);
  let endTile = min(TILES, firstTile + PART);
${repeat(own, (j) => `  var bias${j} = vec4f();`)}
${forSums(own, (_kx, _c, _j, sum) => `var ${sum} = vec4f();`)}
${repeat(sources, (s) => source(options, tile, s))}
${slices > 1 ? addSlices(tile) : ""}
  let to = (task * ${splits}u + split) * ${options.parameterStride / GROUP}u;
  if (slice == 0u && input < IN) {
${repeat(own, (j) => {
  const at = (kx: number, c: number) => `to + ((ky * 3u + ${kx}u) * 4u * IN + 4u * input + ${c}u) * OUT + out`;
  return `
    {
      let out = output + ${j * outputLanes}u;
      if (out < OUT) {
${forTaps((kx, c) => `        partials[${at(kx, c)}] = ${sumOf(kx, c, j)};`)}
        if (ky == 1u && input == 0u) { partials[to + 36u * IN * OUT + out] = bias${j}; }
      }
    }`;
})}
  }
}
`;
}

/** Where a value serves one thread alone, workgroup memory would only be a detour. */
function sharesX({ outputs, own }: Pick<Tile, "outputs" | "own">): boolean {
  return outputs > own;
}

function sharesDy({ inputs }: Pick<Tile, "inputs">): boolean {
  return inputs > 1;
}

/** Walks over the split's tiles with one pair of x and dy. */
function source(options: FilterGradientOptions, tile: Tile, s: number): string {
  const { inputs, outputs, own, slices, threads } = tile;
  const outputLanes = outputs / own;
  const wide = SEGMENT + 2;
  const xTask = s === 0 && options.readsImage ? "(task % batch.x)" : "task";
  const x = `x${s}[${xTask} * IN_STRIDE + (base + u32(y * WIDTH + x)) * IN + g]`;
  const dy = `dy${s}[task * OUT_STRIDE + (base + u32(y * WIDTH + x)) * OUT + g]`;
  const shareX = `
    for (var i = thread; i < ${slices * wide * inputs}u; i += ${threads}u) {
      let g = firstIn + i % ${inputs}u;
      let p = i / ${inputs}u;
      let y = top + i32(p / ${wide}u) + i32(ky) - 1;
      let x = left + i32(p % ${wide}u) - 1;
      var value = vec4f();
      if (g < IN && y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH) { value = ${x}; }
      xs[i] = value;
    }`;
  const shareDy = `
    for (var i = thread; i < ${slices * SEGMENT * outputs}u; i += ${threads}u) {
      let g = firstOut + i % ${outputs}u;
      let p = i / ${outputs}u;
      let y = top + i32(p / ${SEGMENT}u);
      let x = left + i32(p % ${SEGMENT}u);
      var value = vec4f();
      if (g < OUT && y < HEIGHT && x < WIDTH) { value = ${dy}; }
      dys[i] = value;
    }`;
  /** Into `name`, pixel `column` of the thread's row. */
  const readX = (name: string, column: string) =>
    sharesX(tile)
      ? `let ${name} = xs[slice * ${wide * inputs}u + lane / ${outputLanes}u + ${column} * ${inputs}u];`
      : `var ${name} = vec4f();
      {
        let g = input;
        let y = top + i32(slice + ky) - 1;
        let x = left + i32(${column}) - 1;
        if (g < IN && y >= 0 && y < HEIGHT && x >= 0 && x < WIDTH) { ${name} = ${x}; }
      }`;
  const readDy = (j: number) =>
    sharesDy(tile)
      ? `let gradient${j} = dys[slice * ${SEGMENT * outputs}u + lane % ${outputLanes}u + p * ${outputs}u + ${j * outputLanes}u];`
      : `var gradient${j} = vec4f();
      {
        let g = output + ${j * outputLanes}u;
        let y = top + i32(slice);
        let x = left + i32(p);
        if (g < OUT && y < HEIGHT && x < WIDTH) { gradient${j} = ${dy}; }
      }`;
  const product = (kx: number, c: number, j: number, sum: string) =>
    `  ${sum} = fma(vec4f(${["before", "here", "after"][kx]}.${COMPONENTS[c]}), gradient${j}, ${sum});`;
  return `
  for (var tile = firstTile; tile < endTile; tile++) {
    let left = i32(tile % ACROSS) * ${SEGMENT};
    let top = i32((tile / ACROSS) % DOWN) * ${slices};
    let base = (tile / (ACROSS * DOWN)) * u32(HEIGHT * WIDTH);
${sharesX(tile) ? shareX : ""}
${sharesDy(tile) ? shareDy : ""}
    workgroupBarrier();
    ${readX("first", "0u")}
    ${readX("second", "1u")}
    var before = first;
    var here = second;
    for (var p = 0u; p < ${SEGMENT}u; p++) {
      ${readX("after", "(p + 2u)")}
${repeat(own, (j) => `      ${readDy(j)}`)}
${forSums(own, product)}
${options.bias === s ? `      if (ky == 1u) { ${repeat(own, (j) => `bias${j} += gradient${j};`)} }` : ""}
      before = here;
      here = after;
    }
    workgroupBarrier();
  }`;
}

/** The sum of the tap kx, the input channel c and the thread's j-th output group. */
function sumOf(kx: number, c: number, j: number): string {
  return `sum${kx}${COMPONENTS[c]}_${j}`;
}

function forTaps(statement: (kx: number, c: number) => string): string {
  return repeat(12, (i) => statement(i >> 2, i & 3));
}

/** A statement for each of a thread's sums. */
function forSums(own: number, statement: (kx: number, c: number, j: number, sum: string) => string): string {
  return repeat(own, (j) => forTaps((kx, c) => `    ${statement(kx, c, j, sumOf(kx, c, j))}`));
}

/** Adds the sums of the tile's other rows to those of its first, row by row. */
function addSlices({ slices, inputs, outputs, own }: Tile): string {
  const lanes = (inputs * outputs) / own;
  /** So many of a thread's sums at a time fit into `others`. */
  const add = (sums: readonly string[]) => `
    if (slice == other) {
${sums.map((sum, i) => `      others[${i * lanes}u + lane] = ${sum};`).join("\n")}
    }
    workgroupBarrier();
    if (slice == 0u) {
${sums.map((sum, i) => `      ${sum} += others[${i * lanes}u + lane];`).join("\n")}
    }
    workgroupBarrier();`;
  const ownGroups = Array.from({ length: own }, (_, j) => j);
  const ofTap = (kx: number) => add(ownGroups.flatMap((j) => [0, 1, 2, 3].map((c) => sumOf(kx, c, j))));
  const biases = add(ownGroups.map((j) => `bias${j}`));
  return `  for (var other = 1u; other < ${slices}u; other++) {${repeat(3, ofTap)}${biases}\n  }`;
}
