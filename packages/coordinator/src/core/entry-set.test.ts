import fc from "fast-check";
import { expect, it } from "vitest";
import { smallTask } from "../testing/core-harness.js";
import { EntrySet } from "./entry-set.js";
import { TaskBoard, type TaskEntry } from "./leases.js";
import type { RunSchedule } from "./schedule.js";
import { TaskTimes } from "./task-times.js";

const schedule = { stageOf: () => "metaTraining", parametersStepOf: () => 0, stepWeights: () => [] };

function entriesOf(count: number): readonly TaskEntry[] {
  const times = { pretraining: new TaskTimes(5), metaTraining: new TaskTimes(5) };
  const board = new TaskBoard({ idPrefix: "", times, lapsedTrials: () => 0 });
  const tasks = Array.from({ length: count }, (_, i) => smallTask(schedule as unknown as RunSchedule, 0, i));
  board.open(0, () => tasks.map((task) => ({ task, audited: false })));
  return board.steps[0]!.entries;
}

it("holds a step's tasks as they were put in and out, by index", () => {
  const count = 200;
  const entries = entriesOf(count);
  const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(count - 1)), { maxLength: 1000, size: "max" });
  fc.assert(
    fc.property(changes, (all) => {
      const [set, plain] = [new EntrySet(entries), new Set<number>()];
      for (const [wanted, index] of all) {
        set.toggle(entries[index]!, wanted);
        if (wanted) plain.add(index);
        else plain.delete(index);
        expect(set.first?.task.index).toBe(plain.size === 0 ? undefined : Math.min(...plain));
      }
      const sorted = [...plain].sort((a, b) => a - b);
      expect(Array.from(set, ({ task }) => task.index)).toEqual(sorted);
      expect(set.size).toBe(sorted.length);
    }),
    { numRuns: 50 },
  );
});
