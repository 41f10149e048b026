import dns from "node:dns";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { imresize, readModel } from "@mzsr/mzsr";
import type { RunEventRecord } from "@mzsr/shared";
import { readEventFiles, shownBy } from "@mzsr/testing/event-files";
import { freePort } from "@mzsr/testing/free-port";
import { helloOf, pretendOutcome } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test, vi } from "vitest";
import type { CoordinatorOptions, RunningCoordinator } from "./options.js";
import { readPreviews } from "./previews/preview-files.js";
import type { PreviewComputer } from "./previews/preview-writer.js";
import { readJsonLines, readMetrics } from "./run/metrics-log.js";
import { runPaths } from "./run/run-folder.js";
import { smallCoordinator, workerOf } from "./testing/small-coordinator.js";

/** Trains a whole small run with so many workers. Returns θ's hash after each step. */
async function train(folder: string, workers: number, changes: Partial<CoordinatorOptions> = {}): Promise<string[]> {
  const coordinator = await smallCoordinator(folder, changes);
  for (let i = 0; i < workers; i++) {
    const worker = workerOf(coordinator);
    worker.compute();
    worker.hello(helloOf(`worker-${i}`));
  }
  await coordinator.finished;
  return hashes(folder);
}

/** A worker whose results have the wrong size, and who comes again when it is shut out, until the run is over. */
async function failAgainAndAgain(coordinator: RunningCoordinator, name: string, over: Promise<boolean>): Promise<void> {
  do {
    const worker = workerOf(coordinator);
    worker.compute((task) => pretendOutcome(task, new Float32Array(3)));
    worker.hello(helloOf(name));
    await worker.closed();
  } while (!(await Promise.race([over, delay(200, false)])));
}

/** Trains a small run until its coordinator vanishes in the middle of step 3. */
async function vanishMidStep(folder: string, changes: Partial<CoordinatorOptions> = {}) {
  const coordinator = await smallCoordinator(folder, changes);
  const worker = workerOf(coordinator);
  const vanished = new Promise<void>((resolve) => {
    worker.compute((task, theta) => {
      if (task.step === 3 && task.index === 1) resolve(coordinator.abandon("vanished"));
      return pretendOutcome(task, theta);
    });
  });
  worker.hello(helloOf("alice"));
  await vanished;
  return coordinator;
}

async function hashes(folder: string): Promise<string[]> {
  const { lines } = await readMetrics(join(folder, "run", "metrics.jsonl"));
  return lines.map((line) => line.theta_sha256);
}

test("a finished run is complete though its last preview never comes", async () => {
  const folder = await temporaryFolder();
  const closed = new AbortController();
  const computer: PreviewComputer = {
    compute: async () => once(closed.signal, "abort").then(() => Promise.reject(new Error("closed"))),
    hurry: () => undefined,
    close: async () => closed.abort(),
  };
  const previews = { photos: [{ name: "photo", path: (await smallImages(folder))[0]! }], computer };
  const coordinator = await smallCoordinator(folder, { previews, lastPreviewMs: 1 });
  const worker = workerOf(coordinator);
  worker.compute();
  worker.hello(helloOf("alice"));
  expect((await coordinator.finished).complete).toBe(true);
  expect(await readPreviews(runPaths(join(folder, "run")).previews)).toEqual([]);

  const hurry = vi.fn();
  const compute: PreviewComputer["compute"] = async ({ lr }) => {
    const large = imresize(lr, 2);
    return { before: large, adapted: large, seconds: 1 };
  };
  const resumed = { ...previews, computer: { compute, hurry, close: async () => undefined } };
  const again = await smallCoordinator(folder, { previews: resumed, resume: true });
  expect((await again.finished).complete).toBe(true);
  expect(hurry).toHaveBeenCalled();
  const [image] = await readPreviews(runPaths(join(folder, "run")).previews);
  expect(image!.entries.map(({ step }) => step)).toEqual([6]);
});

