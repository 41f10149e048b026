// Between images [n, h, w, c] and Winograd's transformed planes, for a block of consecutive 4x4 tiles. Tiles are taken
// one by one with all their channels, so that pixels are read and written in runs that the processor can fetch ahead.

import { MASK, PLAIN, RELU, finish } from "./epilogue";
import { PANELS, PLANE_PAD, TILE, ceilDivide, columnOffset, laneMask, rowOffset, storeLanes } from "./layout";
import { transformInput, transformOutputGradient, transformProduct } from "./transforms";

/** Bytes of a transformed column of four channels: six vectors. */
const COLUMN: usize = 96;
/** Bytes of a tile's six columns. */
const COLUMNS_BYTES: usize = 576;

/** A tile's columns, where they need not outlive it. */
const half: usize = memory.data(576, 64);
/** Where the rows of the tile at hand start: six addresses. */
const lines: usize = memory.data(24, 64);

/** Bytes between the planes of two points in A's layout: `rows` tiles of `k` channels. */
export function planeBytes(rows: i32, k: i32): usize {
  return (((rows * k) as usize) << 2) + PLANE_PAD;
}

/** Bytes of the buffer of `transformInputTiles` and `transformOutputGradientTiles`. */
export function tileBufferBytes(channels: i32): usize {
  return (ceilDivide(channels, 4) as usize) * COLUMNS_BYTES + lineBytes(channels);
}

/** Bytes of a line of zeros, which stands in for image rows above and below: six pixels. */
function lineBytes(channels: i32): usize {
  return (6 * channels + 4) << 2;
}

/** Notes where the `size` rows from `top` on start, shifted by `left` pixels; rows outside the image are `zeros`. */
function locateLines(
  image: usize, h: i32, row: usize, pixel: usize, top: i32, left: i32, size: i32, zeros: usize,
): void {
  for (let y = 0; y < size; ++y) {
    const inside = <u32>(top + y) < <u32>h;
    store<usize>(lines + (y << 2), inside ? image + (top + y) * row + left * pixel : zeros);
  }
}

/**
 * Bᵀ d B of `count` tiles from `first` on, as 36 matrices of tiles by channels, `plane` bytes apart, in the given form
 * of `rows` rows and `k` columns.
 *
 * A tile's columns are transformed first, then the rows of the result. Neighbouring tiles overlap by two columns: they
 * stay in `buffer` from one tile to the next, in a ring of six, of which a tile starts four further than the one
 * before.
 */
export function transformInputTiles(
  x: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  planes: usize, plane: usize, form: i32, rows: i32, k: i32, buffer: usize,
): void {
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  const zeros = buffer + (ceilDivide(channels, 4) as usize) * COLUMNS_BYTES;
  memory.fill(zeros, 0, lineBytes(channels));
  let ring = 0;
  for (let t = 0; t < count; ++t) {
    const line = (first + t) / tilesX;
    const tileX = (first + t) % tilesX;
    const left = tileX * TILE - 1;
    locateLines(x + (line / tilesY) * h * row, h, row, pixel, (line % tilesY) * TILE - 1, left, 6, zeros);
    const continued = t > 0 && tileX > 0;
    ring = continued ? (ring + 4) % 6 : 0;
    const out = planes + rowOffset(form, t, k);
    const whole = channels & ~3;
    let columns = buffer;
    let channel = 0;
    for (; channel < whole; channel += 4) {
      const to = out + columnOffset(form, channel, rows);
      if (ring == 0) inputTile(channel << 2, pixel, left, w, continued, columns, 0, to, plane, 4);
      else if (ring == 4) inputTile(channel << 2, pixel, left, w, true, columns, 4, to, plane, 4);
      else inputTile(channel << 2, pixel, left, w, true, columns, 2, to, plane, 4);
      columns += COLUMNS_BYTES;
    }
    if (channel < channels) {
      const to = out + columnOffset(form, channel, rows);
      inputTile(channel << 2, pixel, left, w, false, columns, 0, to, plane, channels - channel);
    }
  }
}

