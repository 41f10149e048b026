/** The report as one page that needs nothing else: pictures are inside, colours follow the reader's light or dark. */

import type { Scores } from "../photos/evaluate-photo.js";
import { methodsOf, methodTitle } from "../photos/scores-table.js";
import { escapeHtml } from "./line-chart.js";
import { STYLE } from "./style.js";

/** A picture of a photo: `lr`, `hr`, or one that a method made. */
export interface Panel {
  readonly title: string;
  /** PNG of a part of the picture, and of the middle of it magnified without interpolation. */
  readonly region: Buffer;
  readonly detail: Buffer;
  /** Undefined for LR and HR. */
  readonly scores: { readonly psnrY: number; readonly ssimY: number } | undefined;
  /** The whole picture, relative to the page. */
  readonly file: string;
}

export interface PhotoSection {
  readonly name: string;
  readonly about: string;
  /** The whole HR picture, small, with a box (in shares of its sides) around the region. */
  readonly overview: Buffer;
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
  readonly panels: readonly Panel[];
  readonly scores: Scores;
}

export interface ReportPage {
  readonly title: string;
  /** Sentences for the head of the page. */
  readonly summary: readonly string[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly kernelPicture: Buffer;
  readonly photos: readonly PhotoSection[];
  readonly mean: Scores;
  /** Ready SVG figures. */
  readonly charts: readonly string[];
}

/** The page as HTML. */
export function reportHtml(page: ReportPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(page.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<header>
<h1>${escapeHtml(page.title)}</h1>
${page.summary.map((sentence) => `<p class="lead">${escapeHtml(sentence)}</p>`).join("\n")}
<div class="about">
<figure class="kernel"><img src="${dataUri(page.kernelPicture)}" alt="The blur kernel"><figcaption>blur kernel</figcaption></figure>
<dl>${page.facts.map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd></div>`).join("")}</dl>
</div>
</header>
${scoresSection(page)}
${page.photos.map(photoSection).join("\n")}
<section><h2>Learning</h2><div class="charts">${page.charts.join("\n")}</div></section>
</main>
</body>
</html>
`;
}

function scoresSection({ photos, mean }: ReportPage): string {
  const methods = methodsOf(mean);
  const best = (values: readonly number[]) => Math.max(...values);
  const row = (name: string, scores: Scores) => {
    const top = best(methods.map((method) => scores.psnrY[method]!));
    const cells = methods.map((method) => {
      const psnr = scores.psnrY[method]!;
      return `<td${psnr === top ? ' class="best"' : ""}><b>${psnr.toFixed(2)}</b> <small>${scores.ssimY[method]!.toFixed(4)}</small></td>`;
    });
    return `<tr><th scope="row">${escapeHtml(name)}</th>${cells.join("")}</tr>`;
  };
  return `<section><h2>PSNR and SSIM</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">photo</th>${methods.map((method) => `<th scope="col">${methodTitle(method)}</th>`).join("")}</tr></thead>
<tbody>${photos.map((photo) => row(photo.name, photo.scores)).join("\n")}</tbody>
<tfoot>${row("mean", mean)}</tfoot>
</table></div>
<p class="hint">PSNR in dB and SSIM, on the luma channel; more is better.</p></section>`;
}

function photoSection({ name, about, overview, box, panels }: PhotoSection): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)}%`;
  const style = `left:${percent(box.left)};top:${percent(box.top)};width:${percent(box.width)};height:${percent(box.height)}`;
  return `<section><h2>${escapeHtml(name)}</h2>
<figure class="overview"><div class="frame"><img src="${dataUri(overview)}" alt="${escapeHtml(name)}, the whole photo"><i style="${style}"></i></div>
<figcaption>${escapeHtml(about)}</figcaption></figure>
<div class="panels">${panels.map((panel) => panelFigure(name, panel)).join("\n")}</div>
</section>`;
}

function panelFigure(photo: string, { title, region, detail, scores, file }: Panel): string {
  const numbers =
    scores === undefined
      ? ""
      : `<span>${scores.psnrY.toFixed(2)} dB <small>SSIM ${scores.ssimY.toFixed(4)}</small></span>`;
  const alt = escapeHtml(`${photo}, ${title}`);
  return `<figure class="panel"><a href="${escapeHtml(file)}"><img src="${dataUri(region)}" alt="${alt}"></a>
<img class="detail" src="${dataUri(detail)}" alt="${alt}, magnified">
<figcaption><strong>${escapeHtml(title)}</strong>${numbers}</figcaption></figure>`;
}

function dataUri(png: Buffer): string {
  return `data:image/png;base64,${png.toString("base64")}`;
}
