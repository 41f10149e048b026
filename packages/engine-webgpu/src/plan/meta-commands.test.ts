import { describe, expect, it } from "vitest";
import { convolutionsOn } from "../kernels/conv-variants.js";
import { metaCommands } from "./meta-commands.js";
import { metaKernels } from "./meta-kernels.js";
import { type MemoryUse, metaPlan, regionsOf, type TaskShape } from "./meta-plan.js";

const shapes: [string, TaskShape, MemoryUse][] = [];
for (const order of [1, 2] as const) {
  for (const [depth, innerSteps, learnedRates] of [
    [2, 1, false],
    [5, 3, true],
    [4, 5, false],
  ] as const) {
    const support = { patches: 1, height: 5, width: 7 };
    const query = { patches: 3, height: 9, width: 4 };
    const shape = { architecture: { depth, width: 5 }, support, query, innerSteps, order, learnedRates };
    const name = `order ${order}, depth ${depth}, ${innerSteps} inner steps`;
    shapes.push([`${name}, least memory`, shape, { tasks: 3, keptSteps: 1, queriesAtOnce: 1 }]);
    const most = { tasks: 3, keptSteps: order === 2 ? innerSteps : 1, queriesAtOnce: innerSteps + 1 };
    shapes.push([`${name}, most memory`, { ...shape, reportInitialQueryLoss: order === 1 }, most]);
  }
}

describe.each(shapes)("the dispatches of %s", (_, shape, use) => {
  const plan = metaPlan(shape);
  const kernels = metaKernels(plan, convolutionsOn({ architecture: "" }));
  const regions = regionsOf(plan, use);

  it.each([1, 2, 3])("bind parts of buffers that are there, at multiples of 256 bytes, for %i tasks", (batch) => {
    for (const { kernel, bindings, tasks } of metaCommands(plan, use, batch)) {
      expect(kernels.has(kernel), kernel).toBe(true);
      expect(Object.keys(bindings).sort()).toEqual([...kernels.get(kernel)!.bindings].sort());
      for (const { region, offset, size } of Object.values(bindings)) {
        expect(offset % 256).toBe(0);
        expect(size).toBeGreaterThan(0);
        expect(offset + size, `${kernel}: ${region}`).toBeLessThanOrEqual(regions.get(region) ?? 0);
      }
      expect(tasks % batch).toBe(0);
    }
  });

  it("are as many whatever the number of tasks", () => {
    const counts = [1, 2, 3].map((batch) => metaCommands(plan, use, batch).length);
    expect(new Set(counts).size).toBe(1);
  });

  it("use every buffer that is allocated", () => {
    const used = new Set(
      metaCommands(plan, use, 3).flatMap(({ bindings }) => Object.values(bindings).map((s) => s.region)),
    );
    expect([...regions.keys()].filter((region) => !used.has(region))).toEqual([]);
  });
});

it("keeps within the workgroups that WebGPU allows, for large networks and patches too", () => {
  const side = { patches: 32, height: 512, width: 512 };
  const architecture = { depth: 10, width: 256 };
  const plan = metaPlan({ architecture, support: side, query: side, innerSteps: 20, order: 2, learnedRates: true });
  for (const way of ["direct", "winograd"] as const) {
    for (const { name, grid } of metaKernels(plan, convolutionsOn({ architecture: "" }, way)).values()) {
      expect(Math.max(...grid), name).toBeLessThanOrEqual(65_535);
    }
  }
});

it("needs T (6 D − 1) + 3 D + 7 dispatches where memory is plenty", () => {
  const side = { patches: 4, height: 48, width: 48 };
  const count = (depth: number, innerSteps: number) => {
    const shape = { architecture: { depth, width: 32 }, support: side, query: side, innerSteps, order: 2 } as const;
    const plan = metaPlan({ ...shape, learnedRates: false });
    return metaCommands(plan, { tasks: 8, keptSteps: innerSteps, queriesAtOnce: innerSteps + 1 }, 8).length;
  };
  expect(count(5, 3)).toBe(3 * 29 + 22);
  expect(count(8, 5)).toBe(5 * 47 + 31);
});
