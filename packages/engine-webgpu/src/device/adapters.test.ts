import { expect, it } from "vitest";
import { parseAdapterNames } from "./adapters.js";

it("reads the names out of what Dawn answers when it is asked for an adapter that is not there", () => {
  const message = `no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'NVIDIA H100 80GB HBM3'
 * backend: 'vulkan', name: 'SwiftShader Device (Subzero)'`;
  expect(parseAdapterNames(message)).toEqual(["NVIDIA H100 80GB HBM3", "SwiftShader Device (Subzero)"]);
  expect(parseAdapterNames("something else")).toEqual([]);
});
