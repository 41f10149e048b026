/** The page of a picture of before and after, as a server has it. */
import { COMPARISON_SCRIPT, COMPARISON_STYLE, type ComparisonPage, comparisonHtml } from "./comparison-page.js";

export interface Content {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** Whatever the page needs comes from its server, and nothing from elsewhere. */
export const COMPARISON_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/** What there is, by its path from the page. */
export function comparisonFiles(page: ComparisonPage, picture: Content): ReadonlyMap<string, Content> {
  return new Map([
    ["", { type: "text/html; charset=utf-8", body: comparisonHtml(page) }],
    ["comparison.css", { type: "text/css; charset=utf-8", body: COMPARISON_STYLE }],
    ["comparison.js", { type: "text/javascript; charset=utf-8", body: COMPARISON_SCRIPT }],
    ["picture", picture],
  ]);
}
