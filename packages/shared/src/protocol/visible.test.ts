import { expect, test } from "vitest";
import { printable } from "./checks.js";
import { isVisible, visible } from "./visible.js";

/** What a terminal obeys, what turns a line round, what has no width, what breaks a line, half a character. */
const UNSEEN = [
  "\u001b",
  "\n",
  "\u007f",
  "\u009b",
  "\u0085",
  "\u202e",
  "\u2066",
  "\u200b",
  "\u061c",
  "\u2028",
  "\ufeff",
  "\ud800",
];

test("characters that cannot be seen are refused in names, and the refusal shows their numbers", () => {
  for (const character of UNSEEN) {
    expect(isVisible(`a${character}b`), visible(character)).toBe(false);
    let said = "";
    try {
      printable(`a${character}b`, "hello.worker", 1, 256);
    } catch (thrown) {
      said = String(thrown);
    }
    expect(said).toContain("is not valid");
    expect(isVisible(said), said).toBe(true);
  }
});

test("letters of every script are kept", () => {
  for (const text of ["trainer-3", "Müller", "обучение", "学習", "تدريب", "🙂 é"]) {
    expect(printable(text, "hello.worker", 1, 256)).toBe(text);
    expect(visible(text)).toBe(text);
  }
});

test("in a reason they are shown by their numbers", () => {
  expect(visible("a\u009b31m\u202eb\r\n")).toBe("a\\u{9b}31m\\u{202e}b\\u{d}\\u{a}");
});
