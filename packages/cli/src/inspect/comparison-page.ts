/** The page that shows a picture of before and after with a slider. The picture holds both, side by side. */

export interface ComparisonPage {
  readonly name: string;
  /** Of one half, in pixels. */
  readonly width: number;
  readonly height: number;
}

export function comparisonHtml({ name, width, height }: ComparisonPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)} · mzsr</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="comparison.css">
<script src="comparison.js" defer></script>
</head>
<body>
<header>
<h1>${escaped(name)}</h1>
<label>Size <select id="size"><option value="fit">fit</option><option value="1">1 : 1</option><option value="4">4 : 1</option></select></label>
</header>
<main>
<div id="stage" data-width="${width}" data-height="${height}">
<div id="before" role="img" aria-label="Bicubic interpolation"></div>
<div id="after" role="img" aria-label="Enlarged by the network"></div>
<span class="label left">bicubic</span><span class="label right">enlarged</span>
</div>
</main>
<footer><label for="split">Bicubic up to here</label><input id="split" type="range" min="0" max="100" value="50" step="0.5"></footer>
</body>
</html>
`;
}

export const COMPARISON_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 ui-sans-serif, system-ui, sans-serif; }
body { margin: 0; display: flex; flex-direction: column; height: 100vh; background: Canvas; color: CanvasText; }
header, footer { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 24px; padding: 10px 16px; }
h1 { font-size: 18px; margin: 0; flex: 1; overflow-wrap: anywhere; }
main { flex: 1; overflow: auto; min-height: 0; }
#stage { position: relative; margin: 0 auto; cursor: ew-resize; touch-action: pan-y; }
#stage > div { position: absolute; inset: 0; background: url("picture") left / 200% 100%; }
#stage > #after { background-position: right; clip-path: inset(0 0 0 var(--split, 50%)); border-left: 0; }
#stage::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--split, 50%); width: 2px; margin-left: -1px;
  background: #fff; box-shadow: 0 0 0 1px #0008; pointer-events: none; }
#stage.pixels > div { image-rendering: pixelated; }
.label { position: absolute; top: 8px; padding: 0 8px; border-radius: 6px; background: #000a; color: #fff; font-size: 13px; pointer-events: none; }
.left { left: 8px; } .right { right: 8px; }
footer input { flex: 1; min-width: 200px; }
`;

export const COMPARISON_SCRIPT = `
const stage = document.getElementById("stage");
const split = document.getElementById("split");
const size = document.getElementById("size");
const room = stage.parentElement;
const [width, height] = [Number(stage.dataset.width), Number(stage.dataset.height)];

function show() {
  stage.style.setProperty("--split", split.value + "%");
}
function fit() {
  const scale = size.value === "fit" ? Math.min(room.clientWidth / width, room.clientHeight / height) : Number(size.value);
  stage.style.width = width * scale + "px";
  stage.style.height = height * scale + "px";
  stage.classList.toggle("pixels", scale >= 2);
}
function follow(event) {
  if (event.type === "pointermove" && event.buttons === 0) return;
  const { left, width: shown } = stage.getBoundingClientRect();
  split.value = String((100 * (event.clientX - left)) / shown);
  show();
}
split.addEventListener("input", show);
size.addEventListener("change", fit);
addEventListener("resize", fit);
stage.addEventListener("pointerdown", follow);
stage.addEventListener("pointermove", follow);
show();
fit();
`;

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