/** Bᵀ d B of one tile for up to four channels. `ring` is to be a constant. */
// @ts-ignore: decorator
@inline function inputTile(
  at: usize, pixel: usize, left: i32, w: i32, continued: bool, columns: usize, ring: i32, to: usize, plane: usize,
  lanes: i32,
): void {
  const l0 = load<usize>(lines) + at;
  const l1 = load<usize>(lines, 4) + at;
  const l2 = load<usize>(lines, 8) + at;
  const l3 = load<usize>(lines, 12) + at;
  const l4 = load<usize>(lines, 16) + at;
  const l5 = load<usize>(lines, 20) + at;
  const c0 = columns + ring * COLUMN;
  const c1 = columns + ((ring + 1) % 6) * COLUMN;
  const c2 = columns + ((ring + 2) % 6) * COLUMN;
  const c3 = columns + ((ring + 3) % 6) * COLUMN;
  const c4 = columns + ((ring + 4) % 6) * COLUMN;
  const c5 = columns + ((ring + 5) % 6) * COLUMN;
  if (!continued) {
    inputColumn(l0, l1, l2, l3, l4, l5, 0, left >= 0, c0, lanes);
    inputColumn(l0, l1, l2, l3, l4, l5, pixel, left + 1 < w, c1, lanes);
  }
  inputColumn(l0, l1, l2, l3, l4, l5, 2 * pixel, left + 2 < w, c2, lanes);
  inputColumn(l0, l1, l2, l3, l4, l5, 3 * pixel, left + 3 < w, c3, lanes);
  inputColumn(l0, l1, l2, l3, l4, l5, 4 * pixel, left + 4 < w, c4, lanes);
  inputColumn(l0, l1, l2, l3, l4, l5, 5 * pixel, left + 5 < w, c5, lanes);
  inputRow(c0, c1, c2, c3, c4, c5, 0, to, plane);
  to += 6 * plane;
  inputRow(c0, c1, c2, c3, c4, c5, 16, to, plane);
  to += 6 * plane;
  inputRow(c0, c1, c2, c3, c4, c5, 32, to, plane);
  to += 6 * plane;
  inputRow(c0, c1, c2, c3, c4, c5, 48, to, plane);
  to += 6 * plane;
  inputRow(c0, c1, c2, c3, c4, c5, 64, to, plane);
  to += 6 * plane;
  inputRow(c0, c1, c2, c3, c4, c5, 80, to, plane);
}

/** Bᵀ applied to a column of the image; zeros if it lies outside. */
// @ts-ignore: decorator
@inline function inputColumn(
  l0: usize, l1: usize, l2: usize, l3: usize, l4: usize, l5: usize, at: usize, inside: bool, to: usize, lanes: i32,
): void {
  if (inside) {
    transformInput(
      loadLanes(l0 + at, lanes), loadLanes(l1 + at, lanes), loadLanes(l2 + at, lanes), loadLanes(l3 + at, lanes),
      loadLanes(l4 + at, lanes), loadLanes(l5 + at, lanes), to, 16,
    );
  } else {
    clearColumn(to);
  }
}

/** The same row of six transformed columns. */
// @ts-ignore: decorator
@inline function inputRow(
  c0: usize, c1: usize, c2: usize, c3: usize, c4: usize, c5: usize, row: usize, to: usize, plane: usize,
): void {
  transformInput(
    v128.load(c0 + row), v128.load(c1 + row), v128.load(c2 + row), v128.load(c3 + row), v128.load(c4 + row),
    v128.load(c5 + row), to, plane,
  );
}

/** Four numbers, of which those from `lanes` on are zero. */
// @ts-ignore: decorator
@inline function loadLanes(from: usize, lanes: i32): v128 {
  return lanes == 4 ? v128.load(from) : v128.and(v128.load(from), laneMask(lanes));
}

