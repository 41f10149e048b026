import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { checkResultSize } from "./enlargement.js";

test("a photo whose result would not fit into memory is refused from its size alone", () => {
  expect(() => checkResultSize({ height: 4000, width: 6000 }, 2, "a.jpg")).not.toThrow();
  expect(() => checkResultSize({ height: 4000, width: 6000 }, 3, "a.jpg")).toThrow(InputError);
  expect(() => checkResultSize({ height: 4000, width: 6000 }, 3, "a.jpg")).toThrow(
    "a.jpg: 6000×4000 pixels enlarged ×3 are 18000×12000, too many; expected at most 11.1 megapixels for ×3",
  );
});
