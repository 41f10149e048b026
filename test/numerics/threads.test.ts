/** Several threads compute what one does, to the bit. The threads here are turns of this one: what goes between them is cloned, as between threads. */
import {
  type AnswerTo,
  type AskThread,
  adapt,
  createImage,
  Draws,
  enlargeWith,
  gaussianKernel,
  initialParameters,
  NetworkThread,
  NetworkThreads,
} from "@mzsr/mzsr";
import { simdMemory } from "@mzsr/tfjs-backend-simd";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";

const architecture = { depth: 3, width: 8 };
const draws = new Draws(4, [0, 0, 0]);
const model = {
  ...{ architecture, scale: 2, innerRates: undefined, metadata: {} },
  parameters: initialParameters(architecture, draws),
};
const photo = createImage(
  60,
  84,
  3,
  Float32Array.from({ length: 60 * 84 * 3 }, () => draws.uniform(0, 1)),
);
const kernel = gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0.3 });

/** Each answers one request at a time, in an order that is not that of the questions. */
function threads(count: number) {
  const computers = Array.from({ length: count }, () => new NetworkThread());
  const asks = computers.map(
    (computer, n): AskThread =>
      async (request) => {
        for (let turn = 0; turn < (7 * n) % 5; turn++) await Promise.resolve();
        return structuredClone(await computer.answer(structuredClone(request))) as AnswerTo<typeof request>;
      },
  );
  const forget = () =>
    Promise.all(computers.map((computer) => computer.answer({ kind: "pairs", architecture, pairs: [], part: 1 })));
  return { threads: new NetworkThreads(asks), forget };
}

beforeAll(async () => {
  await tf.setBackend("simd");
});

describe.each([1, 2, 3, 5])("%i threads", (count) => {
  it("adapt to the same parameters and losses as none", async () => {
    const options = {
      degradation: { kernel, downsampling: "direct" },
      updates: 3,
      maxPixels: 4 * 20 * 20,
      lossAfter: true,
    } as const;
    const { threads: shared, forget } = threads(count);
    const before = simdMemory().usedBytes;
    const alone = await adapt(model, photo, options);
    const together = await adapt(model, photo, { ...options, computer: shared });
    expect(together).toEqual(alone);
    await forget();
    expect(simdMemory().usedBytes).toBe(before);
  });

  it("enlarge to the same pixels as none", async () => {
    const { threads: shared, forget } = threads(count);
    const alone = await enlargeWith(model, photo, { tileSide: 32 });
    const together = await enlargeWith(model, photo, { tileSide: 32, computer: shared });
    expect(together).toEqual(alone);
    await forget();
  });
});

it("a thread that fails fails the photo, and no rejection is left over", async () => {
  const failing: AskThread = (request) =>
    request.kind === "tile" ? Promise.reject(new Error("out of memory")) : Promise.resolve(undefined as never);
  const shared = new NetworkThreads([failing, failing]);
  await expect(enlargeWith(model, photo, { tileSide: 32, computer: shared })).rejects.toThrow("out of memory");
});