test("a run ends with a line per step, a checkpoint, a model and the tale of what happened", async () => {
  const folder = await temporaryFolder();
  const coordinator = await smallCoordinator(folder);
  const worker = workerOf(coordinator);
  worker.compute();
  worker.hello(helloOf("alice"));
  const end = await coordinator.finished;
  expect(end).toEqual({ complete: true, step: 6, modelPath: join(folder, "run", "model.safetensors") });
  const { lines } = await readMetrics(join(folder, "run", "metrics.jsonl"));
  expect(lines.map(({ step, stage, stage_step }) => [step, stage, stage_step])).toEqual([
    [1, "pretraining", 1],
    [2, "pretraining", 2],
    [3, "metaTraining", 1],
    [4, "metaTraining", 2],
    [5, "metaTraining", 3],
    [6, "metaTraining", 4],
  ]);
  expect(Object.keys(lines[5]!).sort()).toEqual(
    "gradient_norm learning_rate query_losses seconds stage stage_step step step_weights support_losses tasks theta_sha256 time workers".split(
      " ",
    ),
  );
  const model = await readModel(end.modelPath!);
  expect(model.metadata.theta_sha256).toBe(lines[5]!.theta_sha256);
  expect(model.innerRates).toHaveLength(2);
  const events = (await readFile(join(folder, "run", "events.jsonl"), "utf8")).trim().split("\n");
  expect(events.map((line) => JSON.parse(line).kind)).toEqual(
    expect.arrayContaining(["join", "checkpoint", "stage", "finished"]),
  );
});

test("workers find no open door before all is there that their events need", async () => {
  const { lookup } = dns;
  const grpcPort = await freePort();
  let door = "not tried";
  vi.spyOn(dns, "lookup").mockImplementation(((name: string, ...rest: unknown[]) => {
    if (name !== "page.test") return Reflect.apply(lookup, dns, [name, ...rest]);
    const answer = rest.at(-1) as (error: null, address: string, family: number) => void;
    const knock = connect(grpcPort, "127.0.0.1");
    const heard = (what: string) => () => {
      door = what;
      knock.destroy();
      answer(null, "127.0.0.1", 4);
    };
    knock.once("connect", heard("open")).once("error", heard("shut"));
  }) as typeof lookup);
  onTestFinished(() => void vi.restoreAllMocks());
  const listen = { host: "127.0.0.1", grpcPort, httpHost: "page.test", httpPort: 0 };
  await smallCoordinator(await temporaryFolder(), { listen });
  expect(door).toBe("shut");
});

test("seven workers of different slots give the same parameters, in groups and by themselves", async () => {
  const configuration = (groups: boolean) =>
    smallConfiguration({ pretraining: { tasks: 24 }, metaTraining: { tasks: 24 }, cluster: { groups } });
  const alone = await train(await temporaryFolder(), 1, { configuration: configuration(false) });
  for (const groups of [true, false]) {
    const folder = await temporaryFolder();
    const coordinator = await smallCoordinator(folder, { configuration: configuration(groups) });
    const sent = vi.fn();
    for (let slots = 1; slots <= 7; slots++) {
      const worker = workerOf(coordinator);
      worker.computeInGroups(sent);
      worker.hello(helloOf(`worker-${slots}`, { slots }));
    }
    await coordinator.finished;
    expect(await hashes(folder)).toEqual(alone);
    if (groups) expect(sent.mock.calls.length).toBeGreaterThan(6);
    else expect(sent).not.toHaveBeenCalled();
  }
});

test("two workers and one give the same parameters after every step", async () => {
  const one = await train(await temporaryFolder(), 1);
  const two = await train(await temporaryFolder(), 2);
  expect(two).toEqual(one);
  expect(one).toHaveLength(6);
});

/** A run that is stopped in its step 4. */
async function stoppedRun(folder: string) {
  const first = await smallCoordinator(folder);
  const worker = workerOf(first);
  worker.compute((task, theta) => {
    if (task.step === 3 && task.index === 0) void first.stop("the test wants it");
    return pretendOutcome(task, theta);
  });
  worker.hello(helloOf("alice"));
  return first.finished;
}

test("a run that was stopped and resumed ends as one that was not", async () => {
  const quiet = await train(await temporaryFolder(), 1);
  const folder = await temporaryFolder();
  expect(await stoppedRun(folder)).toEqual({ complete: false, step: 4, modelPath: undefined });
  expect(await train(folder, 1, { resume: true })).toEqual(quiet);
});

