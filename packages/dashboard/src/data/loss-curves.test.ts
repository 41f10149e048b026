import { StepHistory } from "@mzsr/coordinator";
import { fakeStep } from "@mzsr/testing/fake-feed";
import { expect, it } from "vitest";
import { type LossCurvesProps, lossCurves, readingOf } from "./loss-curves.js";

/** Steps of the run: pretraining first. */
function historyOf(name: string, steps: number, pretraining: number) {
  const history = new StepHistory();
  for (let step = 1; step <= steps; step++) history.append(fakeStep(step, pretraining));
  return history.columns(name);
}

function propsOf(changes: Partial<LossCurvesProps>): LossCurvesProps {
  const compared = [{ metrics: historyOf("other", 60, 5), colour: "--compared-1", dash: [6, 4] }];
  const metrics = historyOf("shown", 30, 10);
  return { metrics, compared, choice: "metaTraining", smoothing: 0, whole: false, ...changes };
}

it("compares a stage from its own start, as far as a run at work has come, and whole when it is over", () => {
  const { x, curves } = lossCurves(propsOf({}));
  expect([x[0], x.at(-1)]).toEqual([11, 30]);
  // Its first step of meta-training is step 6.
  expect(curves.at(-1)!.raw[0]).toBeCloseTo(fakeStep(6, 5).queryLosses.at(-1)!, 6);
  const whole = lossCurves(propsOf({ whole: true }));
  expect(whole.x.at(-1)).toBe(65);
  expect(whole.curves.at(-1)!.raw.at(-1)).toBeCloseTo(fakeStep(60, 5).queryLosses.at(-1)!, 6);
  expect(whole.curves[0]!.raw.at(-1)).toBeNull();
});

it("reads each run's newest step at rest, and the curves at the cursor", () => {
  const props = propsOf({});
  const view = lossCurves(props);
  const newest = [
    fakeStep(30, 10).queryLosses[0],
    fakeStep(30, 10).queryLosses.at(-1),
    fakeStep(60, 5).queryLosses.at(-1),
  ];
  expect(readingOf(view, undefined, props)).toEqual({ steps: "Newest step of each run", values: newest });
  expect(readingOf(view, 0, props).steps).toBe("Step 11");
  const alone = propsOf({ compared: [], choice: "pretraining", smoothing: 0.8 });
  expect(readingOf(lossCurves(alone), 2, alone).steps).toBe("Step 3, smoothed");
  // The stage is over: the newest that it has.
  const [last] = readingOf(lossCurves(alone), undefined, alone).values;
  expect(last).toBeCloseTo(fakeStep(10, 10).supportLosses[0]!, 6);
});
