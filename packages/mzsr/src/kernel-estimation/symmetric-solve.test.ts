import { expect, it } from "vitest";
import { solveSymmetric } from "./symmetric-solve.js";

it("solves for several right sides", () => {
  const [a, x] = [Float64Array.of(4, 2, 0.6, 2, 5, 1, 0.6, 1, 3), Float64Array.of(1, -2, 3, 0.5, -1, 4)];
  const b = new Float64Array(6);
  for (let i = 0; i < 3; i++)
    for (let k = 0; k < 3; k++) for (let c = 0; c < 2; c++) b[i * 2 + c]! += a[i * 3 + k]! * x[k * 2 + c]!;
  solveSymmetric(a, b, 3);
  b.forEach((value, i) => void expect(value).toBeCloseTo(x[i]!, 12));
});

it("refuses a matrix that is not positive definite", () => {
  expect(() => solveSymmetric(Float64Array.of(1, 2, 2, 1), Float64Array.of(1, 1), 2)).toThrow(RangeError);
});
