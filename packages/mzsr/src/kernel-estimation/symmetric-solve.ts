/**
 * Solves A X = B for a symmetric positive definite A, by Cholesky's factors.
 * @param a [n, n], row by row; its lower triangle is replaced by the factor
 * @param b [n, columns], row by row; replaced by the solution
 * @throws RangeError when A is not positive definite
 */
export function solveSymmetric(a: Float64Array, b: Float64Array, n: number): void {
  const columns = b.length / n;
  factorise(a, n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) subtract(b, i, k, a[i * n + k]!, columns);
    divide(b, i, a[i * n + i]!, columns);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) subtract(b, i, k, a[k * n + i]!, columns);
    divide(b, i, a[i * n + i]!, columns);
  }
}

/** A = L Lᵀ; L into the lower triangle. */
function factorise(a: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      if (j < i) a[i * n + j] = sum / a[j * n + j]!;
      else if (sum > 0) a[i * n + i] = Math.sqrt(sum);
      else throw new RangeError(`the matrix is not positive definite (row ${i})`);
    }
  }
}

function subtract(b: Float64Array, row: number, other: number, factor: number, columns: number): void {
  for (let c = 0; c < columns; c++) b[row * columns + c]! -= factor * b[other * columns + c]!;
}

function divide(b: Float64Array, row: number, by: number, columns: number): void {
  for (let c = 0; c < columns; c++) b[row * columns + c]! /= by;
}