test("a coordinator that vanished mid-step goes on from its newest checkpoint to the same end", async () => {
  const quiet = await train(await temporaryFolder(), 1);
  const folder = await temporaryFolder();
  const first = await vanishMidStep(folder);
  await expect(first.finished).rejects.toThrow("vanished");
  expect(await train(folder, 1, { resume: true })).toEqual(quiet);
});

test("a worker that is cut off mid-task costs nothing but its task", async () => {
  const quiet = await train(await temporaryFolder(), 1);
  const folder = await temporaryFolder();
  const coordinator = await smallCoordinator(folder);
  const bad = workerOf(coordinator);
  bad.compute((task, theta) => {
    if (task.step === 2) bad.cut();
    return pretendOutcome(task, theta);
  });
  bad.hello(helloOf("bad"));
  await bad.until(() => bad.ended !== undefined);
  const good = workerOf(coordinator);
  good.compute();
  good.hello(helloOf("good"));
  await coordinator.finished;
  expect(await hashes(folder)).toEqual(quiet);
});

test("resuming a finished run writes its model again and asks nobody for anything", async () => {
  const folder = await temporaryFolder();
  await train(folder, 1);
  const again = await smallCoordinator(folder, { resume: true });
  expect((await again.finished).complete).toBe(true);
  expect((await readModel(join(folder, "run", "model.safetensors"))).metadata.step).toBe("6");
});

test("more meta-steps may be added to a finished run, and it goes on where it ended", async () => {
  const longer = smallConfiguration({ metaTraining: { steps: 6 } });
  const atOnce = await train(await temporaryFolder(), 1, { configuration: longer });
  const folder = await temporaryFolder();
  await train(folder, 1);
  expect(await train(folder, 1, { configuration: longer, resume: true })).toEqual(atOnce);
});

test("a stopped run that shall have no more steps than it has done is finished with the model of its last one", async () => {
  const folder = await temporaryFolder();
  await stoppedRun(folder);
  const configuration = smallConfiguration({ metaTraining: { steps: 2 } });
  const again = await smallCoordinator(folder, { configuration, resume: true });
  expect(await again.finished).toMatchObject({ complete: true, step: 4 });
  const { metadata } = await readModel(join(folder, "run", "model.safetensors"));
  expect([metadata.step, metadata.theta_sha256]).toEqual(["4", (await hashes(folder)).at(-1)]);
});

test("a task that every worker fails at ends the run with the reason", async () => {
  const configuration = smallConfiguration({ cluster: { patience: 2 } });
  const coordinator = await smallCoordinator(await temporaryFolder(), { configuration });
  const over = coordinator.finished.then(
    () => true,
    () => true,
  );
  for (const name of ["a", "b", "c"]) void failAgainAndAgain(coordinator, name, over);
  await expect(coordinator.finished).rejects.toThrow(/task \d of step 1 failed .*3 elements, not/);
});

test("workers that leave because the run is over are gone, not lost", async () => {
  const folder = await temporaryFolder();
  await train(folder, 2);
  const { lines } = await readJsonLines<RunEventRecord>(join(folder, "run", "events.jsonl"));
  const partings = lines.filter(({ kind }) => kind === "leave" || kind === "lost");
  expect(partings.map(({ kind, reason }) => [kind, reason])).toEqual([
    ["leave", "the run is finished"],
    ["leave", "the run is finished"],
  ]);
});

test("TensorBoard is shown each step once, with the run's own numbers, though a coordinator vanished", async () => {
  const folder = await temporaryFolder();
  await vanishMidStep(folder, { tensorboard: true });
  await train(folder, 1, { tensorboard: true, resume: true });
  const files = await readEventFiles(join(folder, "run", "tensorboard"));
  expect(files).toHaveLength(2);
  const { lines } = await readMetrics(join(folder, "run", "metrics.jsonl"));
  const norms = [...shownBy(files).get("training/meta_gradient_norm")!];
  expect(norms.map(([step, { simpleValue }]) => [step, simpleValue])).toEqual(
    lines.map((line) => [line.step, Math.fround(line.gradient_norm)]),
  );
});

test("a run without the option has nothing for TensorBoard", async () => {
  const folder = await temporaryFolder();
  await train(folder, 1);
  expect(await readdir(join(folder, "run"))).not.toContain("tensorboard");
});
