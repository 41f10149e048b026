import { BICUBIC, type MethodName, type Scores } from "./evaluate-photo.js";

/** Methods in the order of a table: bicubic, then by number of steps (an object's integer keys come first by themselves). */
export function methodsOf(scores: Scores): MethodName[] {
  const counts = Object.keys(scores.psnrY).filter((method) => method !== BICUBIC);
  return [BICUBIC, ...counts.sort((a, b) => Number(a) - Number(b))];
}

/** `before adaptation`, `1 step`, `10 steps`, `bicubic`. */
export function methodTitle(method: MethodName): string {
  if (method === BICUBIC) return method;
  if (method === "0") return "before adaptation";
  return `${method} ${method === "1" ? "step" : "steps"}`;
}

/** `31.24 dB` beside `0.9034`, one row an image and one for the mean, columns aligned. */
export function scoresTable(
  rows: readonly { readonly name: string; readonly scores: Scores }[],
  mean: Scores,
): string[] {
  const methods = methodsOf(mean);
  const cells = [
    ["PSNR-Y (dB) / SSIM-Y", ...methods.map(methodTitle)],
    ...[...rows, { name: "mean", scores: mean }].map(({ name, scores }) => [
      name,
      ...methods.map((method) => `${scores.psnrY[method]!.toFixed(2)} / ${scores.ssimY[method]!.toFixed(4)}`),
    ]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  return cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  "),
  );
}
