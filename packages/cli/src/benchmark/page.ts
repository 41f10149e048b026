/** A benchmark as a page: the table, the same part of every result side by side, quality over time. Pictures lie beside it. */

import { escapeHtml } from "../report/line-chart.js";
import { STYLE } from "../report/style.js";
import { cropFile, type Job, type JobResult } from "./job.js";
import { type Column, measuredBy, type Row, type Summary } from "./summary.js";
import { bestOf, footnotes, rowTitle, secondsOf } from "./tables.js";

export interface BenchmarkPage {
  readonly summary: Summary;
  readonly jobs: readonly Job[];
  readonly results: readonly JobResult[];
  /** Ready SVG figures. */
  readonly charts: readonly string[];
  /** How a picture's path is called from the page. */
  readonly address: (path: string) => string;
}

const OWN_STYLE = `
.published th, .published td { color: var(--soft); padding-top: 0; font-size: 14px; }
.published th { padding-left: 36px; } tbody tr.published { border-top: 0; }
.case { margin: 0 0 28px; } .case h3 { font-size: 15px; font-weight: 600; margin: 0 0 8px; }
.crops { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 14px 12px; }
.charts { max-width: 820px; }
.crops .panel img { image-rendering: pixelated; }
:root { --line-3: #7c3aed; --line-4: #15803d; } @media (prefers-color-scheme: dark) { :root { --line-3: #b794f6; --line-4: #4ade80; } }
.line.line-3 { stroke: var(--line-3); } .line.line-4 { stroke: var(--line-4); }
.key.line-3::before { background: var(--line-3); } .key.line-4::before { background: var(--line-4); }
`;

export function benchmarkHtml(page: BenchmarkPage): string {
  const { summary, charts } = page;
  const sets = [...new Set(summary.rows.map(({ dataset }) => dataset))].join(", ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Benchmark: ${escapeHtml(sets)}</title>
<style>${STYLE}${OWN_STYLE}</style>
</head>
<body>
<main>
<header><h1>Benchmark: ${escapeHtml(sets)}</h1>
<p class="lead">Photos are degraded, enlarged again in each way, and compared with what they were. PSNR in dB and SSIM on the luma channel; more is better.</p></header>
${table(summary)}
${charts.length === 0 ? "" : `<section><h2>Quality over time</h2><div class="charts">${charts.join("\n")}</div></section>`}
${summary.rows.map((row) => rowSection(row, page)).join("\n")}
</main>
</body>
</html>
`;
}

function table({ columns, rows, notes }: Summary): string {
  const body = rows.map((row) => {
    const best = bestOf(row.cells);
    const cells = row.cells.map((cell) => {
      if (cell === undefined) return "<td>–</td>";
      const psnr = cell.psnrY.toFixed(2);
      return `<td${psnr === best ? ' class="best"' : ""}><b>${psnr}</b> <small>${cell.ssimY.toFixed(4)}</small></td>`;
    });
    return `<tr><th scope="row">${escapeHtml(rowTitle(row))}</th>${cells.join("")}</tr>${publishedLine(row)}`;
  });
  const seconds = columns.map((_, column) => `<td>${secondsOf(rows, column)}</td>`).join("");
  return `<section><div class="scroll"><table>
<thead><tr><th scope="col"></th>${columns.map(({ title }) => `<th scope="col">${escapeHtml(title)}</th>`).join("")}</tr></thead>
<tbody>${body.join("\n")}</tbody>
<tfoot><tr><th scope="row">seconds a photo</th>${seconds}</tr></tfoot>
</table></div>
${footnotes({ columns, rows, notes })
  .map((note) => `<p class="hint">${escapeHtml(note)}</p>`)
  .join("\n")}</section>`;
}

function publishedLine({ published }: Row): string {
  if (published === undefined) return "";
  const cells = published.map((psnr) => `<td>${psnr?.toFixed(2) ?? "–"}</td>`).join("");
  return `\n<tr class="published"><th scope="row">published</th>${cells}</tr>`;
}

/** Those photos of a row that pictures were made of. */
function rowSection(row: Row, page: BenchmarkPage): string {
  const starts = new Map<string, string>();
  for (const { case: photo, crops } of page.jobs) {
    const same = photo.dataset === row.dataset && photo.kernel === row.kernel && photo.scale === row.scale;
    if (same && crops !== undefined) starts.set(photo.image, crops);
  }
  if (starts.size === 0) return "";
  const figures = [...starts].map(([image, start]) => caseFigures(row, image, start, page));
  return `<section><h2>${escapeHtml(rowTitle(row))}</h2>\n${figures.join("\n")}</section>`;
}

function caseFigures(row: Row, image: string, start: string, page: BenchmarkPage): string {
  const own = page.results.filter(
    (r) => r.image === image && r.dataset === row.dataset && r.kernel === row.kernel && r.scale === row.scale,
  );
  if (own.length === 0) return "";
  const panel = (title: string, file: string, numbers: string) =>
    `<figure class="panel"><img loading="lazy" src="${escapeHtml(page.address(file))}" alt="${escapeHtml(`${image}, ${title}`)}">
<figcaption><strong>${escapeHtml(title)}</strong>${numbers}</figcaption></figure>`;
  const panels = page.summary.columns.flatMap((column: Column) => {
    const [measured] = measuredBy(own, column);
    if (measured === undefined) return [];
    const numbers = `<span>${measured.psnr_y.toFixed(2)} dB <small>SSIM ${measured.ssim_y.toFixed(4)}, ${measured.seconds.toPrecision(2)}&nbsp;s</small></span>`;
    return [panel(column.title, cropFile(start, column), numbers)];
  });
  return `<div class="case"><h3>${escapeHtml(image)}</h3><div class="crops">
${[panel("the photo (HR)", cropFile(start, undefined), ""), ...panels].join("\n")}</div></div>`;
}
