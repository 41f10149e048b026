import type { Preview, PreviewProblem } from "@mzsr/coordinator";

/** To the preview process. */
export interface PreviewRequest {
  readonly id: number;
  readonly problem: PreviewProblem;
}

/** From the preview process. */
export type PreviewAnswer =
  | { readonly id: number; readonly preview: Preview }
  | { readonly id: number; readonly reason: string };

/** Argument of a preview process that gives way to nobody. */
export const HURRY = "--hurry";
