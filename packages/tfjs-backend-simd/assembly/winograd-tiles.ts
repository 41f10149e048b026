// Between images [n, h, w, c] and Winograd's transformed planes, for a block of consecutive 4x4 tiles. Tiles are taken one
// by one with all their channels, so that pixels are read in runs that the processor can fetch ahead.

import { MASK, PLAIN, RELU, finish } from "./epilogue";
import { PANELS, PLANE_PAD, TILE, ceilDivide, columnOffset, laneMask, rowOffset, storeLanes } from "./layout";
import { transformInput, transformOutputGradient, transformProduct } from "./transforms";

/** Channels of a tile worked on at a time. */
const CHUNK: i32 = 64;

/** Intermediate of a two-dimensional transform: 6x6 vectors. */
const half: usize = memory.data(576, 64);
/** A tile's chunk of channels, copied where it hangs over the border or has a part of a vector: 6x6 pixels. */
const patch: usize = memory.data(9216, 64);
/** Bytes between the patch's pixels and rows. */
const PATCH_PIXEL: usize = 256;
const PATCH_ROW: usize = 1536;

/** Bytes between the planes of two points in A's layout: `rows` tiles of `k` channels. */
export function planeBytes(rows: i32, k: i32): usize {
  return (((rows * k) as usize) << 2) + PLANE_PAD;
}

/**
 * Bᵀ d B of `count` tiles from `first` on, as 36 matrices of tiles by channels, `plane` bytes apart, in the given form of
 * `rows` rows and `k` columns.
 */
export function transformInputTiles(
  x: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  planes: usize, plane: usize, form: i32, rows: i32, k: i32,
): void {
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  for (let t = 0; t < count; ++t) {
    const line = (first + t) / tilesX;
    const top = (line % tilesY) * TILE - 1;
    const left = ((first + t) % tilesX) * TILE - 1;
    const from = x + ((line / tilesY) * h + top) * row + left * pixel;
    const out = planes + rowOffset(form, t, k);
    const inside = top >= 0 && left >= 0 && top + 6 <= h && left + 6 <= w;
    for (let channel = 0; channel < channels; channel += CHUNK) {
      const at = from + (channel << 2);
      const to = out + columnOffset(form, channel, rows);
      const inChunk = min(channels - channel, CHUNK);
      if (inside && (inChunk & 3) == 0) {
        transformInputTile(at, pixel, row, to, plane, inChunk, form, rows);
      } else {
        copyPatch(at, pixel, row, 6, -top, h - top, -left, w - left, inChunk);
        transformInputTile(patch, PATCH_PIXEL, PATCH_ROW, to, plane, inChunk, form, rows);
      }
    }
  }
}

/** Bᵀ d B of one tile for `channels` channels. */
// @ts-ignore: decorator
@inline function transformInputTile(
  from: usize, pixel: usize, row: usize, to: usize, plane: usize, channels: i32, form: i32, rows: i32,
): void {
  let channel = 0;
  do {
    let at = from;
    inputAlongRow(at, pixel, half);
    at += row;
    inputAlongRow(at, pixel, half + 96);
    at += row;
    inputAlongRow(at, pixel, half + 192);
    at += row;
    inputAlongRow(at, pixel, half + 288);
    at += row;
    inputAlongRow(at, pixel, half + 384);
    at += row;
    inputAlongRow(at, pixel, half + 480);
    const plane6 = 6 * plane;
    let out = to + columnOffset(form, channel, rows);
    inputAlongColumn(half, out, plane6);
    out += plane;
    inputAlongColumn(half + 16, out, plane6);
    out += plane;
    inputAlongColumn(half + 32, out, plane6);
    out += plane;
    inputAlongColumn(half + 48, out, plane6);
    out += plane;
    inputAlongColumn(half + 64, out, plane6);
    out += plane;
    inputAlongColumn(half + 80, out, plane6);
    from += 16;
    channel += 4;
  } while (channel < channels);
}

// @ts-ignore: decorator
@inline function inputAlongRow(from: usize, pixel: usize, to: usize): void {
  const at1 = from + pixel;
  const at2 = at1 + pixel;
  const at3 = at2 + pixel;
  const at4 = at3 + pixel;
  const at5 = at4 + pixel;
  transformInput(
    v128.load(from), v128.load(at1), v128.load(at2), v128.load(at3), v128.load(at4), v128.load(at5), to, 16,
  );
}

