/** Calls back for Ctrl-C and SIGTERM with how many came so far, until the returned function is called. */
export function onStopSignals(callback: (count: number) => void): () => void {
  let count = 0;
  const handler = () => callback(++count);
  process.on("SIGINT", handler);
  process.on("SIGTERM", handler);
  return () => {
    process.off("SIGINT", handler);
    process.off("SIGTERM", handler);
  };
}