// @ts-ignore: decorator
@inline function clearColumn(to: usize): void {
  const zero = f32x4.splat(0);
  v128.store(to, zero);
  v128.store(to, zero, 16);
  v128.store(to, zero, 32);
  v128.store(to, zero, 48);
  v128.store(to, zero, 64);
  v128.store(to, zero, 80);
}

/**
 * A y Aᵀ of `count` tiles of an output gradient from `first` on, zero beyond the image, as 36 matrices of tiles by
 * channels, `plane` bytes apart, in the given form (not strips) of `rows` rows.
 */
export function transformOutputGradientTiles(
  dy: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  planes: usize, plane: usize, form: i32, rows: i32, buffer: usize,
): void {
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  memory.fill(buffer, 0, lineBytes(channels));
  for (let t = 0; t < count; ++t) {
    const line = (first + t) / tilesX;
    const left = ((first + t) % tilesX) * TILE;
    locateLines(dy + (line / tilesY) * h * row, h, row, pixel, (line % tilesY) * TILE, left, 4, buffer);
    const out = planes + rowOffset(form, t, 0);
    const whole = channels & ~3;
    let channel = 0;
    for (; channel < whole; channel += 4) {
      gradientTile(channel << 2, pixel, w - left, out + columnOffset(form, channel, rows), plane, 4);
    }
    if (channel < channels) {
      gradientTile(channel << 2, pixel, w - left, out + columnOffset(form, channel, rows), plane, channels - channel);
    }
  }
}

/** A y Aᵀ of one tile for up to four channels. */
// @ts-ignore: decorator
@inline function gradientTile(at: usize, pixel: usize, width: i32, to: usize, plane: usize, lanes: i32): void {
  const l0 = load<usize>(lines) + at;
  const l1 = load<usize>(lines, 4) + at;
  const l2 = load<usize>(lines, 8) + at;
  const l3 = load<usize>(lines, 12) + at;
  gradientColumn(l0, l1, l2, l3, 0, true, half, lanes);
  gradientColumn(l0, l1, l2, l3, pixel, width > 1, half + 96, lanes);
  gradientColumn(l0, l1, l2, l3, 2 * pixel, width > 2, half + 192, lanes);
  gradientColumn(l0, l1, l2, l3, 3 * pixel, width > 3, half + 288, lanes);
  gradientRow(half, to, plane);
  to += 6 * plane;
  gradientRow(half + 16, to, plane);
  to += 6 * plane;
  gradientRow(half + 32, to, plane);
  to += 6 * plane;
  gradientRow(half + 48, to, plane);
  to += 6 * plane;
  gradientRow(half + 64, to, plane);
  to += 6 * plane;
  gradientRow(half + 80, to, plane);
}

// @ts-ignore: decorator
@inline function gradientColumn(
  l0: usize, l1: usize, l2: usize, l3: usize, at: usize, inside: bool, to: usize, lanes: i32,
): void {
  if (inside) {
    transformOutputGradient(
      loadLanes(l0 + at, lanes), loadLanes(l1 + at, lanes), loadLanes(l2 + at, lanes), loadLanes(l3 + at, lanes),
      to, 16,
    );
  } else {
    clearColumn(to);
  }
}

// @ts-ignore: decorator
@inline function gradientRow(from: usize, to: usize, plane: usize): void {
  transformOutputGradient(
    v128.load(from), v128.load(from, 96), v128.load(from, 192), v128.load(from, 288), to, plane,
  );
}

/**
 * Aᵀ M A of `count` tiles from 36 planes of products in panels [panels][rows][8], then bias, ReLU or the mask, into the
 * image. `bias` is padded to a multiple of four numbers; 0 stands for no bias and no mask. A tile is put together in
 * `buffer` (16 pixels) first, so that the image is written, and the mask read, in runs.
 */
