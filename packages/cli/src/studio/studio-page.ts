/** The page of `mzsr studio`: one file, which asks nobody but the server that it came from. */
import { createHash } from "node:crypto";

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 ui-sans-serif, system-ui, sans-serif;
  --ink: #1a1d23; --muted: #5d6470; --line: #c3c7ce; --surface: #fff; --ground: #f7f7f5; --accent: #3557d6; --on-accent: #fff; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --ink: #e7e9ed; --muted: #9aa1ad; --line: #414753; --surface: #15181e; --ground: #0e1014; --accent: #8ea6ff; --on-accent: #0e1014; --bad: #ff8f86; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--ground); color: var(--ink); }
header, main { max-width: 1100px; margin: 0 auto; padding: 12px clamp(16px, 3vw, 40px); }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 16px; }
h1 { font-size: 20px; margin: 0; }
h2 { font-size: 17px; margin: 0; overflow-wrap: anywhere; }
p { margin: 0; }
header p, figcaption, #notes { color: var(--muted); font-size: 14px; }
main { display: grid; gap: 16px; }
.drop { display: grid; place-content: center; gap: 4px; min-height: 150px; padding: 20px; text-align: center; cursor: pointer;
  border: 2px dashed var(--line); border-radius: 14px; background: var(--surface); }
.drop strong { font-size: 18px; }
.drop:focus-within, .drop.over { border-color: var(--accent); outline: 2px solid var(--accent); }
.drop input { position: absolute; width: 1px; height: 1px; opacity: 0; }
section { display: grid; gap: 12px; padding: 18px; border: 1px solid var(--line); border-radius: 14px; background: var(--surface); }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
.line > :first-child { flex: 1; min-width: 160px; }
progress { width: 100%; accent-color: var(--accent); }
figure { display: flex; align-items: center; gap: 14px; margin: 0; }
canvas { width: 90px; height: 90px; flex: none; border-radius: 8px; image-rendering: pixelated; }
ul { margin: 0; padding-left: 20px; }
button, .button { font: inherit; padding: 6px 16px; border-radius: 8px; border: 1px solid var(--line); background: none; color: inherit;
  cursor: pointer; text-decoration: none; }
.button { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
iframe { width: 100%; height: min(75vh, 820px); border: 1px solid var(--line); border-radius: 10px; }
.bad { color: var(--bad); font-weight: 600; }
`;

const SCRIPT = `
const at = (id) => document.getElementById(id);
let work;

async function enlarge(photo) {
  work?.abort();
  const mine = (work = new AbortController());
  begin(photo.name);
  try {
    const answer = await fetch("photos?name=" + encodeURIComponent(photo.name), { method: "POST", body: photo, signal: mine.signal });
    if (!answer.ok) throw new Error((await answer.json()).error);
    for await (const line of linesOf(answer.body)) if (mine === work) show(JSON.parse(line));
  } catch (thrown) {
    if (mine === work && !mine.signal.aborted) failed(thrown.message + ". Is mzsr studio still running?");
  }
  if (mine === work) end();
}

async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split("\\n");
    rest = lines.pop();
    yield* lines;
  }
}

function begin(name) {
  for (const id of ["kernel", "result", "failure"]) at(id).hidden = true;
  at("work").hidden = false;
  at("name").textContent = name;
  at("notes").replaceChildren();
  at("cancel").hidden = false;
  at("bar").hidden = false;
  progress({ text: "sending" });
}

function end() {
  at("cancel").hidden = true;
  at("bar").hidden = true;
}

function show(event) {
  if (event.type === "progress") progress(event);
  else if (event.type === "note") note(event.text);
  else if (event.type === "kernel") kernel(event);
  else if (event.type === "failed") failed(event.reason);
  else done(event);
}

function progress({ text, share }) {
  at("doing").textContent = text;
  if (share === undefined) at("bar").removeAttribute("value");
  else at("bar").value = share;
}

function note(text) {
  at("notes").append(Object.assign(document.createElement("li"), { textContent: text }));
}

function failed(reason) {
  at("doing").textContent = "";
  at("failure").textContent = reason;
  at("failure").hidden = false;
}

function kernel({ words, size, values }) {
  const canvas = at("map");
  canvas.width = canvas.height = size;
  const pixels = new ImageData(size, size);
  const most = Math.max(...values);
  values.forEach((value, i) => pixels.data.set([255, 255, 255].map((white) => white * value / most).concat(255), 4 * i));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  at("words").textContent = words;
  at("kernel").hidden = false;
}

function done({ id, file, width, height, seconds }) {
  at("doing").textContent = width + "×" + height + " pixels in " + seconds.toFixed(1) + " s";
  at("slider").src = "photos/" + id + "/";
  at("save").href = "photos/" + id + "/result";
  at("save").textContent = "Save " + file;
  at("result").hidden = false;
}

function take(files) {
  const photo = [...files].find((file) => file.size > 0);
  if (photo !== undefined) void enlarge(photo);
}

at("choose").addEventListener("change", ({ target }) => { take(target.files); target.value = ""; });
at("cancel").addEventListener("click", () => { work.abort(); end(); at("doing").textContent = "cancelled"; });
addEventListener("dragover", (event) => { event.preventDefault(); at("drop").classList.add("over"); });
addEventListener("dragleave", () => at("drop").classList.remove("over"));
addEventListener("drop", (event) => { event.preventDefault(); at("drop").classList.remove("over"); take(event.dataTransfer.files); });
addEventListener("paste", (event) => take(event.clipboardData.files));
`;

export const STUDIO_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mzsr studio</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1>mzsr studio</h1><p>Photos stay on this machine.</p></header>
<main>
<label class="drop" id="drop"><strong>Drop a photo here</strong><span>or choose one: PNG, JPEG, WebP, TIFF</span>
<input id="choose" type="file" accept="image/*,.tif,.tiff" aria-label="Choose a photo"></label>
<section id="work" aria-labelledby="name" hidden>
<div class="line"><h2 id="name"></h2><button id="cancel" type="button">Cancel</button></div>
<p id="doing" role="status"></p>
<progress id="bar" max="1" aria-label="Progress"></progress>
<p id="failure" class="bad" role="alert" hidden></p>
<figure id="kernel" hidden><canvas id="map" role="img" aria-label="The blur kernel"></canvas><figcaption>The photo’s blur: <span id="words"></span></figcaption></figure>
<ul id="notes"></ul>
</section>
<section id="result" aria-label="Result" hidden>
<div class="line"><p>Bicubic interpolation on the left of the line, the result on the right.</p><a class="button" id="save" download></a></div>
<iframe id="slider" title="Before and after, with a slider"></iframe>
</section>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;

/** The page's own style and script, by what they are, and nothing else; what they ask for comes from the page's server. */
export const STUDIO_POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${digest(SCRIPT)}'`,
  `style-src 'sha256-${digest(STYLE)}'`,
  "img-src data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function digest(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("base64");
}
