import { createHash } from "node:crypto";
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  InputError,
  initialParameters,
  type Model,
  metaLayout,
  parameterLayout,
  readModel,
  writeModel,
} from "@mzsr/mzsr";
import { helloOf, pretendOutcome } from "@mzsr/testing/scripted-worker";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { smallCoordinator, workerOf } from "../testing/small-coordinator.js";
import { firstState, readStart } from "./initial-state.js";

const architecture = { depth: 2, width: 4 };
const NETWORK = parameterLayout(architecture).size;

async function startModel(changes: Partial<Model> = {}): Promise<string> {
  const path = join(await temporaryFolder(), "start.safetensors");
  const drawn = { architecture, scale: 2, innerRates: undefined, metadata: {} };
  const model = { ...drawn, ...changes };
  await writeModel(path, { ...model, parameters: initialParameters(model.architecture, { normal: () => 0.25 }) });
  return path;
}

async function sha256Of(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
}

test("a run starts from the model that it is given, and from random numbers else", async () => {
  const init = await startModel();
  const [given, drawn] = [await firstState(smallConfiguration({ init })), await firstState(smallConfiguration())];
  expect(given.theta.slice(0, NETWORK)).toEqual(initialParameters(architecture, { normal: () => 0.25 }));
  expect(given.theta).toHaveLength(drawn.theta.length);
  expect(given.theta.slice(0, NETWORK)).not.toEqual(drawn.theta.slice(0, NETWORK));
});

test("a start model without learned rates begins with innerRate", async () => {
  const configuration = smallConfiguration({ init: await startModel(), metaTraining: { innerRate: 0.5 } });
  const { theta } = await firstState(configuration);
  expect([...theta.subarray(NETWORK)]).toEqual(new Array(8).fill(Math.fround(Math.log(0.5))));
});

test("learned rates of a start model go on, the last step's in further steps too", async () => {
  const innerRates = [new Float32Array(4).fill(-3), new Float32Array(4).fill(-4)];
  const configuration = smallConfiguration({ init: await startModel({ innerRates }), metaTraining: { innerSteps: 3 } });
  const { theta } = await firstState(configuration);
  const { entries } = metaLayout(architecture, 3, true);
  expect(entries.slice(-3).map(({ offset }) => theta[offset])).toEqual([-3, -4, -4]);
});

test("a run without learned rates takes only the network of a model that has them", async () => {
  const init = await startModel({ innerRates: [new Float32Array(4).fill(-3)] });
  expect((await firstState(smallConfiguration({ init, metaTraining: { learnedRates: false } }))).theta).toHaveLength(
    NETWORK,
  );
});

test("a start model of another scale will do, of another network not", async () => {
  await firstState(smallConfiguration({ init: await startModel({ scale: 4 }) }));
  const init = await startModel({ architecture: { depth: 3, width: 4 } });
  await expect(firstState(smallConfiguration({ init }))).rejects.toThrow(
    `${init}: a network of depth 3 and width 4; expected depth 2 and width 4, or --set model.depth=3 --set model.width=4`,
  );
});

test("a start model that is missing, or another file than the configuration says, is refused", async () => {
  const init = await startModel();
  const initSha256 = await sha256Of(init);
  expect((await readStart(smallConfiguration({ init, initSha256 })))?.sha256).toBe(initSha256);
  const another = firstState(smallConfiguration({ init, initSha256: "0".repeat(64) }));
  await expect(another).rejects.toThrow(InputError);
  await expect(another).rejects.toThrow(`${init}: is not the file that the configuration starts from`);
  await rm(init);
  await expect(firstState(smallConfiguration({ init, initSha256 }))).rejects.toThrow(`${init}: no such file or folder`);
});

test("a resumed run needs its start model until there is a checkpoint, and its model names the start's hash", async () => {
  const init = await startModel();
  const initSha256 = await sha256Of(init);
  const folder = await temporaryFolder();
  const configuration = smallConfiguration({ init, initSha256 });
  await (await smallCoordinator(folder, { configuration })).abandon("before the first step");
  await rename(init, `${init}.away`);
  await expect(smallCoordinator(folder, { configuration, resume: true })).rejects.toThrow(`${init}: no such file`);
  await rename(`${init}.away`, init);
  const first = await smallCoordinator(folder, { configuration, resume: true });
  const early = workerOf(first);
  early.compute((task, theta) => {
    if (task.step === 3) void first.abandon("after the checkpoint of step 2");
    return pretendOutcome(task, theta);
  });
  early.hello(helloOf("alice"));
  await early.closed();
  await first.finished.catch(() => undefined);
  await rm(init);
  const second = await smallCoordinator(folder, { configuration, resume: true });
  const worker = workerOf(second);
  worker.compute();
  worker.hello(helloOf("alice"));
  const { modelPath } = await second.finished;
  expect((await readModel(modelPath!)).metadata.init_sha256).toBe(initSha256);
});
