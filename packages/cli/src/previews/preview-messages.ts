import type { PreviewProblem } from "@mzsr/coordinator";
import type { Image } from "@mzsr/shared";

/** To the preview thread. */
export interface PreviewRequest {
  readonly id: number;
  readonly problem: PreviewProblem;
}

/** From the preview thread. */
export type PreviewAnswer =
  | { readonly id: number; readonly before: Image; readonly adapted: Image }
  | { readonly id: number; readonly reason: string };
