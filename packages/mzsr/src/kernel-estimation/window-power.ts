/** Power spectra of small square windows. */
import type { Plane } from "./luma.js";

/** Side of a window, in pixels. */
export const WINDOW_SIDE = 32;

/**
 * |DFT|² of a window of `WINDOW_SIDE`² pixels, its mean removed and weighted by a Hann window in both directions, divided
 * by the sum of the squared weights: white noise of variance σ² has σ² everywhere.
 */
export class WindowPower {
  readonly #weights: Float64Array;
  readonly #scale: number;
  readonly #re = new Float64Array(WINDOW_SIDE * WINDOW_SIDE);
  readonly #im = new Float64Array(WINDOW_SIDE * WINDOW_SIDE);
  readonly #fft = new Fft(WINDOW_SIDE);

  constructor() {
    // The endpoints of the symmetric window would weigh nothing; this one is moved by half a pixel.
    const hann = Float64Array.from(
      { length: WINDOW_SIDE },
      (_, i) => Math.sin((Math.PI * (i + 0.5)) / WINDOW_SIDE) ** 2,
    );
    this.#weights = Float64Array.from({ length: WINDOW_SIDE ** 2 }, (_, i) => {
      return hann[Math.floor(i / WINDOW_SIDE)]! * hann[i % WINDOW_SIDE]!;
    });
    this.#scale = 1 / this.#weights.reduce((sum, weight) => sum + weight * weight, 0);
  }

  /** @param power receives [32, 32]: row fy, column fx, of frequencies 0 … 31 in units of 1/32 cycles a pixel */
  measure({ data, width }: Plane, top: number, left: number, power: Float64Array): void {
    const re = this.#re;
    let sum = 0;
    for (let y = 0; y < WINDOW_SIDE; y++) {
      const row = (top + y) * width + left;
      for (let x = 0; x < WINDOW_SIDE; x++) sum += re[y * WINDOW_SIDE + x] = data[row + x]!;
    }
    const mean = sum / re.length;
    for (let i = 0; i < re.length; i++) re[i] = (re[i]! - mean) * this.#weights[i]!;
    this.#im.fill(0);
    for (let y = 0; y < WINDOW_SIDE; y++) this.#fft.transform(re, this.#im, y * WINDOW_SIDE, 1);
    // The other half mirrors it: the window is real.
    for (let x = 0; x <= WINDOW_SIDE / 2; x++) this.#fft.transform(re, this.#im, x, WINDOW_SIDE);
    for (let y = 0; y < WINDOW_SIDE; y++) {
      for (let x = 0; x <= WINDOW_SIDE / 2; x++) {
        const i = y * WINDOW_SIDE + x;
        const value = (re[i]! * re[i]! + this.#im[i]! * this.#im[i]!) * this.#scale;
        power[i] = value;
        power[((WINDOW_SIDE - y) % WINDOW_SIDE) * WINDOW_SIDE + ((WINDOW_SIDE - x) % WINDOW_SIDE)] = value;
      }
    }
  }
}

/** Fast Fourier transform in place, of a length that is a power of two (Cooley and Tukey 1965). */
class Fft {
  readonly #length: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #reversed: Int32Array;

  constructor(length: number) {
    this.#length = length;
    this.#cos = Float64Array.from({ length: length / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / length));
    this.#sin = Float64Array.from({ length: length / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
    const bits = Math.log2(length);
    this.#reversed = Int32Array.from({ length }, (_, i) => {
      let reversed = 0;
      for (let bit = 0; bit < bits; bit++) reversed |= ((i >> bit) & 1) << (bits - 1 - bit);
      return reversed;
    });
  }

  /** Of the elements `start`, `start + stride`, … */
  transform(re: Float64Array, im: Float64Array, start: number, stride: number): void {
    for (let i = 0; i < this.#length; i++) {
      const j = this.#reversed[i]!;
      if (j > i) swap(re, im, start + i * stride, start + j * stride);
    }
    for (let half = 1; half < this.#length; half *= 2) {
      const turn = this.#length / (2 * half);
      for (let block = 0; block < this.#length; block += 2 * half) {
        for (let k = 0; k < half; k++) {
          const a = start + (block + k) * stride;
          const b = a + half * stride;
          const cos = this.#cos[k * turn]!;
          const sin = this.#sin[k * turn]!;
          const bRe = re[b]! * cos - im[b]! * sin;
          const bIm = re[b]! * sin + im[b]! * cos;
          re[b] = re[a]! - bRe;
          im[b] = im[a]! - bIm;
          re[a] = re[a]! + bRe;
          im[a] = im[a]! + bIm;
        }
      }
    }
  }
}

function swap(re: Float64Array, im: Float64Array, a: number, b: number): void {
  const [keptRe, keptIm] = [re[a]!, im[a]!];
  re[a] = re[b]!;
  im[a] = im[b]!;
  re[b] = keptRe;
  im[b] = keptIm;
}
