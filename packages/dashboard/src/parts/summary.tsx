import type { ClusterStatus, MetricsColumns, RunPhase } from "@mzsr/shared";
import type { ComponentChildren } from "preact";
import type { RunStore } from "../data/store.js";
import {
  formatClock,
  formatCount,
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
  formatSeconds,
} from "../format.js";
import { STAGE_WORDS } from "./stage-words.js";

const PHASE_WORDS: Record<RunPhase, string> = {
  waiting: "Waiting for workers",
  training: "Training",
  stopping: "Stopping",
  finished: "Finished",
};

/** How far, how long still, is it learning, how fast: the four answers of the first five seconds. */
export function Summary({ store, status }: { store: RunStore; status: ClusterStatus }) {
  const still = store.connection.value === "still" || store.connection.value === "over";
  return (
    <section class="summary" aria-label="Summary">
      <Progress status={status} still={still} />
      <dl class="facts">
        {still ? <TimeTaken metrics={store.metrics.value} /> : <TimeLeft status={status} />}
        <Adaptation status={status} />
        {!still && (
          <Fact name="Speed" value={`${formatRate(status.tasksPerSecond)} tasks/s`}>
            {formatSeconds(status.secondsPerStep)} a step
          </Fact>
        )}
        {!still && <WorkersFact status={status} />}
      </dl>
    </section>
  );
}

function Progress({ status, still }: { status: ClusterStatus; still: boolean }) {
  const share = status.totalSteps === 0 ? 0 : status.step / status.totalSteps;
  const phase = still && status.phase !== "finished" ? "Not running" : PHASE_WORDS[status.phase];
  return (
    <div class="progress">
      <p class="phase">
        <strong>{phase}</strong>
        <span>
          {STAGE_WORDS[status.stage]}, step {formatCount(status.step)} of {formatCount(status.totalSteps)}
        </span>
      </p>
      <p class="share">{formatPercent(share)}</p>
      <div
        class="bar"
        role="progressbar"
        aria-label="Steps of the whole run"
        aria-valuemin={0}
        aria-valuemax={status.totalSteps}
        aria-valuenow={status.step}
      >
        {stagesOf(status).map(({ name, steps, done }) => (
          <span key={name} class="part" style={{ flexGrow: steps }} title={name}>
            <span class="done" style={{ width: `${(100 * done) / Math.max(1, steps)}%` }} />
          </span>
        ))}
      </div>
    </div>
  );
}

function stagesOf({ stage, step, totalSteps, stageStep, stageSteps }: ClusterStatus) {
  const other = totalSteps - stageSteps;
  const pretraining = stage === "pretraining";
  return [
    {
      name: STAGE_WORDS.pretraining,
      steps: pretraining ? stageSteps : other,
      done: pretraining ? stageStep : step - stageStep,
    },
    {
      name: STAGE_WORDS.metaTraining,
      steps: pretraining ? other : stageSteps,
      done: pretraining ? 0 : stageStep,
    },
  ].filter(({ steps }) => steps > 0);
}

function TimeLeft({ status: { phase, step, secondsLeft } }: { status: ClusterStatus }) {
  if (phase === "finished") {
    return (
      <Fact name="Time left" value="none">
        {formatCount(step)} steps done
      </Fact>
    );
  }
  if (secondsLeft === null) return <Fact name="Time left" value="unknown" />;
  const now = Date.now();
  return (
    <Fact name="Time left" value={formatDuration(secondsLeft)}>
      ends about {formatClock(now + 1000 * secondsLeft, now)}
    </Fact>
  );
}

/** What the steps took together, from their means over equal buckets. */
function TimeTaken({ metrics }: { metrics: MetricsColumns | undefined }) {
  if (metrics === undefined) return null;
  const starts = [metrics.firstStep - 1, ...metrics.step];
  const seconds = metrics.seconds.reduce<number>(
    (sum, mean, at) => sum + (mean ?? 0) * (starts[at + 1]! - starts[at]!),
    0,
  );
  return (
    <Fact name="Time taken" value={formatDuration(seconds)}>
      {formatSeconds(metrics.lastStep === 0 ? null : seconds / metrics.lastStep)} a step
    </Fact>
  );
}

function Adaptation({ status: { losses } }: { status: ClusterStatus }) {
  const { queryBefore: before, queryAfter: after, supportBefore } = losses;
  if (before === null || after === null) {
    return (
      <Fact name="Minibatch loss" value={formatLoss(supportBefore)}>
        of the newest step
      </Fact>
    );
  }
  return (
    <Fact name="Loss after adaptation" value={formatLoss(after)}>
      {formatLoss(before)} before, newest step
    </Fact>
  );
}

function WorkersFact({ status: { workers } }: { status: ClusterStatus }) {
  const active = workers.filter(({ state }) => state === "active");
  const slots = active.reduce((sum, worker) => sum + worker.slots, 0);
  const busy = active.reduce((sum, worker) => sum + worker.busySlots, 0);
  return (
    <Fact name="Workers" value={formatCount(active.length)}>
      {busy} of {slots} slots busy
    </Fact>
  );
}

function Fact({ name, value, children }: { name: string; value: string; children?: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      <dd class="detail">{children}</dd>
    </div>
  );
}
