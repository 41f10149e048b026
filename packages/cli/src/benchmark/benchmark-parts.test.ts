import { expect, it } from "vitest";
import { modelName, nameAndPath, withDistinctNames } from "./datasets.js";
import type { Job } from "./job.js";
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
