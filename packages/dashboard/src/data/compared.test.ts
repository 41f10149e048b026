import { expect, it } from "vitest";
import { runsAsked } from "./compared.js";

it("takes each compared run of an address once, not the shown one, and seven at most", () => {
  expect(runsAsked("?run=a&compare=b&compare=a&compare=b&compare=c")).toEqual({ run: "a", compared: ["b", "c"] });
  expect(runsAsked("")).toEqual({ run: undefined, compared: [] });
  const many = Array.from({ length: 9 }, (_, at) => `compare=${at}`).join("&");
  expect(runsAsked(`?run=a&${many}`).compared).toHaveLength(7);
});
