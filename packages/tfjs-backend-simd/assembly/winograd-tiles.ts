// Between images [n, h, w, c] and Winograd's transformed planes, for a block of consecutive 4x4 tiles. Tiles are taken one
// by one with all their channels, so that pixels are read in runs that the processor can fetch ahead.

import { MASK, PLAIN, RELU, finish } from "./epilogue";
import { PLANE_PAD, TILE, ceilDivide, laneMask, roundUp, storeLanes } from "./layout";
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
 * Bᵀ d B of `count` tiles from `first` on, as 36 planes of A. `group` tiles lie 16 bytes apart, one group `groupStep`
 * bytes after the other; the next four channels follow after `channelStep` bytes.
 */
export function transformInputTiles(
  x: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  planes: usize, plane: usize, group: i32, groupStep: usize, channelStep: usize,
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
    const out = planes + (t / group) * groupStep + ((t % group) << 4);
    const inside = top >= 0 && left >= 0 && top + 6 <= h && left + 6 <= w;
    for (let channel = 0; channel < channels; channel += CHUNK) {
      const at = from + (channel << 2);
      const to = out + (channel >> 2) * channelStep;
      const inChunk = min(channels - channel, CHUNK);
      if (inside && (inChunk & 3) == 0) {
        transformInputTile(at, pixel, row, to, plane, inChunk, channelStep);
      } else {
        copyPatch(at, pixel, row, 6, -top, h - top, -left, w - left, inChunk);
        transformInputTile(patch, PATCH_PIXEL, PATCH_ROW, to, plane, inChunk, channelStep);
      }
    }
  }
}

/** Bᵀ d B of one tile for `channels` channels. */
// @ts-ignore: decorator
@inline function transformInputTile(
  from: usize, pixel: usize, row: usize, to: usize, plane: usize, channels: i32, channelStep: usize,
): void {
  for (let channel = 0; channel < channels; channel += 4) {
    const row1 = from + row;
    const row2 = row1 + row;
    const row3 = row2 + row;
    const row4 = row3 + row;
    const row5 = row4 + row;
    let at: usize = 0;
    for (let column = half; column != half + 96; column += 16) {
      transformInput(
        v128.load(from + at), v128.load(row1 + at), v128.load(row2 + at),
        v128.load(row3 + at), v128.load(row4 + at), v128.load(row5 + at), column, 96,
      );
      at += pixel;
    }
    let out = to;
    for (let line = half; line != half + 576; line += 96) {
      transformInput(
        v128.load(line), v128.load(line, 16), v128.load(line, 32),
        v128.load(line, 48), v128.load(line, 64), v128.load(line, 80), out, plane,
      );
      out += 6 * plane;
    }
    from += 16;
    to += channelStep;
  }
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
 * A y Aᵀ of `count` tiles of an output gradient from `first` on, as 36 planes of B panels [panels][rows][8]; zero beyond
 * the image and beyond the channels.
 */
export function transformOutputGradientTiles(
  dy: usize, h: i32, w: i32, channels: i32, first: i32, count: i32, rows: i32, planes: usize, plane: usize,
): void {
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  const columns = roundUp(channels, 8);
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  for (let t = 0; t < count; ++t) {
    const line = (first + t) / tilesX;
    const top = (line % tilesY) * TILE;
    const left = ((first + t) % tilesX) * TILE;
    const from = dy + ((line / tilesY) * h + top) * row + left * pixel;
    const inside = top + 4 <= h && left + 4 <= w;
    for (let channel = 0; channel < columns; channel += CHUNK) {
      const at = from + (channel << 2);
      const to = planes + (((channel >> 3) * rows + t) << 5);
      const inChunk = min(columns - channel, CHUNK);
      const real = min(channels - channel, CHUNK);
      if (inside && real == inChunk) {
        transformOutputGradientTile(at, pixel, row, to, plane, inChunk, rows);
      } else {
        copyPatch(at, pixel, row, 4, 0, h - top, 0, w - left, real);
        if (real + 4 <= inChunk) clearPatchGroup(inChunk - 4);
        transformOutputGradientTile(patch, PATCH_PIXEL, PATCH_ROW, to, plane, inChunk, rows);
      }
    }
  }
}

/** Zeroes four channels of the patch's 4x4 pixels, from `channel` on. */
function clearPatchGroup(channel: i32): void {
  for (let y = 0; y < 4; ++y) {
    for (let x = 0; x < 4; ++x) v128.store(patch + y * PATCH_ROW + x * PATCH_PIXEL + (channel << 2), f32x4.splat(0));
  }
}

/** A y Aᵀ of one tile for `channels` channels. */
// @ts-ignore: decorator
@inline function transformOutputGradientTile(
  from: usize, pixel: usize, row: usize, to: usize, plane: usize, channels: i32, rows: i32,
): void {
  for (let channel = 0; channel < channels; channel += 4) {
    const row1 = from + row;
    const row2 = row1 + row;
    const row3 = row2 + row;
    let at: usize = 0;
    for (let column = half; column != half + 64; column += 16) {
      transformOutputGradient(
        v128.load(from + at), v128.load(row1 + at), v128.load(row2 + at), v128.load(row3 + at), column, 64,
      );
      at += pixel;
    }
    let out = to + (((channel >> 3) * rows) << 5) + ((channel & 4) << 2);
    for (let line = half; line != half + 384; line += 64) {
      transformOutputGradient(
        v128.load(line), v128.load(line, 16), v128.load(line, 32), v128.load(line, 48), out, plane,
      );
      out += 6 * plane;
    }
    from += 16;
  }
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
      transformProductColumns(planes + (((channel >> 3) * rows + t) << 5) + (at & 16), plane);
      const add = bias ? v128.load(bias + at) : f32x4.splat(0);
      if (channels - channel >= 4) transformProductRows(buffer + at, pixel, add, 4);
      else transformProductRows(buffer + at, pixel, add, channels - channel);
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

/** Aᵀ over the columns of the 36 products at `from`; leaves [4][6] in `half`. */
// @ts-ignore: decorator
@inline function transformProductColumns(from: usize, plane: usize): void {
  for (let column = half; column != half + 96; column += 16) {
    transformProduct(
      v128.load(from), v128.load(from + 6 * plane), v128.load(from + 12 * plane), v128.load(from + 18 * plane),
      v128.load(from + 24 * plane), v128.load(from + 30 * plane), column, 96, 4,
    );
    from += plane;
  }
}

/** Aᵀ over the rows of `half`, plus the bias (what is added at the point 1 is added to all results): 16 pixels. */
// @ts-ignore: decorator
@inline function transformProductRows(to: usize, pixel: usize, bias: v128, lanes: i32): void {
  for (let line = half; line != half + 384; line += 96) {
    transformProduct(
      v128.load(line), f32x4.add(v128.load(line, 16), bias), v128.load(line, 32), v128.load(line, 48),
      v128.load(line, 64), v128.load(line, 80), to, pixel, lanes,
    );
    to += 4 * pixel;
  }
}

/** relu or mask of `bytes` bytes of consecutive numbers. */
// @ts-ignore: decorator
@inline function finishRun(from: usize, to: usize, mask: usize, bytes: usize, kind: i32): void {
  const whole = bytes & ~15;
  let at: usize = 0;
  for (; at != whole; at += 16) v128.store(to + at, finish(v128.load(from + at), kind, mask + at));
  if (at != bytes) storeLanes(to + at, finish(v128.load(from + at), kind, mask + at), ((bytes - at) >> 2) as i32);
}
