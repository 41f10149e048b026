import { expect, it } from "vitest";
import { qualityCurve } from "./curve.js";
import { modelName, nameAndPath, withDistinctNames } from "./datasets.js";
import type { Job, JobResult, Measured } from "./job.js";
import { methodName, methodTitle, parseMethods } from "./methods.js";
import { publishedRow } from "./published-figures.js";
import { secondsLeft } from "./time-left.js";

it("methods are told by name, each once, in the order of the user", () => {
  const names = parseMethods(["mzsr:10,bicubic", "before", "mzsr", "zssr", "mzsr:1"]).map(methodName);
  expect(names).toEqual(["mzsr:10", "bicubic", "before", "zssr", "mzsr:1"]);
  expect(names.map(methodTitle)).toEqual(["MZSR (10)", "bicubic", "before", "ZSSR", "MZSR (1)"]);
  for (const wrong of ["mzsr:", "mzsr:-1", "mzsr:20000", ""])
    expect(() => parseMethods([wrong])).toThrow(/unknown method/);
});

it("published figures are found whatever the folder of a known data set is called, and for no other", () => {
  expect(publishedRow("Set5", "g2.0", 2)?.psnrY["mzsr:10"]).toBe(36.05);
  expect(publishedRow("set-5", "g1.3", 2)?.psnrY.bicubic).toBe(30.54);
  expect([publishedRow("set5", "g2.0", 3), publishedRow("mine", "g2.0", 2)]).toEqual([undefined, undefined]);
});

it("models are named after their runs or files, or by the user, and told apart", () => {
  const named = ["/runs/a/model.safetensors", "/runs/a", "start.safetensors", "my=x/y.safetensors"].map((typed) =>
    nameAndPath(typed, modelName),
  );
  expect(named.map(({ name }) => name)).toEqual(["a", "a", "start", "my"]);
  expect(named[3]!.path).toBe("x/y.safetensors");
  expect(withDistinctNames(named).map(({ name }) => name)).toEqual(["a", "a (2)", "start", "my"]);
});

it("the time left counts each kind of measurement by its own mean, once that is known", () => {
  const job = (key: string, kind: "bicubic" | "zssr") => ({ key, subject: { kind } }) as Job;
  const open = [job("a", "bicubic"), job("b", "bicubic"), job("c", "zssr"), job("d", "zssr")];
  expect(secondsLeft(open, [{ job: open[0]!, seconds: 1 }], 1)).toBeUndefined();
  const done = [
    { job: open[0]!, seconds: 1 },
    { job: open[2]!, seconds: 100 },
  ];
  expect(secondsLeft(open, done, 2)).toBe(50.5);
  expect(
    secondsLeft(
      open,
      open.map((one) => ({ job: one, seconds: 1 })),
      2,
    ),
  ).toBe(0);
});

it("quality over time is a line for each model and ZSSR, and a level for interpolation on the same photo", () => {
  const result = (image: string, model: string | null, method: string, curve?: [number, number][]): JobResult => {
    const measured: Measured = { method, psnr_y: 30, ssim_y: 0.9, updates: 0, seconds: 1, ...(curve && { curve }) };
    const shared = { key: image + method, dataset: "set5", scale: 2, kernel: "g2.0", downsampling: "direct" } as const;
    return { ...shared, image, model, methods: [measured] };
  };
  const zssr = result("a.png", null, "zssr", [
    [1, 28],
    [60, 34],
  ]);
  const mzsr = result("a.png", "mine", "mzsr:10", [
    [0.5, 20],
    [1.5, 35],
  ]);
  const curve = qualityCurve([result("a.png", null, "bicubic"), result("b.png", null, "bicubic"), zssr, mzsr])!;
  const names = [...curve.figure.matchAll(/class="key line-\d">([^<]+)</g)].map((match) => match[1]);
  expect(names).toEqual(["bicubic", "ZSSR", "MZSR, mine"]);
  const [level] = [...curve.picture.matchAll(/points="([^"]+)"/g)].map((match) => match[1]!.split(/[ ,]/).map(Number));
  expect(level![1]).toBe(level![3]);
  expect(level![2]! - level![0]!).toBeGreaterThan(500);
  expect(qualityCurve([result("a.png", null, "bicubic")])).toBeUndefined();
});
