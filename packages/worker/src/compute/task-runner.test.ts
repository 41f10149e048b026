import { configurationSchema, type Task } from "@mzsr/shared";
import { expect, test } from "vitest";
import { computeSettings } from "./task-runner.js";

test("the first meta-steps are of first order where that is asked for, and the others of the order that is", () => {
  const orders = (metaTraining: object) => {
    const configuration = configurationSchema.parse({ pretraining: { steps: 2 }, metaTraining });
    return [2, 3, 4, 5].map((step) => computeSettings(configuration, { step } as Task).order);
  };
  expect(orders({})).toEqual([2, 2, 2, 2]);
  expect(orders({ firstOrderSteps: 2 })).toEqual([1, 1, 2, 2]);
  expect(orders({ firstOrderSteps: 2, order: "first" })).toEqual([1, 1, 1, 1]);
});
