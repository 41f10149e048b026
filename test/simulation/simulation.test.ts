import { describe, expect, it } from "vitest";
import { crowdScenario, drawScenario, quietScenario, type Scenario } from "./scenario.js";
import { type SimulationResult, simulate } from "./simulate.js";

const SEEDS = 200;
const BLOCK = 25;

function sum(results: readonly SimulationResult[], name: string): number {
  return results.reduce((total, { counts }) => total + (counts[name] ?? 0), 0);
}

describe("a cluster under simulated misfortune", () => {
  const results: SimulationResult[] = [];

  it.each(Array.from({ length: SEEDS / BLOCK }, (_, i) => [i * BLOCK + 1, (i + 1) * BLOCK]))(
    "keeps every promise from seed %i to %i",
    (first, last) => {
      for (let seed = first; seed <= last; seed++) {
        const result = simulate(drawScenario(seed));
        expect(result.violations, `repeat it with: npm run simulate -- --seed ${seed}`).toEqual([]);
        results.push(result);
      }
    },
  );

  it("meets every kind of it: the seeds are no walk in the park", () => {
    expect(results).toHaveLength(SEEDS);
    const kinds = ["group", "refused", "failed", "lost", "repeated", "late", "audited", "dropped", "audit match"];
    for (const kind of [...kinds, "audit mismatch", "audit skipped", "worker lost", "worker quarantine"]) {
      expect(sum(results, kind), kind).toBeGreaterThan(0);
    }
    expect(results.reduce((total, { faults }) => total + faults, 0)).toBeGreaterThan(10 * SEEDS);
    // Where a wrong number can slip through a skipped audit, bits are not promised; that must stay the exception.
    const watched = results.filter(({ seed }) => !drawScenario(seed).unwatched);
    expect(watched.filter(({ bitsPromised }) => !bitsPromised).length).toBeLessThan(SEEDS / 50);
    expect(watched.length).toBeLessThan(SEEDS);
  });
});

describe("a thousand workers", () => {
  it("keep every promise under misfortune, in groups and by themselves", () => {
    const { violations, counts, bitsPromised } = simulate(crowdScenario(1));
    expect(violations).toEqual([]);
    expect(bitsPromised).toBe(true);
    expect(counts.group).toBeGreaterThan(100);
  });
});

describe("the simulation", () => {
  it("gives the parameters of the plain loop when nothing goes wrong", () => {
    for (const seed of [1, 2, 3]) {
      const result = simulate(quietScenario(drawScenario(seed)));
      expect(result.violations).toEqual([]);
      expect(result.finalHash).toBe(simulate(drawScenario(seed)).finalHash);
    }
  });

  it("allows a step the time that results of a slow uplink wait for each other", () => {
    // An audit of the only worker's result waits for three leases, whose usual time has that in it.
    expect(simulate(drawScenario(61_154)).violations).toEqual([]);
  });

  it("repeats a seed line by line", () => {
    const digest = (seed: number) => simulate(drawScenario(seed), () => {}).digest;
    expect(digest(5)).toBe(digest(5));
    expect(digest(5)).not.toBe(digest(6));
  });

  it("notices wrong numbers that no audit looks at", () => {
    const scenario = quietScenario(drawScenario(1));
    const { configuration } = scenario;
    const unaudited: Scenario = {
      ...scenario,
      configuration: { ...configuration, cluster: { ...configuration.cluster, auditShare: 0 } },
      workers: scenario.workers.map((worker) => ({ ...worker, character: "flipping" })),
    };
    expect(simulate(unaudited).violations[0]).toMatch(/the parameters after step \d+ are not the quiet run's/);
  });

  it("notices a run that does not end", () => {
    const scenario = quietScenario(drawScenario(1));
    const foreigners = scenario.workers.map((worker) => ({ ...worker, character: "foreign" as const }));
    expect(simulate({ ...scenario, workers: foreigners }).violations).toEqual(["the run does not end"]);
  });
});
