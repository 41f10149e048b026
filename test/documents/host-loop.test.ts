import { readFile } from "node:fs/promises";
import {
  CoordinatorCore,
  type CoordinatorEffect,
  drawTask,
  initialTrainingState,
  loadDataset,
  RunSchedule,
} from "@mzsr/coordinator";
import { metaLayout } from "@mzsr/mzsr";
import { resultOf } from "@mzsr/shared";
import { pretendOutcome } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { hostLoop } from "./host-loop.js";

test("the host loop in the documents is the one that is run here", async () => {
  const [page, source] = await Promise.all(
    ["../../docs/host-loop.md", "./host-loop.ts"].map((path) => readFile(new URL(path, import.meta.url), "utf8")),
  );
  const shown = /```ts\n(.*?)```/s.exec(page!)?.[1];
  expect(shown).toBeTruthy();
  expect(source).toContain(shown);
});

test("twenty lines around the core train a run to its end", async () => {
  const configuration = smallConfiguration();
  const { depth, width } = configuration.model;
  const { innerSteps, learnedRates } = configuration.metaTraining;
  const layout = metaLayout({ depth, width }, innerSteps, learnedRates);
  const schedule = new RunSchedule(configuration);
  const { positions } = await loadDataset(await smallImages(await temporaryFolder()), configuration);
  const core = new CoordinatorCore({
    run: "run",
    configuration,
    state: initialTrainingState(new Float32Array(layout.size)),
    drawTask: (step, index) => drawTask(schedule, positions, step, index),
    layout,
    incarnation: "first",
  });
  const effects: CoordinatorEffect[] = [];
  const thetas = new Map<number, Float32Array>();
  let nowMs = 0;
  let wakes = 0;
  const deliver = hostLoop(core, {
    nowMs: () => nowMs++,
    carryOut: (effect) => {
      effects.push(effect);
      if (effect.type === "parameters") thetas.set(effect.step, core.parametersBefore(effect.step));
      if (effect.type !== "assign") return;
      for (const { id, task } of effect.leases) {
        const outcome = pretendOutcome(task, thetas.get(task.parametersStep)!);
        deliver({ type: "result", session: effect.session, result: resultOf({ lease: id, outcome }) });
      }
    },
    wakeAt: () => wakes++,
  });
  const hello = {
    worker: "w",
    incarnation: "w-1",
    backend: "cpu",
    slots: 2,
    host: "h",
    version: "v",
    metricsAddress: "",
  } as const;
  deliver({ type: "join", session: "s", hello });
  expect(effects.filter(({ type }) => type === "step")).toHaveLength(schedule.totalSteps);
  expect(effects.at(-1)).toMatchObject({ type: "ended", complete: true });
  expect(wakes).toBe(1);
});
