import { Draws } from "@mzsr/mzsr";
import fc from "fast-check";
import { expect, it } from "vitest";
import { groupsOf, type PatchShape, pixelsOf } from "../plan/shapes.js";
import {
  convolve,
  convolveBack,
  type Filter,
  filterGradient,
  layerStride,
  packLayer,
  packVolumes,
  unpackLayer,
  unpackVolumes,
  type Volume,
  worstError,
} from "../testing/reference.js";
import { runKernel } from "../testing/run-kernel.js";
import { describeOnGpu } from "../testing/test-device.js";
import { convKernel } from "./conv.js";
import type { ConvOptions } from "./conv-layer.js";
import { filterGradientKernel } from "./filter-gradient.js";
import type { GridKernel } from "./kernel.js";
import { packKernel } from "./parameters.js";
import { winogradKernel } from "./winograd.js";

/** float32 sums of at most a few thousand products of about 1. */
const TOLERANCE = 2e-6;

interface Sizes {
  readonly shape: PatchShape;
  readonly inputs: number;
  readonly outputs: number;
  readonly tasks: number;
  readonly sources: 1 | 2;
}

const side = fc.integer({ min: 1, max: 21 });
const channels = fc.integer({ min: 1, max: 10 });
const sizes: fc.Arbitrary<Sizes> = fc.record({
  shape: fc.record({ patches: fc.integer({ min: 1, max: 2 }), height: side, width: side }),
  inputs: channels,
  outputs: channels,
  tasks: fc.integer({ min: 1, max: 2 }),
  sources: fc.constantFrom(1 as const, 2 as const),
});
/** More channels than a workgroup takes, in blocks that are not all full. */
const WIDE: Sizes = { shape: { patches: 1, height: 5, width: 9 }, inputs: 66, outputs: 67, tasks: 1, sources: 1 };

const draws = new Draws(7, [0, 0, 0]);
const numbers = (count: number) => Float64Array.from({ length: count }, () => Math.fround(draws.uniform(-1, 1)));
const volume = (shape: PatchShape, count: number): Volume => ({
  shape,
  channels: count,
  data: numbers(pixelsOf(shape) * count),
});
const filter = (inputs: number, outputs: number): Filter => ({ inputs, outputs, data: numbers(9 * inputs * outputs) });
const each = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);
const concat = (parts: readonly Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));

