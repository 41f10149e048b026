import type { RunListing } from "@mzsr/shared";
import type { Connection, RunStore } from "../data/store.js";
import type { Theme } from "../theme.js";

const CONNECTION_WORDS: Record<Connection, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Reconnecting",
  over: "Ended",
  still: "From its folder",
};

export function Header({ store, compared, theme }: { store: RunStore; compared: RunStore | undefined; theme: Theme }) {
  const run = store.status.value?.run;
  const connection = store.connection.value;
  document.title = run === undefined ? "mzsr" : `${run} · mzsr`;
  return (
    <header class="top">
      <span class="brand">mzsr</span>
      <h1>{run ?? ""}</h1>
      <span class={`connection ${connection}`}>{CONNECTION_WORDS[connection]}</span>
      <nav aria-label="Runs">
        <RunChoice runs={store.runs.value} run={run} compared={compared?.status.value?.run} />
      </nav>
      <button type="button" class="quiet" onClick={() => theme.turn()} aria-label={`Theme: ${theme.choice.value}`}>
        <ThemeIcon />
        <span class="wide-only">{theme.choice.value}</span>
      </button>
    </header>
  );
}

function RunChoice({
  runs,
  run,
  compared,
}: {
  runs: readonly RunListing[];
  run: string | undefined;
  compared: string | undefined;
}) {
  if (runs.length < 2 || run === undefined) return null;
  return (
    <>
      <label>
        <span class="wide-only">Run</span>
        <select value={run} aria-label="Run" onChange={(event) => open(event.currentTarget.value, undefined)}>
          {runs.map((each) => (
            <option key={each.run} value={each.run}>
              {each.live ? `${each.run} (live)` : each.run}
            </option>
          ))}
        </select>
      </label>
      <label>
        <select
          value={compared ?? ""}
          aria-label="Compare with"
          onChange={(event) => open(run, event.currentTarget.value || undefined)}
        >
          <option value="">Compare with …</option>
          {runs
            .filter((each) => each.run !== run)
            .map((each) => (
              <option key={each.run} value={each.run}>
                {each.run}
              </option>
            ))}
        </select>
      </label>
    </>
  );
}

/** A choice of runs is an address, so that it can be kept and passed on. */
function open(run: string, compared: string | undefined): void {
  const query = new URLSearchParams({ run });
  if (compared !== undefined) query.set("compare", compared);
  location.search = query.toString();
}

function ThemeIcon() {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill="currentColor" />
    </svg>
  );
}
