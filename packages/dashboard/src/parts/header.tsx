import type { Compared } from "../data/compared.js";
import type { Connection, RunStore } from "../data/store.js";
import type { Theme } from "../theme.js";
import { RunChoice } from "./run-choice.js";

const CONNECTION_WORDS: Record<Connection, string> = {
  connecting: "Connecting",
  live: "Live",
  lost: "Reconnecting",
  over: "Ended",
  still: "From its folder",
};

export interface HeaderProps {
  readonly store: RunStore;
  readonly compared: readonly Compared[];
  readonly theme: Theme;
}

export function Header({ store, compared, theme }: HeaderProps) {
  const run = store.status.value?.run;
  const connection = store.connection.value;
  document.title = run === undefined ? "mzsr" : `${run} · mzsr`;
  return (
    <header class="top">
      <span class="brand">mzsr</span>
      <h1>{run ?? ""}</h1>
      <span class={`connection ${connection}`}>{CONNECTION_WORDS[connection]}</span>
      <nav aria-label="Runs">
        <RunChoice runs={store.runs.value} run={run} compared={compared.map(({ store }) => store.name!)} />
      </nav>
      <button type="button" class="quiet" onClick={() => theme.turn()} aria-label={`Theme: ${theme.choice.value}`}>
        <ThemeIcon />
        <span class="wide-only">{theme.choice.value}</span>
      </button>
    </header>
  );
}

function ThemeIcon() {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" />
      <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill="currentColor" />
    </svg>
  );
}