// @ts-ignore: decorator
@inline function inputAlongColumn(from: usize, to: usize, step: usize): void {
  transformInput(
    v128.load(from), v128.load(from, 96), v128.load(from, 192), v128.load(from, 288), v128.load(from, 384),
    v128.load(from, 480), to, step,
  );
}

/**
 * Copies `channels` (at most CHUNK) channels of a window of `size`² pixels into `patch`: what lies in rows `top` to
 * `bottom` and columns `left` to `right` (exclusive, relative to the window); the rest, and lanes beyond the channels,
 * are zero.
 */
function copyPatch(
  from: usize, pixel: usize, row: usize, size: i32, top: i32, bottom: i32, left: i32, right: i32, channels: i32,
): void {
  const last = (channels - 1) & ~3;
  const keep = laneMask(channels - last);
  for (let y = 0; y < size; ++y) {
    let to = patch + y * PATCH_ROW;
    let at = from + y * row;
    for (let x = 0; x < size; ++x) {
      if (y >= top && y < bottom && x >= left && x < right) {
        for (let c: usize = 0; c < <usize>last << 2; c += 16) v128.store(to + c, v128.load(at + c));
        v128.store(to + (last << 2), v128.and(v128.load(at + (last << 2)), keep));
      } else {
        for (let c: usize = 0; c <= <usize>last << 2; c += 16) v128.store(to + c, f32x4.splat(0));
      }
      to += PATCH_PIXEL;
      at += pixel;
    }
  }
}

/**
 * A y Aᵀ of `count` tiles of an output gradient from `first` on, zero beyond the image, as 36 matrices of tiles by
 * channels, `plane` bytes apart, in the given form (not strips) of `rows` rows.
 */
export function transformOutputGradientTiles(
  dy: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  planes: usize, plane: usize, form: i32, rows: i32,
): void {
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  for (let t = 0; t < count; ++t) {
    const line = (first + t) / tilesX;
    const top = (line % tilesY) * TILE;
    const left = ((first + t) % tilesX) * TILE;
    const from = dy + ((line / tilesY) * h + top) * row + left * pixel;
    const out = planes + rowOffset(form, t, 0);
    const inside = top + 4 <= h && left + 4 <= w;
    for (let channel = 0; channel < channels; channel += CHUNK) {
      const at = from + (channel << 2);
      const to = out + columnOffset(form, channel, rows);
      const inChunk = min(channels - channel, CHUNK);
      if (inside && (inChunk & 3) == 0) {
        transformOutputGradientTile(at, pixel, row, to, plane, inChunk, form, rows);
      } else {
        copyPatch(at, pixel, row, 4, 0, h - top, 0, w - left, inChunk);
        transformOutputGradientTile(patch, PATCH_PIXEL, PATCH_ROW, to, plane, inChunk, form, rows);
      }
    }
  }
}

/** A y Aᵀ of one tile for `channels` channels. */
// @ts-ignore: decorator
@inline function transformOutputGradientTile(
  from: usize, pixel: usize, row: usize, to: usize, plane: usize, channels: i32, form: i32, rows: i32,
): void {
  let channel = 0;
  do {
    let at = from;
    gradientAlongRow(at, pixel, half);
    at += row;
    gradientAlongRow(at, pixel, half + 96);
    at += row;
    gradientAlongRow(at, pixel, half + 192);
    at += row;
    gradientAlongRow(at, pixel, half + 288);
    const plane6 = 6 * plane;
    let out = to + columnOffset(form, channel, rows);
    gradientAlongColumn(half, out, plane6);
    out += plane;
    gradientAlongColumn(half + 16, out, plane6);
    out += plane;
    gradientAlongColumn(half + 32, out, plane6);
    out += plane;
    gradientAlongColumn(half + 48, out, plane6);
    out += plane;
    gradientAlongColumn(half + 64, out, plane6);
    out += plane;
    gradientAlongColumn(half + 80, out, plane6);
    from += 16;
    channel += 4;
  } while (channel < channels);
}

// @ts-ignore: decorator
@inline function gradientAlongRow(from: usize, pixel: usize, to: usize): void {
  const at1 = from + pixel;
  const at2 = at1 + pixel;
  const at3 = at2 + pixel;
  transformOutputGradient(v128.load(from), v128.load(at1), v128.load(at2), v128.load(at3), to, 16);
}

// @ts-ignore: decorator
@inline function gradientAlongColumn(from: usize, to: usize, step: usize): void {
  transformOutputGradient(
    v128.load(from), v128.load(from, 96), v128.load(from, 192), v128.load(from, 288), to, step,
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
