/** What a thread that works off tasks answers; plain data. */
export type ThreadAnswer<Report> =
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "done"; readonly report: Report }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly where?: string | undefined;
      readonly expected?: string | undefined;
    };
