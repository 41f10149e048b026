/**
 * A hidden layer's convolution by Winograd's minimal filtering F(2×2, 3×3) (Lavin and Gray, Fast Algorithms for
 * Convolutional Neural Networks, CVPR 2016, §4.1): 16 multiplications give four pixels, where the definition takes 36.
 * With d a 4 × 4 piece of the input and g a kernel, a 2 × 2 piece of the output is Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A.
 *
 * A workgroup computes 8 × 16 pixels, 32 such pieces, for up to eight groups of channels. Going through the input a group
 * at a time, half of its threads transform the pixels and half the kernels, into workgroup memory; then each thread has one
 * of the 16 places of the transformed plane, eight pieces and two groups of outputs in registers. In the end the places are
 * brought together, two groups at a time, through the same memory, and transformed back.
 *
 * The order in which an output's products are added (source, input group, channel, then the places) depends on nothing
 * else. The result differs from the definition's in rounding alone, by a few units in the last place.
 */
import { biasOf, bindingsOf, type ConvOptions, constantsOf, pixelOf, STORE_HIDDEN } from "./conv-layer.js";
import { COMPONENTS, type GridKernel, kernel, repeat } from "./kernel.js";

const THREADS = 256;
/** Output groups of a workgroup. */
const GROUPS = 8;
/** Pieces of a workgroup, across and down, and pixels of a piece's side. */
const [ACROSS, DOWN, SIDE] = [8, 4, 2];
const PIECES = ACROSS * DOWN;
/** Places of a transformed plane. */
const PLACES = 16;
/** vec4s of transformed pixels; as many of transformed kernels follow. With both, all of the 16 KiB that every adapter has. */
const HALF = PLACES * PIECES;
/** Pieces and output groups of a thread. */
const [OWN_PIECES, OWN_GROUPS] = [8, 2];
/** Threads of one place stand 4 (pieces) × 4 (groups). */
const LANES = 4;

/** Hidden layers alone: what follows the sum has to be a ReLU or its mask. */
export function isWinogradLayer({ end, readsImage }: ConvOptions): boolean {
  return (end.kind === "relu" || end.kind === "mask") && !readsImage;
}

/** @throws RangeError for other than hidden layers */
export function winogradKernel(options: ConvOptions): GridKernel {
  if (!isWinogradLayer(options)) throw new RangeError(`no Winograd convolution ends with ${options.end.kind}`);
  const { shape, inputGroups, outputGroups, sources, direction, end } = options;
  const tilesAcross = Math.ceil(shape.width / (SIDE * ACROSS));
  const tiles = tilesAcross * Math.ceil(shape.height / (SIDE * DOWN));
  const blocks = Math.ceil(outputGroups / GROUPS);
  const dual = sources === 2 ? " dual" : "";
  const name = `winograd ${direction} ${4 * inputGroups}→${4 * outputGroups}${dual} ${end.kind}`;
  const made = kernel(name, bindingsOf(options), body(options, tilesAcross));
  return { ...made, grid: [tiles, shape.patches * blocks] };
}

function body(options: ConvOptions, tilesAcross: number): string {
  return `${constantsOf(options)}
var<workgroup> plane: array<vec4f, ${2 * HALF}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32) {
  let task = at.z;
  let picture = at.y % PATCHES;
  let firstOut = (at.y / PATCHES) * ${GROUPS}u;
  let top = i32(at.x / ${tilesAcross}u) * ${SIDE * DOWN};
  let left = i32(at.x % ${tilesAcross}u) * ${SIDE * ACROSS};
  let weightBase = task * WEIGHT_STRIDE;
  let pictureBase = picture * u32(HEIGHT * WIDTH);
  let half = thread % ${THREADS / 2}u;
  let item = half % ${PIECES}u;
  let line = half / ${PIECES}u;
  let place = thread / ${LANES * LANES}u;
  let pieceLane = thread % ${LANES}u;
  let groupLane = (thread / ${LANES}u) % ${LANES}u;
${forOwn((i, j) => `  var sum${i}_${j} = vec4f();`)}
${repeat(options.sources, (s) => source(options, s))}
${repeat(OWN_GROUPS, (j) => repeat(2, (h) => output(options, j, h)))}
}
`;
}

/** Adds one source's products to the sums. */
function source(options: ConvOptions, s: number): string {
  return `
  for (var chunk = 0u; chunk < IN; chunk++) {
    if (thread < ${THREADS / 2}u) {
      let iy0 = top + i32(item / ${ACROSS}u) * ${SIDE} - 1;
      let ix = left + i32(item % ${ACROSS}u) * ${SIDE} - 1 + i32(line);
${repeat(4, (r) => pixel(options, s, r))}
${repeat(4, (r) => `      plane[(${4 * r}u + line) * ${PIECES}u + item] = ${transformedPixel(r)};`)}
    } else if (line < 3u) {
      let o = firstOut + item % ${GROUPS}u;
      let c = item / ${GROUPS}u;
${repeat(3, (r) => `      var d${r} = vec4f();`)}
      if (o < OUT) {
${repeat(3, (r) => tap(options, s, r))}
      }
${repeat(4, (r) => `      plane[${HALF}u + (${4 * r}u + line) * ${PIECES}u + item] = ${transformedTap(r)};`)}
    }
    workgroupBarrier();
    let first = line * ${4 * PIECES}u + item;
    if (thread < ${THREADS / 2}u) {
${repeat(4, (r) => `      let d${r} = plane[first + ${r * PIECES}u];`)}
${repeat(4, (r) => `      plane[first + ${r * PIECES}u] = ${transformedPixel(r)};`)}
    } else {
${repeat(3, (r) => `      let d${r} = plane[${HALF}u + first + ${r * PIECES}u];`)}
${repeat(4, (r) => `      plane[${HALF}u + first + ${r * PIECES}u] = ${transformedTap(r)};`)}
    }
    workgroupBarrier();
${products()}
    workgroupBarrier();
  }`;
}

