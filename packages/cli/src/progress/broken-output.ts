/** What an output stream tells of failing. */
export interface FailingStream {
  on(event: "error", listener: (error: Error) => void): unknown;
}

/**
 * Whoever read the output may go before the command is done (`mzsr up | head -1`, a closed terminal), and the disk under
 * it may be full. Without a listener that would end the process. The command goes on to its end instead, and its exit code
 * tells how that was.
 */
export function outliveReaders(...streams: readonly FailingStream[]): void {
  for (const stream of streams) stream.on("error", () => undefined);
}
