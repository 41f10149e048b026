import type { RunStore } from "../data/store.js";

/** Says that what stands here is old, or why nothing stands here. */
export function Banner({ store }: { store: RunStore }) {
  const problem = store.problem.value;
  const lost = store.connection.value === "lost";
  return (
    <div role="status" class="banner-place">
      {problem !== undefined && <p class="notice bad">{problem}</p>}
      {problem === undefined && lost && (
        <p class="notice">The coordinator does not answer. Trying again; below is what was known last.</p>
      )}
    </div>
  );
}
