import { expect, it } from "vitest";
import { adapterName, parseAdapterNames } from "./adapters.js";

it("reads the names out of what Dawn answers when it is asked for an adapter that is not there", () => {
  const message = `no suitable backends found
Available adapters:
 * backend: 'vulkan', name: 'NVIDIA H100 80GB HBM3'
 * backend: 'vulkan', name: 'SwiftShader Device (Subzero)'`;
  expect(parseAdapterNames(message)).toEqual(["NVIDIA H100 80GB HBM3", "SwiftShader Device (Subzero)"]);
  expect(parseAdapterNames("something else")).toEqual([]);
});

it("calls an adapter as Dawn lists it, and where none of those fits, by what WebGPU tells", () => {
  // What Dawn 0.6 told of an H200, and of SwiftShader.
  const h200 = {
    vendor: "nvidia",
    architecture: "",
    device: "nvidia-h200",
    description: "NVIDIA: 580.159.04 580.159.4.0",
  };
  const software = { ...h200, device: "swiftshader-device-subzero-", description: "SwiftShader driver 5.0.0" };
  const names = ["NVIDIA H100 80GB HBM3", "NVIDIA H200", "SwiftShader Device (Subzero)"];
  expect([h200, software].map((info) => adapterName(info, names))).toEqual(names.slice(1));
  expect(adapterName(h200, [])).toBe("nvidia-h200");
  expect(adapterName({ ...h200, device: "" }, [])).toBe(h200.description);
  expect(adapterName({ ...h200, device: "", description: "" }, [])).toBe("nvidia");
});
