// Between images [n, h, w, c] and Winograd's transformed planes, for a block of consecutive 4x4 tiles.

import { finish } from "./epilogue";
import { PLANE_PAD, TILE, ceilDivide, laneMask, roundUp, storeLanes } from "./layout";
import { transformInput, transformOutputGradient } from "./transforms";

/** Intermediate of a two-dimensional transform: 6x6 vectors. */
const half: usize = memory.data(576, 64);
/** A tile copied out of the image where it hangs over the border: 6x6 vectors. */
const patch: usize = memory.data(576, 64);

/** Bytes between the planes of two points in A's layout: `rows` tiles of `k` channels. */
export function planeBytes(rows: i32, k: i32): usize {
  return (((rows * k) as usize) << 2) + PLANE_PAD;
}

/**
 * Bᵀ d B of `count` tiles from `first` on, as 36 planes of A quads [count/4][k/4][4][4].
 * This image's channels start at `channelOffset` (a multiple of 4) of the `k`.
 */
export function transformInputTiles(
  x: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  planes: usize, plane: usize, k: i32, channelOffset: i32,
): void {
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  const quad = (k as usize) << 4;
  const tail = channels & 3;
  const groups = channels >> 2;
  let tx = first % tilesX;
  let ty = (first / tilesX) % tilesY;
  let image = x + ((first / tilesX / tilesY) as usize) * row * (h as usize);
  for (let t = 0; t < count; ++t) {
    const top = ty * TILE - 1;
    const left = tx * TILE - 1;
    let out = planes + ((t >> 2) as usize) * quad + ((t & 3) << 4) + ((channelOffset as usize) << 4);
    let from = image + (top as usize) * row + (left as usize) * pixel;
    if (top >= 0 && left >= 0 && top + 6 <= h && left + 6 <= w) {
      for (let group = 0; group < groups; ++group) {
        transformInputTile(from, pixel, row, out, plane);
        from += 16;
        out += 64;
      }
      if (tail) {
        copyPatch(image, h, w, pixel, top, left, from - image - ((top as usize) * row + (left as usize) * pixel), tail);
        transformInputTile(patch, 16, 96, out, plane);
      }
    } else {
      for (let channel = 0; channel < channels; channel += 4) {
        copyPatch(image, h, w, pixel, top, left, (channel as usize) << 2, min(channels - channel, 4));
        transformInputTile(patch, 16, 96, out, plane);
        out += 64;
      }
    }
    if (++tx == tilesX) {
      tx = 0;
      if (++ty == tilesY) {
        ty = 0;
        image += row * (h as usize);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function transformInputTile(from: usize, pixel: usize, row: usize, to: usize, plane: usize): void {
  const row2 = from + 2 * row;
  const row4 = from + 4 * row;
  let at: usize = 0;
  for (let column = half; column != half + 96; column += 16) {
    transformInput(
      v128.load(from + at), v128.load(from + row + at), v128.load(row2 + at),
      v128.load(row2 + row + at), v128.load(row4 + at), v128.load(row4 + row + at), column, 96,
    );
    at += pixel;
  }
  for (let line = half; line != half + 576; line += 96) {
    transformInput(
      v128.load(line), v128.load(line, 16), v128.load(line, 32),
      v128.load(line, 48), v128.load(line, 64), v128.load(line, 80), to, plane,
    );
    to += 6 * plane;
  }
}

/** Copies a 6x6 window of up to four channels, zero outside the image and beyond `lanes`. */
function copyPatch(
  image: usize, h: i32, w: i32, pixel: usize, top: i32, left: i32, channel: usize, lanes: i32,
): void {
  const keep = laneMask(lanes);
  for (let y = 0; y < 6; ++y) {
    const inside = <u32>(top + y) < <u32>h;
    const line = image + ((top + y) as usize) * pixel * (w as usize) + channel;
    for (let x = 0; x < 6; ++x) {
      const to = patch + ((y * 6 + x) << 4);
      if (inside && <u32>(left + x) < <u32>w) {
        v128.store(to, v128.and(v128.load(line + ((left + x) as usize) * pixel), keep));
      } else {
        v128.store(to, f32x4.splat(0));
      }
    }
  }
}

/** A y Aᵀ of `count` tiles of an output gradient, as 36 planes of B panels [panels][count][8]; beyond the image zero. */
export function transformOutputGradientTiles(
  dy: usize, h: i32, w: i32, channels: i32, first: i32, count: i32, rows: i32, planes: usize, plane: usize,
): void {
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  let tx = first % tilesX;
  let ty = (first / tilesX) % tilesY;
  let image = dy + ((first / tilesX / tilesY) as usize) * row * (h as usize);
  const columns = roundUp(channels, 8);
  for (let t = 0; t < count; ++t) {
    const top = ty * TILE;
    const left = tx * TILE;
    const whole = top + 4 <= h && left + 4 <= w;
    const from = image + (top as usize) * row + (left as usize) * pixel;
    for (let channel = 0; channel < columns; channel += 4) {
      const out = planes + ((channel >> 3) as usize) * ((rows as usize) << 5) + ((t as usize) << 5) + ((channel & 4) << 2);
      const lanes = channels - channel;
      if (whole && lanes >= 4) {
        transformOutputGradientTile(from + ((channel as usize) << 2), pixel, row, out, plane);
      } else {
        copyOutputPatch(from + ((channel as usize) << 2), pixel, row, h - top, w - left, lanes);
        transformOutputGradientTile(patch, 16, 64, out, plane);
      }
    }
    if (++tx == tilesX) {
      tx = 0;
      if (++ty == tilesY) {
        ty = 0;
        image += row * (h as usize);
      }
    }
  }
}

// @ts-ignore: decorator
@inline function transformOutputGradientTile(from: usize, pixel: usize, row: usize, to: usize, plane: usize): void {
  const row2 = from + 2 * row;
  let at: usize = 0;
  for (let column = half; column != half + 64; column += 16) {
    transformOutputGradient(
      v128.load(from + at), v128.load(from + row + at), v128.load(row2 + at), v128.load(row2 + row + at), column, 64,
    );
    at += pixel;
  }
  for (let line = half; line != half + 384; line += 64) {
    transformOutputGradient(
      v128.load(line), v128.load(line, 16), v128.load(line, 32), v128.load(line, 48), to, plane,
    );
    to += 6 * plane;
  }
}

function copyOutputPatch(from: usize, pixel: usize, row: usize, height: i32, width: i32, lanes: i32): void {
  const keep = laneMask(lanes);
  for (let y = 0; y < 4; ++y) {
    for (let x = 0; x < 4; ++x) {
      const to = patch + ((y * 4 + x) << 4);
      if (y < height && x < width && lanes > 0) {
        v128.store(to, v128.and(v128.load(from + (y as usize) * row + (x as usize) * pixel), keep));
      } else {
        v128.store(to, f32x4.splat(0));
      }
    }
  }
}

/**
 * Aᵀ M A of `count` tiles from 36 planes of products [count][columns], then bias, ReLU or the mask, into the image.
 * `bias` is padded to a multiple of four numbers; 0 stands for no bias and no mask.
 */
export function transformOutputTiles(
  planes: usize, plane: usize, columns: i32, y: usize, h: i32, w: i32, channels: i32, first: i32, count: i32,
  bias: usize, relu: bool, mask: usize,
): void {
  const tilesX = ceilDivide(w, TILE);
  const tilesY = ceilDivide(h, TILE);
  const pixel = (channels as usize) << 2;
  const row = pixel * (w as usize);
  let tx = first % tilesX;
  let ty = (first / tilesX) % tilesY;
  let image = ((first / tilesX / tilesY) as usize) * row * (h as usize);
  for (let t = 0; t < count; ++t) {
    const top = ty * TILE;
    const left = tx * TILE;
    const offset = image + (top as usize) * row + (left as usize) * pixel;
    const height = min(h - top, 4);
    const width = min(w - left, 4);
    let from = planes + (((t * columns) as usize) << 2);
    for (let channel = 0; channel < channels; channel += 4) {
      const at = (channel as usize) << 2;
      let add = f32x4.splat(0);
      if (bias) add = v128.load(bias + at);
      transformProductColumns(from, plane);
      const lanes = channels - channel;
      if (width == 4 && lanes >= 4) {
        writeWholeRows(y + offset + at, mask ? mask + offset + at : 0, row, pixel, height, add, relu);
      } else {
        writeRows(y + offset + at, mask ? mask + offset + at : 0, row, pixel, height, width, min(lanes, 4), add, relu);
      }
      from += 16;
    }
    if (++tx == tilesX) {
      tx = 0;
      if (++ty == tilesY) {
        ty = 0;
        image += row * (h as usize);
      }
    }
  }
}

/** Aᵀ over the columns of the 36 products at `from`; leaves [4][6] in `half`. */
// @ts-ignore: decorator
@inline function transformProductColumns(from: usize, plane: usize): void {
  for (let column = half; column != half + 96; column += 16) {
    const m0 = v128.load(from);
    const m1 = v128.load(from + 6 * plane);
    const m2 = v128.load(from + 12 * plane);
    const m3 = v128.load(from + 18 * plane);
    const m4 = v128.load(from + 24 * plane);
    const m5 = v128.load(from + 30 * plane);
    const s1 = f32x4.add(m1, m2);
    const d1 = f32x4.sub(m1, m2);
    const s3 = f32x4.add(m3, m4);
    const d3 = f32x4.sub(m3, m4);
    v128.store(column, f32x4.add(f32x4.add(m0, s1), s3));
    v128.store(column, f32x4.add(d1, f32x4.mul(d3, f32x4.splat(2))), 96);
    v128.store(column, f32x4.add(s1, f32x4.mul(s3, f32x4.splat(4))), 192);
    v128.store(column, f32x4.add(f32x4.add(d1, f32x4.mul(d3, f32x4.splat(8))), m5), 288);
    from += plane;
  }
}

// @ts-ignore: decorator
@inline function writeWholeRows(
  to: usize, mask: usize, row: usize, pixel: usize, height: i32, bias: v128, relu: bool,
): void {
  const last = half + (height as usize) * 96;
  for (let line = half; line != last; line += 96) {
    const m0 = v128.load(line);
    const m1 = v128.load(line, 16);
    const m2 = v128.load(line, 32);
    const m3 = v128.load(line, 48);
    const m4 = v128.load(line, 64);
    const m5 = v128.load(line, 80);
    const s1 = f32x4.add(m1, m2);
    const d1 = f32x4.sub(m1, m2);
    const s3 = f32x4.add(m3, m4);
    const d3 = f32x4.sub(m3, m4);
    const p2 = 2 * pixel;
    const p3 = 3 * pixel;
    v128.store(to, finish(f32x4.add(f32x4.add(m0, s1), s3), bias, relu, mask));
    v128.store(
      to + pixel, finish(f32x4.add(d1, f32x4.mul(d3, f32x4.splat(2))), bias, relu, mask ? mask + pixel : 0));
    v128.store(
      to + p2, finish(f32x4.add(s1, f32x4.mul(s3, f32x4.splat(4))), bias, relu, mask ? mask + p2 : 0));
    v128.store(
      to + p3,
      finish(f32x4.add(f32x4.add(d1, f32x4.mul(d3, f32x4.splat(8))), m5), bias, relu, mask ? mask + p3 : 0));
    to += row;
    if (mask) mask += row;
  }
}

/** As writeWholeRows, where the tile hangs over the right border or has fewer than four channels. */
function writeRows(
  to: usize, mask: usize, row: usize, pixel: usize, height: i32, width: i32, lanes: i32, bias: v128, relu: bool,
): void {
  for (let y = 0; y < height; ++y) {
    const line = half + (y as usize) * 96;
    const m0 = v128.load(line);
    const m1 = v128.load(line, 16);
    const m2 = v128.load(line, 32);
    const m3 = v128.load(line, 48);
    const m4 = v128.load(line, 64);
    const m5 = v128.load(line, 80);
    const s1 = f32x4.add(m1, m2);
    const d1 = f32x4.sub(m1, m2);
    const s3 = f32x4.add(m3, m4);
    const d3 = f32x4.sub(m3, m4);
    v128.store(patch, f32x4.add(f32x4.add(m0, s1), s3));
    v128.store(patch, f32x4.add(d1, f32x4.mul(d3, f32x4.splat(2))), 16);
    v128.store(patch, f32x4.add(s1, f32x4.mul(s3, f32x4.splat(4))), 32);
    v128.store(patch, f32x4.add(f32x4.add(d1, f32x4.mul(d3, f32x4.splat(8))), m5), 48);
    for (let x = 0; x < width; ++x) {
      const at = (x as usize) * pixel;
      storeLanes(to + at, finish(v128.load(patch + (x << 4)), bias, relu, mask ? mask + at : 0), lanes);
    }
    to += row;
    if (mask) mask += row;
  }
}
