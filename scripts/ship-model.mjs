// Makes the model that comes with the program of a run: its newest checkpoint's weights (their moving average where there is one)
// and the card, into packages/model-x2.
//   node scripts/ship-model.mjs RUN [--start RUN] [--benchmark FILE] [--model NAME]
// RUN: the folder of a run, finished or not. --start: the run that made the model which it began with (init), where that is not the
// shipped model itself; only weights that this system trained from random numbers are shipped. --benchmark: what
// `mzsr benchmark --json` said of these weights, for the card; --model: how they are called there, where it has several.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CheckpointStore, finishedModel } from "@mzsr/coordinator";
import { chooseWeights, readModel, writeModel } from "@mzsr/mzsr";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { start: { type: "string" }, benchmark: { type: "string" }, model: { type: "string" } },
});
if (positionals.length !== 1) fail("expected the folder of one run");
const [run] = positionals;
const folder = fileURLToPath(new URL("../packages/model-x2/", import.meta.url));

const shipped = JSON.parse(readFileSync(join(folder, "card.json"), "utf8"));

const { checkpoint } = await new CheckpointStore(join(run, "checkpoints"), 1).newest();
if (checkpoint === undefined) fail(`${run}: no whole checkpoint`);
const configuration = JSON.parse(checkpoint.configuration);
if (configuration.degradation.scale !== 2) fail(`${run} is of ×${configuration.degradation.scale}; expected ×2`);
const { step, theta, ema, backend } = checkpoint.state;
const whole = finishedModel(configuration, theta, basename(run), step, ema && Float32Array.from(ema.average));
const model = chooseWeights(whole);
const start = await startOf();
const card = cardOf();
await writeModel(join(folder, "model.safetensors"), { ...model, metadata: metadataOf() });
writeFileSync(join(folder, "card.json"), `${JSON.stringify(card, null, 2)}\n`);
writeFileSync(join(folder, "README.md"), readme());
console.log(`${folder}: step ${step} of ${basename(run)}, ${card.weights === "ema" ? "moving average" : "last step"}`);

/** What the run began with: random numbers, a run that did, or the model that is shipped so far. */
async function startOf() {
  const { initSha256, pretraining } = configuration;
  if (initSha256 === undefined) return { from: "random numbers", pretraining_steps: pretraining.steps };
  if (shipped.start.earlier?.at(-1).model_sha256 === initSha256) return shipped.start;
  if (sha256Of(join(folder, "model.safetensors")) === initSha256) {
    const { start: begun, theta_sha256, meta_training } = shipped;
    return { ...begun, earlier: [...(begun.earlier ?? []), { meta_training, theta_sha256, model_sha256: initSha256 }] };
  }
  if (values.start === undefined) fail(`${run} began with a model; --start says which run made it`);
  const file = join(values.start, "model.safetensors");
  if (sha256Of(file) !== initSha256) fail(`${file} is another model`);
  const { metadata } = await readModel(file);
  const before = JSON.parse(metadata.configuration);
  if (before.initSha256 !== undefined) fail(`${values.start} began with a model, too; expected random numbers`);
  return {
    from: "random numbers",
    pretraining_steps: before.pretraining.steps,
    pretraining: { ...before.pretraining, seed: before.seed },
    theta_sha256: metadata.theta_sha256,
  };
}

function sha256Of(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}

function cardOf() {
  const { seed, data, degradation, patches, metaTraining } = configuration;
  const done = Math.max(0, step - configuration.pretraining.steps);
  return {
    model: "@mzsr/model-x2",
    ...{ architecture: configuration.model, scale: 2, parameters: model.parameters.length },
    inner_steps: model.innerRates?.length ?? 0,
    weights: ema === undefined ? "last" : "ema",
    theta_sha256: model.metadata.theta_sha256,
    ema_sha256: model.metadata.ema_sha256,
    start,
    meta_training: {
      steps: done,
      of_steps: metaTraining.steps,
      ...settings(metaTraining),
    },
    ...{ seed, backend, degradation, patches },
    data: dataOf(data),
    benchmark: benchmarkRows(),
  };
}