describeOnGpu("kernels", (device) => {
  it.each<[string, (options: ConvOptions) => GridKernel]>([
    ["as it is defined", convKernel],
    ["by Winograd's algorithm", winogradKernel],
  ])("convolve %s, cut at 0 or go back masked, as float64 does, in one or two sources", async (_, kernelOf) => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.constantFrom("forward" as const, "back" as const), async (size, direction) => {
        const { shape, inputs, outputs, tasks, sources } = size;
        const stride = layerStride(inputs, outputs);
        const [from, to] = direction === "forward" ? [inputs, outputs] : [outputs, inputs];
        const filters = each(sources, () => each(tasks, () => filter(inputs, outputs)));
        const xs = each(sources, () => each(tasks, () => volume(shape, from)));
        const biases = each(tasks, () => numbers(outputs));
        const masks = each(tasks, () => volume(shape, to));
        const bound: Record<string, Float32Array | number> = {
          output: packVolumes(masks).length,
          mask: packVolumes(masks),
        };
        for (let s = 0; s < sources; s++) {
          bound[`source${s}`] = packVolumes(xs[s]!);
          bound[`weights${s}`] = concat(filters[s]!.map((each, k) => packLayer(each, biases[k]!, stride)));
        }
        const options = { shape, sources, direction, readsImage: false, parameterStride: stride };
        const groups = { inputGroups: groupsOf(from), outputGroups: groupsOf(to) };
        const end =
          direction === "forward"
            ? ({ bias: 0, end: { kind: "relu" } } as const)
            : ({ end: { kind: "mask" } } as const);
        const { output } = await runKernel(device, kernelOf({ ...options, ...groups, ...end }), bound, tasks);
        unpackVolumes(output!, tasks, shape, to).forEach((actual, task) => {
          const sums = xs.map((x, s) =>
            (direction === "forward" ? convolve : convolveBack)(x[task]!, filters[s]![task]!),
          );
          const expected = sums[0]!.data.map((_, i) => {
            const sum = sums.reduce((total, { data }) => total + data[i]!, 0);
            if (direction === "forward") return Math.max(0, sum + biases[task]![i % to]!);
            return masks[task]!.data[i]! > 0 ? sum : 0;
          });
          expect(worstError(actual, expected)).toBeLessThan(TOLERANCE);
        });
      }),
      {
        numRuns: 6,
        examples: [
          [WIDE, "forward"],
          [WIDE, "back"],
        ],
        seed: 1,
      },
    );
  });

  it("give the loss, and its gradient with respect to the output, as float64 does", async () => {
    const shape = { patches: 2, height: 17, width: 19 };
    const [inputs, tasks, stride] = [7, 2, layerStride(7, 3)];
    const xs = each(tasks, () => volume(shape, inputs));
    const filters = each(tasks, () => filter(inputs, 3));
    const biases = each(tasks, () => numbers(3));
    const images = each(tasks, () => volume(shape, 3));
    // Where the output is the goal to the bit, the sign is 0: a patch of zeros with zero weights has it everywhere.
    filters[1] = { ...filters[1]!, data: new Float64Array(filters[1]!.data.length) };
    biases[1]!.fill(0);
    const goals = [
      volume(shape, 3),
      { ...images[1]!, data: images[1]!.data.map((v, i) => (i % 2 === 0 ? v : v + 0.5)) },
    ];
    const rows = Float32Array.from({ length: tasks * 64 }, (_, i) => (i % 64 === 5 ? 0.25 : 0));
    const kernel = convKernel({
      ...{ shape, inputGroups: 2, outputGroups: 1, sources: 1, direction: "forward", bias: 0, readsImage: false },
      ...{ parameterStride: stride },
      end: { kind: "loss", rowFloats: 64, scaleAt: 5, partialStride: 64 },
    });
    const result = await runKernel(
      device,
      kernel,
      {
        source0: packVolumes(xs),
        weights0: concat(filters.map((each, k) => packLayer(each, biases[k]!, stride))),
        batch: Uint32Array.of(tasks, 0, 0, 0),
        image: packVolumes(images),
        goal: packVolumes(goals),
        rows,
        partials: tasks * 64,
        output: packVolumes(images).length,
      },
      tasks,
    );
    unpackVolumes(result.output!, tasks, shape, 3).forEach((actual, task) => {
      const residual = convolve(xs[task]!, filters[task]!).data;
      const differences = residual.map(
        (value, i) => images[task]!.data[i]! + value + biases[task]![i % 3]! - goals[task]!.data[i]!,
      );
      expect(
        worstError(
          actual,
          differences.map((d) => 0.25 * Math.sign(d)),
        ),
      ).toBe(0);
      const loss = result.partials!.subarray(task * 64, (task + 1) * 64).reduce((sum, part) => sum + part, 0);
      expect(loss / differences.reduce((sum, d) => sum + Math.abs(d), 0)).toBeCloseTo(1, 5);
    });
  });

  it("give gradients of kernels and biases as float64 does, of one or two pairs, in any number of splits", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 1, max: 5 }), async (size, splits) => {
        const { shape, inputs, outputs, tasks, sources } = size;
        const stride = layerStride(inputs, outputs);
        const xs = each(sources, () => each(tasks, () => volume(shape, inputs)));
        const dys = each(sources, () => each(tasks, () => volume(shape, outputs)));
        const bound: Record<string, Float32Array | number> = { partials: tasks * splits * stride };
        for (let s = 0; s < sources; s++) {
          bound[`x${s}`] = packVolumes(xs[s]!);
          bound[`dy${s}`] = packVolumes(dys[s]!);
        }
        const bias = (sources - 1) as 0 | 1;
        const options = { shape, sources, splits, bias, readsImage: false, parameterStride: stride };
        const groups = { inputGroups: groupsOf(inputs), outputGroups: groupsOf(outputs) };
        const { partials } = await runKernel(device, filterGradientKernel({ ...options, ...groups }), bound, tasks);
        for (let task = 0; task < tasks; task++) {
          const sum = new Float32Array(stride);
          for (let split = 0; split < splits; split++) {
            const start = (task * splits + split) * stride;
            for (let i = 0; i < stride; i++) sum[i]! += partials![start + i]!;
          }
          const actual = unpackLayer(sum, inputs, outputs);
          const products = xs.map((x, s) => filterGradient(x[task]!, dys[s]![task]!).data);
          const expected = products[0]!.map((value, i) => value + (products[1]?.[i] ?? 0));
          expect(worstError(actual.kernel, expected)).toBeLessThan(TOLERANCE);
          const expectedBias = new Float64Array(outputs);
          dys[bias]![task]!.data.forEach((value, i) => {
            expectedBias[i % outputs]! += value;
          });
          expect(worstError(actual.bias, expectedBias)).toBeLessThan(TOLERANCE);
        }
      }),
      { numRuns: 6, examples: [[WIDE, 2]], seed: 1 },
    );
  });

  it("reach every parameter, also where they are more than a row of workgroups takes", async () => {
    const count = 2 ** 21 + 100;
    const padded = Float32Array.from({ length: 2 * count }, (_, i) => i);
    const paddedOf = Uint32Array.from({ length: count }, (_, i) => count - 1 - i);
    const kernel = packKernel({ stride: count, rowFloats: 64 }, count);
    const { output } = await runKernel(device, kernel, { padded, paddedOf, output: 2 * count }, 2);
    expect(output!.every((value, i) => value === (i < count ? count - 1 - i : 3 * count - 1 - i))).toBe(true);
  });
});
