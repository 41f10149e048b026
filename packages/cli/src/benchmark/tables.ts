/** A summary as text: for the terminal, as Markdown, as CSV. */
import { counted } from "../progress/numbers.js";
import type { JobResult } from "./job.js";
import { PUBLISHED_SOURCE } from "./published-figures.js";
import type { Cell, Row, Summary } from "./summary.js";

/** Aligned columns. */
export function terminalTable(summary: Summary): string[] {
  const cells = rowsOfText(summary);
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join("  ")
      .trimEnd(),
  );
  return [...lines, ...footnotes(summary)];
}

export function markdownTable(summary: Summary): string {
  const [head, ...body] = rowsOfText(summary, (text) => `**${text}**`).map((row) => `| ${row.join(" | ")} |`);
  const rule = `|---|${summary.columns.map(() => "---:|").join("")}`;
  return [head, rule, ...body, "", ...footnotes(summary).map((note) => `- ${note}`), ""].join("\n");
}

/** A line for each photo and method. */
export function csvTable(results: readonly JobResult[]): string {
  const head = "dataset,scale,kernel,downsampling,image,model,method,updates,psnr_y,ssim_y,seconds";
  const lines = results.flatMap(({ dataset, scale, kernel, downsampling, image, model, methods }) =>
    methods.map(({ method, updates, psnr_y, ssim_y, seconds }) =>
      [dataset, scale, kernel, downsampling, image, model ?? "", method, updates, psnr_y, ssim_y, seconds]
        .map((value) => csvField(String(value)))
        .join(","),
    ),
  );
  return `${[head, ...lines].join("\n")}\n`;
}

function csvField(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The best of a row, as it is printed: what prints alike is equally good. */
export function bestOf(cells: readonly (Cell | undefined)[]): string | undefined {
  const printed = cells.flatMap((cell) => (cell === undefined ? [] : [cell.psnrY]));
  return printed.length === 0 ? undefined : Math.max(...printed).toFixed(2);
}

function rowsOfText({ columns, rows }: Summary, emphasised = (text: string) => text): string[][] {
  const head = ["PSNR-Y (dB) / SSIM-Y", ...columns.map(({ title }) => title)];
  const body = rows.flatMap((row) => {
    const best = bestOf(row.cells);
    const cells = row.cells.map((cell) => {
      if (cell === undefined) return "–";
      const psnr = cell.psnrY.toFixed(2);
      return `${psnr === best ? emphasised(psnr) : psnr} / ${cell.ssimY.toFixed(4)}`;
    });
    return [[rowTitle(row), ...cells], ...publishedText(row)];
  });
  return [head, ...body, ["seconds a photo", ...columns.map((_, column) => secondsOf(rows, column))]];
}

/** `g2.0 direct ×2, set5`. */
export function rowTitle({
  kernel,
  downsampling,
  scale,
  dataset,
}: Omit<Row, "cells" | "published" | "photos">): string {
  return `${kernel} ${downsampling} ×${scale}, ${dataset}`;
}

function publishedText({ published }: Row): string[][] {
  if (published === undefined) return [];
  return [["  published", ...published.map((psnr) => psnr?.toFixed(2) ?? "–")]];
}

/** The mean over all photos of all rows. */
export function secondsOf(rows: readonly Row[], column: number): string {
  const cells = rows.flatMap(({ cells }) => cells[column] ?? []);
  const photos = cells.reduce((sum, cell) => sum + cell.photos, 0);
  if (photos === 0) return "–";
  return (cells.reduce((sum, cell) => sum + cell.photos * cell.seconds, 0) / photos).toPrecision(3);
}

export function footnotes({ rows, notes }: Summary): string[] {
  const photos = new Map(rows.map(({ dataset, photos }) => [dataset, photos]));
  const sizes = [...photos].map(([dataset, count]) => `${dataset}: ${counted(count, "photo")}`).join(", ");
  const published = rows.some((row) => row.published !== undefined) ? [`published: ${PUBLISHED_SOURCE}`] : [];
  return [`means over photos (${sizes})`, ...published, ...notes];
}
