/** What the server of `mzsr studio` tells its page of a photo, a line of JSON each. Imported by both sides, so it has no code. */
export type StudioEvent =
  /** What is being done; `share` of it, from 0 to 1, where that is known. */
  | { readonly type: "progress"; readonly text: string; readonly share?: number }
  | { readonly type: "note"; readonly text: string }
  /** The blur that the photo is adapted to, row by row, and in words where it was estimated. */
  | { readonly type: "kernel"; readonly words: string; readonly size: number; readonly values: readonly number[] }
  | {
      readonly type: "done";
      /** Of the result and of its comparison, in addresses. */
      readonly id: string;
      readonly file: string;
      readonly width: number;
      readonly height: number;
      readonly seconds: number;
    }
  | { readonly type: "failed"; readonly reason: string };
