/** To a process of low priority. */
export interface Request<Problem> {
  readonly id: number;
  readonly problem: Problem;
}

/** From it. */
export type Answer<Result> =
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly reason: string };

/** Argument of a process that gives way to nobody. */
export const HURRY = "--hurry";
