import { readFile } from "node:fs/promises";
import { readModel } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { packageOf, shippedModel } from "./shipped-model.js";

it("is found in its package, and is what its card says", async () => {
  const file = shippedModel(2);
  const { architecture, scale, parameters, innerRates, ema, metadata } = await readModel(file);
  const card = JSON.parse(await readFile(file.replace("model.safetensors", "card.json"), "utf8"));
  expect([architecture, scale, parameters.length]).toEqual([card.architecture, card.scale, card.parameters]);
  expect(metadata).toMatchObject({ theta_sha256: card.theta_sha256, weights: card.weights });
  // One set of weights, as small as can be, with the rates that it adapts with.
  expect([ema, innerRates?.length]).toEqual([undefined, card.inner_steps]);
  expect(card.start.init_sha256).toBeUndefined();
  // Nothing of the machine that trained it.
  expect(JSON.stringify([metadata, card])).not.toMatch(/"\/|\\\\/);
});

it("that is not installed, or not there for a scale, is told of with what to do", () => {
  const none = () => {
    throw new Error("Cannot find module");
  };
  expect(() => shippedModel(2, none as never)).toThrow(
    "--model: is missing, and @mzsr/model-x2 is not installed; expected model.safetensors, or the folder of a finished run; or npm install @mzsr/model-x2",
  );
  expect(() => shippedModel(3)).toThrow("--model: is missing, and no model for ×3 comes with the program");
  expect(packageOf(2)).toBe("@mzsr/model-x2");
});
