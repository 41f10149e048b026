import type { MetricsColumns, RunStage } from "@mzsr/shared";
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { Compared } from "../data/compared.js";
import type { StageChoice } from "../data/loss-curves.js";
import type { RunStore } from "../data/store.js";
import { verdictOf } from "../data/verdict.js";
import type { Theme } from "../theme.js";
import { LossChart } from "./loss-chart.js";
import { SmallCharts } from "./small-charts.js";
import { STAGE_WORDS } from "./stage-words.js";

export interface LearningProps {
  readonly store: RunStore;
  readonly compared: readonly Compared[];
  readonly theme: Theme;
}

/** "Is it learning?": the losses before and after adaptation over the steps, and what else tells. */
export function Learning({ store, compared, theme }: LearningProps) {
  const chosen = useSignal<StageChoice | undefined>(undefined);
  const smoothing = useSignal(0.8);
  const logarithmic = useSignal(false);
  const metrics = store.metrics.value;
  const histories = compared.flatMap(({ store, colour, dash }) => {
    const metrics = store.metrics.value;
    return metrics === undefined ? [] : [{ metrics, colour, dash }];
  });
  const current = store.status.value!.stage;
  const choice = chosen.value ?? currentChoice(metrics, current);
  const verdict = useMemo(
    () => (metrics === undefined ? undefined : verdictOf(metrics, choice === "all" ? current : choice)),
    [metrics, choice, current],
  );
  return (
    <section class="learning" aria-labelledby="learning-title">
      <div class="section-head">
        <h2 id="learning-title">Is it learning?</h2>
        {verdict && <p class={`verdict ${verdict.tone}`}>{verdict.sentence}</p>}
      </div>
      <div class="controls">
        <StageChoices metrics={metrics} choice={choice} onChoose={(stage) => (chosen.value = stage)} />
        <label class="slider">
          Smoothing
          <input
            type="range"
            min="0"
            max="0.98"
            step="0.02"
            value={smoothing.value}
            onInput={(event) => (smoothing.value = event.currentTarget.valueAsNumber)}
          />
          <output>{smoothing.value.toFixed(2)}</output>
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={logarithmic.value}
            onChange={(event) => (logarithmic.value = event.currentTarget.checked)}
          />
          Logarithmic
        </label>
      </div>
      {metrics === undefined || metrics.step.length === 0 ? (
        <p class="empty">The curves start with the first finished step.</p>
      ) : (
        <>
          <LossChart
            metrics={metrics}
            compared={histories}
            whole={hasEnded(store)}
            choice={choice}
            smoothing={smoothing.value}
            logarithmic={logarithmic.value}
            theme={theme}
          />
          <SmallCharts metrics={metrics} choice={choice} smoothing={smoothing.value} theme={theme} />
        </>
      )}
    </section>
  );
}

/** While a run is at work, its curve has the whole width, and others are drawn as far as it has come. */
function hasEnded({ connection, status }: RunStore): boolean {
  return ["still", "over"].includes(connection.value) || status.value?.phase === "finished";
}

/** The stage that runs, once it has a step to show. */
function currentChoice(metrics: MetricsColumns | undefined, stage: RunStage): StageChoice {
  return metrics === undefined || metrics.stage.includes(stage) ? stage : (metrics.stage.at(-1) ?? stage);
}

function StageChoices({
  metrics,
  choice,
  onChoose,
}: {
  metrics: MetricsColumns | undefined;
  choice: StageChoice;
  onChoose: (stage: StageChoice) => void;
}) {
  if (metrics === undefined || new Set(metrics.stage).size < 2) return null;
  const choices = [
    ["pretraining", STAGE_WORDS.pretraining],
    ["metaTraining", STAGE_WORDS.metaTraining],
    ["all", "Whole run"],
  ] as const;
  return (
    <fieldset class="choices">
      <legend class="spoken">Stage</legend>
      {choices.map(([value, words]) => (
        <label key={value}>
          <input type="radio" name="stage" checked={choice === value} onChange={() => onChoose(value)} />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}
