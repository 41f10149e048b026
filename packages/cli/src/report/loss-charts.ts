import type { StepSummary } from "@mzsr/shared";
import { lineChart, smoothed } from "./line-chart.js";

/** What the charts need of a step. */
export type Loss = Pick<StepSummary, "stage" | "stageStep" | "supportLosses" | "queryLosses" | "seconds">;

/** One chart for each stage that has steps. */
export function lossCharts(losses: readonly Loss[]): string[] {
  const points = (stage: Loss["stage"], value: (loss: Loss) => number | undefined) => {
    const steps = losses.filter((loss) => loss.stage === stage);
    const known = steps.flatMap((loss): [number, number][] => {
      const y = value(loss);
      return y === undefined || !Number.isFinite(y) ? [] : [[loss.stageStep, y]];
    });
    return smoothed(known, Math.max(1, Math.round(known.length / 40)));
  };
  const labels = { xLabel: "step", yLabel: "L1 loss" };
  return [
    lineChart([{ name: "minibatch", points: points("pretraining", (loss) => loss.supportLosses[0]) }], {
      title: "Pretraining",
      ...labels,
    }),
    lineChart(
      [
        { name: "query set before adaptation", points: points("metaTraining", (loss) => loss.queryLosses[0]) },
        { name: "after adaptation", points: points("metaTraining", (loss) => loss.queryLosses.at(-1)) },
      ],
      { title: "Meta-training", ...labels },
    ),
  ].filter((chart) => chart !== "");
}
