/** The report's style sheet. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2024; --soft: #60646c; --paper: #fcfcfd; --card: #ffffff; --edge: #e2e4e9;
  --accent: #b4530a; --line-0: #8b8d98; --line-1: #c2570c; --line-2: #0e7490; }
@media (prefers-color-scheme: dark) { :root { --ink: #edeef0; --soft: #a1a5ae; --paper: #111214; --card: #191b1f;
  --edge: #2c2f36; --accent: #ffa057; --line-0: #8b8f99; --line-1: #ff9a4a; --line-2: #4cc3dd; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 1480px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 12px; }
h2 { font-size: 19px; letter-spacing: -0.01em; margin: 44px 0 14px; }
.lead { margin: 0 0 6px; max-width: 74ch; color: var(--soft); }
.about { display: flex; flex-wrap: wrap; gap: 28px; align-items: center; margin-top: 22px; }
.kernel { margin: 0; text-align: center; color: var(--soft); font-size: 12px; }
.kernel img { width: 96px; height: 96px; image-rendering: pixelated; border: 1px solid var(--edge); border-radius: 8px; display: block; }
dl { display: flex; flex-wrap: wrap; gap: 10px 32px; margin: 0; }
dt { font-size: 12px; color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 11px 18px; text-align: right; white-space: nowrap; }
th:first-child { text-align: left; }
thead th { font-size: 13px; font-weight: 500; color: var(--soft); }
tbody tr, tfoot tr { border-top: 1px solid var(--edge); }
tbody th { font-weight: 500; } tfoot th { font-weight: 700; }
td b { font-weight: 500; } tfoot td b, td.best b { font-weight: 700; }
td.best b { color: var(--accent); }
small { color: var(--soft); font-size: 13px; }
.hint { color: var(--soft); font-size: 13px; margin: 8px 2px 0; }
.overview { margin: 0 0 18px; color: var(--soft); font-size: 13px; display: flex; flex-wrap: wrap; gap: 12px 20px; align-items: end; }
.overview figcaption { max-width: 44ch; }
.frame { position: relative; border-radius: 10px; overflow: hidden; width: 280px; }
.frame img { width: 100%; display: block; }
.frame i { position: absolute; border: 2px solid #ffb224; box-shadow: 0 0 0 1px rgb(0 0 0 / 0.5); border-radius: 2px; }
.panels { display: grid; grid-template-columns: repeat(6, 1fr); gap: 14px 12px; }
.panel { margin: 0; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; overflow: hidden; }
.panel img { width: 100%; display: block; }
.panel .detail { image-rendering: pixelated; border-top: 1px solid var(--edge); }
.panel figcaption { padding: 9px 12px 11px; line-height: 1.35; font-variant-numeric: tabular-nums; }
.panel figcaption strong, .panel figcaption span { display: block; }
.panel figcaption small { font-size: 12px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 18px; }
.chart { margin: 0; background: var(--card); border: 1px solid var(--edge); border-radius: 12px; padding: 16px 18px; }
.chart figcaption { font-weight: 600; margin-bottom: 6px; }
.chart svg { width: 100%; height: auto; display: block; }
.grid { stroke: var(--edge); stroke-width: 1; }
.tick, .label { fill: var(--soft); font-size: 12px; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.line.line-0 { stroke: var(--line-0); } .line.line-1 { stroke: var(--line-1); } .line.line-2 { stroke: var(--line-2); }
.legend { margin: 8px 0 0; display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13px; color: var(--soft); }
.key::before { content: ""; display: inline-block; width: 18px; height: 3px; border-radius: 2px; vertical-align: middle; margin-right: 8px; }
.key.line-0::before { background: var(--line-0); } .key.line-1::before { background: var(--line-1); }
.key.line-2::before { background: var(--line-2); }
@media (max-width: 1100px) { .panels { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 640px) { main { padding: 24px 14px 48px; } .panels { grid-template-columns: repeat(2, 1fr); }
  .charts { grid-template-columns: 1fr; } }
`.trim();
