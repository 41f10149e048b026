/** Signals closer together than this are one wish: npm and container engines pass on what the terminal sent already. */
const SAME_WISH_MS = 400;

/** Calls back for Ctrl-C and SIGTERM with how many came so far, until the returned function is called. */
export function onStopSignals(callback: (count: number) => void): () => void {
  let count = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  const handler = () => {
    const nowMs = performance.now();
    if (nowMs - lastMs >= SAME_WISH_MS) callback(++count);
    lastMs = nowMs;
  };
  process.on("SIGINT", handler);
  process.on("SIGTERM", handler);
  return () => {
    process.off("SIGINT", handler);
    process.off("SIGTERM", handler);
  };
}
