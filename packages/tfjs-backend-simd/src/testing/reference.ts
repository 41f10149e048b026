// Convolutions in float64 by plain loops: what the backend is compared with.

/** Geometry of a convolution of images [n, h, w, cIn] with filters [kh, kw, cIn, cOut]. */
export interface Geometry {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly cIn: number;
  readonly cOut: number;
  readonly kh: number;
  readonly kw: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: "same" | "valid";
}

/** A 3x3 'same' convolution of stride 1. */
export function same3x3(n: number, h: number, w: number, cIn: number, cOut: number): Geometry {
  return { n, h, w, cIn, cOut, kh: 3, kw: 3, stride: 1, dilation: 1, pad: "same" };
}

function axis(size: number, filter: number, { stride, dilation, pad }: Geometry): { out: number; before: number } {
  const reach = (filter - 1) * dilation + 1;
  if (pad === "valid") return { out: Math.ceil((size - reach + 1) / stride), before: 0 };
  const out = Math.ceil(size / stride);
  return { out, before: Math.floor(Math.max((out - 1) * stride + reach - size, 0) / 2) };
}

/** Height and width of the output. */
export function outputSize(g: Geometry): { h: number; w: number } {
  return { h: axis(g.h, g.kh, g).out, w: axis(g.w, g.kw, g).out };
}

/** Calls `visit` with the flat indices of every product x · filter → y. */
function everyProduct(g: Geometry, visit: (x: number, filter: number, y: number) => void): void {
  const [rows, columns] = [axis(g.h, g.kh, g), axis(g.w, g.kw, g)];
  for (let n = 0; n < g.n; n++)
    for (let oy = 0; oy < rows.out; oy++)
      for (let ox = 0; ox < columns.out; ox++)
        for (let ky = 0; ky < g.kh; ky++) {
          const iy = oy * g.stride + ky * g.dilation - rows.before;
          if (iy < 0 || iy >= g.h) continue;
          for (let kx = 0; kx < g.kw; kx++) {
            const ix = ox * g.stride + kx * g.dilation - columns.before;
            if (ix < 0 || ix >= g.w) continue;
            const x = ((n * g.h + iy) * g.w + ix) * g.cIn;
            const filter = (ky * g.kw + kx) * g.cIn * g.cOut;
            const y = ((n * rows.out + oy) * columns.out + ox) * g.cOut;
            for (let ci = 0; ci < g.cIn; ci++)
              for (let co = 0; co < g.cOut; co++) visit(x + ci, filter + ci * g.cOut + co, y + co);
          }
        }
}

type Numbers = ArrayLike<number>;

/** Output [n, h', w', cOut]. */
export function convolution(g: Geometry, x: Numbers, filter: Numbers): Float64Array {
  const { h, w } = outputSize(g);
  const y = new Float64Array(g.n * h * w * g.cOut);
  everyProduct(g, (i, j, k) => {
    y[k]! += x[i]! * filter[j]!;
  });
  return y;
}

/** Gradient of the input, [n, h, w, cIn]. */
export function inputGradient(g: Geometry, dy: Numbers, filter: Numbers): Float64Array {
  const dx = new Float64Array(g.n * g.h * g.w * g.cIn);
  everyProduct(g, (i, j, k) => {
    dx[i]! += dy[k]! * filter[j]!;
  });
  return dx;
}

/** Gradient of the filter, [kh, kw, cIn, cOut]. */
export function filterGradient(g: Geometry, x: Numbers, dy: Numbers): Float64Array {
  const gradient = new Float64Array(g.kh * g.kw * g.cIn * g.cOut);
  everyProduct(g, (i, j, k) => {
    gradient[j]! += x[i]! * dy[k]!;
  });
  return gradient;
}

/** Elementwise sum. */
export function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + b[i]!);
}
