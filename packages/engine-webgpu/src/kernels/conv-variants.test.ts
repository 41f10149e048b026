import { expect, it } from "vitest";
import type { ConvOptions } from "./conv-layer.js";
import { type ConvolutionName, convolutionsOn } from "./conv-variants.js";

const layer: ConvOptions = {
  shape: { patches: 1, height: 16, width: 16 },
  ...{ inputGroups: 16, outputGroups: 16, sources: 1, direction: "forward", bias: 0, readsImage: false },
  ...{ parameterStride: 64, end: { kind: "relu" } },
};
const takes = (options: ConvOptions, wanted?: ConvolutionName) =>
  convolutionsOn({ architecture: "a card that nobody measured" }, wanted)(options).name.split(" ")[0];

it("takes the definition where no card was measured, and what is wanted wherever it can compute the layer", () => {
  expect(takes(layer)).toBe("conv");
  expect(takes(layer, "direct")).toBe("conv");
  expect(takes(layer, "winograd")).toBe("winograd");
  expect(takes({ ...layer, readsImage: true }, "winograd")).toBe("conv");
  expect(takes({ ...layer, end: { kind: "residual" } }, "winograd")).toBe("conv");
});