/** Row r of a piece's column. */
function pixel(options: ConvOptions, s: number, r: number): string {
  return `
      var d${r} = vec4f();
      {
        let iy = iy0 + ${r};
        if (iy >= 0 && iy < HEIGHT && ix >= 0 && ix < WIDTH) { d${r} = ${pixelOf(options, s)}; }
      }`;
}

/** Row r of Bᵀ d, d a column of four. */
function transformedPixel(r: number): string {
  return ["d0 - d2", "d1 + d2", "d2 - d1", "d1 - d3"][r]!;
}

/** Row r of G g, g a column of three. */
function transformedTap(r: number): string {
  return ["d0", "0.5 * (d0 + d1 + d2)", "0.5 * (d0 - d1 + d2)", "d2"][r]!;
}

/** The kernel's tap (r, line) from channel c of input group `chunk` to output group o. */
function tap({ direction }: ConvOptions, s: number, r: number): string {
  const weights = `weights${s}`;
  if (direction === "forward") {
    return `        d${r} = ${weights}[weightBase + ((${3 * r}u + line) * 4u * IN + chunk * 4u + c) * OUT + o];`;
  }
  // Flipped and transposed: kernels [9, 4·OUT, IN] of the layer that is walked back through.
  const channel = (i: number) => `${weights}[w + ${i}u * IN][c]`;
  return `        {
          let w = weightBase + ((8u - (${3 * r}u + line)) * 4u * OUT + o * 4u) * IN + chunk;
          d${r} = vec4f(${[0, 1, 2, 3].map(channel).join(", ")});
        }`;
}

/** Products at the thread's place of the plane. Lanes read neighbours, so that no two wait for one memory bank. */
function products(): string {
  const pieces = repeat(
    OWN_PIECES,
    (i) => `    let pixel${i} = plane[place * ${PIECES}u + ${i * LANES}u + pieceLane];`,
  );
  const channels = COMPONENTS.map((component, c) => {
    const taps = repeat(OWN_GROUPS, (j) => {
      const at = `${HALF}u + place * ${PIECES}u + ${c * GROUPS + j * LANES}u + groupLane`;
      return `    let tap${c}_${j} = plane[${at}];`;
    });
    const sums = forOwn((i, j) => `    sum${i}_${j} = fma(vec4f(pixel${i}.${component}), tap${c}_${j}, sum${i}_${j});`);
    return `${taps}\n${sums}`;
  });
  return `${pieces}\n${channels.join("\n")}`;
}

/** Two of a workgroup's groups: their sums come together, and each thread makes one pixel of one piece and group. */
function output(options: ConvOptions, j: number, h: number): string {
  const { end } = options;
  const store = end.kind === "relu" || end.kind === "mask" ? STORE_HIDDEN[end.kind] : "";
  const rows = repeat(3, (r) => {
    const at = (c: number) => `plane[((oy + ${r}u) * 4u + ox + ${c}u) * ${2 * PIECES}u + pieceOfTwo]`;
    return `    let row${r} = ${at(0)} + signX * (${at(1)} + ${at(2)});`;
  });
  return `
  if (groupLane / 2u == ${h}u) {
${repeat(OWN_PIECES, (i) => {
  const at = `(place * ${PIECES}u + ${i * LANES}u + pieceLane) * 2u + groupLane % 2u`;
  return `    plane[${at}] = sum${i}_${j};`;
})}
  }
  workgroupBarrier();
  {
    let pieceOfTwo = thread / 4u;
    let piece = pieceOfTwo / 2u;
    let out = firstOut + ${LANES * j + 2 * h}u + pieceOfTwo % 2u;
    let oy = (thread / 2u) % 2u;
    let ox = thread % 2u;
    let y = top + i32((piece / ${ACROSS}u) * ${SIDE}u + oy);
    let x = left + i32((piece % ${ACROSS}u) * ${SIDE}u + ox);
    let signY = 1.0 - 2.0 * f32(oy);
    let signX = 1.0 - 2.0 * f32(ox);
${rows}
    if (out < OUT && y < HEIGHT && x < WIDTH) {
      let p = pictureBase + u32(y * WIDTH + x);
      let value = row0 + signY * (row1 + row2) + ${biasOf(options)};
      ${store}
    }
  }
  workgroupBarrier();`;
}

function forOwn(text: (piece: number, group: number) => string): string {
  return repeat(OWN_PIECES, (i) => repeat(OWN_GROUPS, (j) => text(i, j)));
}
