/**
 * Text from outside in logs, terminals and pages: what cannot be seen, or changes how what stands beside it is read, is
 * shown as its number. Control characters (C0 and C1: a terminal obeys some of them), format characters (text that
 * runs the other way, of no width), separators of lines, and halves of surrogate pairs.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const EACH_UNSEEN = new RegExp(UNSEEN, "gu");

/** Whether every character of a text can be seen. */
export function isVisible(text: string): boolean {
  return !UNSEEN.test(text);
}

/** The text, with `\u{9b}` in the place of a character that cannot be seen. */
export function visible(text: string): string {
  return text.replace(EACH_UNSEEN, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
}