export function transformOutputTiles(
  planes: usize, plane: usize, rows: i32, y: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  bias: usize, relu: bool, mask: usize, buffer: usize,
): void {
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  for (let t = 0; t < count; ++t) {
    const line = (first + t) / tilesX;
    const top = (line % tilesY) * TILE;
    const left = ((first + t) % tilesX) * TILE;
    const height = min(h - top, 4);
    const run = min(w - left, 4) * pixel;
    for (let channel = 0; channel < channels; channel += 4) {
      const at = (channel as usize) << 2;
      const from = planes + rowOffset(PANELS, t, 0) + columnOffset(PANELS, channel, rows);
      const add = bias ? v128.load(bias + at) : f32x4.splat(0);
      if (channels - channel >= 4) transformProductTile(from, plane, add, buffer + at, pixel, 4);
      else transformProductTile(from, plane, add, buffer + at, pixel, channels - channel);
    }
    let to = ((line / tilesY) * h + top) * row + left * pixel;
    for (let i = 0; i < height; ++i) {
      const from = buffer + 4 * i * pixel;
      if (mask) finishRun(from, y + to, mask + to, run, MASK);
      else if (relu) finishRun(from, y + to, 0, run, RELU);
      else finishRun(from, y + to, 0, run, PLAIN);
      to += row;
    }
  }
}

/** Aᵀ M A of the 36 products at `from`: 16 pixels of `lanes` channels. */
// @ts-ignore: decorator
@inline function transformProductTile(
  from: usize, plane: usize, bias: v128, to: usize, pixel: usize, lanes: i32,
): void {
  const plane6 = 6 * plane;
  let at = from;
  productAlongColumn(at, plane6, half);
  at += plane;
  productAlongColumn(at, plane6, half + 16);
  at += plane;
  productAlongColumn(at, plane6, half + 32);
  at += plane;
  productAlongColumn(at, plane6, half + 48);
  at += plane;
  productAlongColumn(at, plane6, half + 64);
  at += plane;
  productAlongColumn(at, plane6, half + 80);
  let out = to;
  productAlongRow(half, bias, out, pixel, lanes);
  out += 4 * pixel;
  productAlongRow(half + 96, bias, out, pixel, lanes);
  out += 4 * pixel;
  productAlongRow(half + 192, bias, out, pixel, lanes);
  out += 4 * pixel;
  productAlongRow(half + 288, bias, out, pixel, lanes);
}

// @ts-ignore: decorator
@inline function productAlongColumn(from: usize, step: usize, to: usize): void {
  const at1 = from + step;
  const at2 = at1 + step;
  const at3 = at2 + step;
  const at4 = at3 + step;
  const at5 = at4 + step;
  transformProduct(
    v128.load(from), v128.load(at1), v128.load(at2), v128.load(at3), v128.load(at4), v128.load(at5), to, 96, 4,
  );
}

/** What is added at the point 1 is added to all results: so the bias. */
// @ts-ignore: decorator
@inline function productAlongRow(from: usize, bias: v128, to: usize, pixel: usize, lanes: i32): void {
  transformProduct(
    v128.load(from), f32x4.add(v128.load(from, 16), bias), v128.load(from, 32), v128.load(from, 48),
    v128.load(from, 64), v128.load(from, 80), to, pixel, lanes,
  );
}

/** relu or mask of `bytes` bytes of consecutive numbers. */
// @ts-ignore: decorator
@inline function finishRun(from: usize, to: usize, mask: usize, bytes: usize, kind: i32): void {
  const whole = bytes & ~15;
  let at: usize = 0;
  for (; at != whole; at += 16) v128.store(to + at, finish(v128.load(from + at), kind, mask + at));
  if (at != bytes) storeLanes(to + at, finish(v128.load(from + at), kind, mask + at), ((bytes - at) >> 2) as i32);
}