/** Photographs that were called something before keep that name, wherever they lay this time. */
function dataOf(data) {
  const sha256 = checkpoint.dataset;
  if (shipped.data.sha256 === sha256) return shipped.data;
  return { name: data === "embedded" ? data : basename(data), sha256 };
}

function settings({ steps: _steps, ...rest }) {
  return rest;
}

/** Without the configuration, whose paths are of the machine that trained. */
function metadataOf() {
  const { configuration: _paths, init_sha256: _init, ...kept } = model.metadata;
  return { ...kept, weights: card.weights };
}

function benchmarkRows() {
  if (values.benchmark === undefined) return [];
  const { rows } = JSON.parse(readFileSync(values.benchmark, "utf8"));
  return rows.map(({ methods, ...row }) => ({
    ...row,
    methods: methods
      .filter(({ model: name }) => name === null || values.model === undefined || name === values.model)
      .map(({ method, psnr_y, ssim_y, published_psnr_y }) => ({ method, psnr_y, ssim_y, published_psnr_y })),
  }));
}

function readme() {
  const { depth, width } = card.architecture;
  const { meta_training: meta } = card;
  const inWords = ({ steps, tasks }) => `${(steps * tasks).toLocaleString("en")} tasks of meta-training`;
  const whole =
    meta.steps < meta.of_steps ? ` (the run was set to ${(meta.of_steps * meta.tasks).toLocaleString("en")})` : "";
  const stages = [...(start.earlier ?? []).map(({ meta_training }) => meta_training), meta].map(inWords);
  return `# @mzsr/model-x2

The model that \`mzsr upscale\` enlarges photos ×2 with where \`--model\` names none. Data alone: \`model.safetensors\` (${depth} convolutions,
${width} channels, ${card.parameters.toLocaleString("en")} parameters, rates of ${card.inner_steps} inner steps) and \`card.json\`, which has what follows for programs.

\`\`\`sh
npm install @mzsr/cli    # brings it along
npx mzsr upscale cat.jpg --kernel g2.0
\`\`\`

## What it was trained on, and for how long

- From random numbers: ${start.pretraining_steps.toLocaleString("en")} steps of pretraining, then ${stages.join(", then ")}${whole}.
- Photographs: \`${card.data.name}\` (digest \`${card.data.sha256}\`), kernels of variance ${card.degradation.lambdaMin} to ${card.degradation.lambdaMax ?? 5}, downsampling ${card.degradation.downsampling}.
- Seed ${card.seed}, backend \`${card.backend}\`, θ after the last of them: SHA-256 \`${card.theta_sha256}\`. The weights are ${card.weights === "ema" ? "the moving average of θ" : "those of the last step"}.

## What it is worth

${worth()}

## Where it fails

- Before adaptation it is no good network. It was trained for ${card.inner_steps} steps; \`--updates 10\`, which is the default, is better still.
- With a kernel that is not the photo's, the result rings or stays soft; ${"`--kernel auto`"} estimates it.
- It knows Gaussian blur and no noise: motion, defocus discs, JPEG below quality 75 and noisy photos are outside of what it has seen.

${"`node scripts/ship-model.mjs`"} made this page.
`;
}

function worth() {
  if (card.benchmark.length === 0) return "Not measured yet.";
  const methods = card.benchmark[0].methods.map(({ method }) => method);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const rows = card.benchmark.map(({ kernel, downsampling, dataset, methods: all }) =>
    line([`${dataset}, ${kernel} ${downsampling}`, ...all.map(({ psnr_y }) => psnr_y.toFixed(2)), published(all)]),
  );
  const mean = methods.map((_, i) => {
    const values = card.benchmark.map(({ methods: all }) => all[i].psnr_y);
    return (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2);
  });
  return [
    "PSNR on the luma channel in dB, as the paper measures it (`mzsr benchmark --preset paper`):",
    "",
    line(["", ...methods, "published mzsr:10"]),
    `|---${"|---:".repeat(methods.length + 1)}|`,
    ...rows,
    line(["mean", ...mean, ""]),
  ].join("\n");
}

function published(all) {
  return all.find(({ method }) => method === "mzsr:10")?.published_psnr_y?.toFixed(2) ?? "–";
}

function fail(reason) {
  console.error(`ship-model: ${reason}`);
  process.exit(2);
}
