import type { RunStore } from "../data/store.js";

/** Says that what stands here is old, or why nothing stands here. */
export function Banner({ store }: { store: RunStore }) {
  const problem = store.problem.value;
  const connection = store.connection.value;
  return (
    <div role="status" class="banner-place">
      {problem !== undefined && <p class="notice bad">{problem}</p>}
      {problem === undefined && connection === "over" && <Over folder={store.folder.value} />}
      {problem === undefined && connection === "lost" && (
        <p class="notice">The coordinator does not answer. Trying again; below is what was known last.</p>
      )}
    </div>
  );
}

function Over({ folder }: { folder: string | undefined }) {
  return (
    <p class="notice done">
      The run is finished, and its coordinator has ended; this is how it stood last. To open it again:{" "}
      <code>npx mzsr view {folder === undefined ? "RUN_FOLDER" : shellWord(folder)}</code>
    </p>
  );
}

/** A path as it can be pasted into a shell. */
function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
