import type { RunListing } from "@mzsr/shared";
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { MOST_COMPARED } from "../data/compared.js";

export interface RunChoiceProps {
  readonly runs: readonly RunListing[];
  readonly run: string | undefined;
  readonly compared: readonly string[];
}

/** Which run is shown, and which are compared with it. A choice is an address, so that it can be kept and passed on. */
export function RunChoice({ runs, run, compared }: RunChoiceProps) {
  if (runs.length < 2 || run === undefined) return null;
  return (
    <>
      <label>
        <span class="wide-only">Run</span>
        <select value={run} aria-label="Run" onChange={(event) => show(event.currentTarget.value, compared)}>
          {runs.map((each) => (
            <option key={each.run} value={each.run}>
              {nameOf(each)}
            </option>
          ))}
        </select>
      </label>
      <ComparedChoice runs={runs.filter((each) => each.run !== run)} run={run} compared={compared} />
    </>
  );
}

function ComparedChoice({ runs, run, compared }: RunChoiceProps & { run: string }) {
  const ticked = useSignal<ReadonlySet<string>>(new Set(compared));
  const list = useRef<HTMLDetailsElement>(null);
  const full = ticked.value.size >= MOST_COMPARED;
  const tick = (name: string, on: boolean) => {
    const rest = [...ticked.value].filter((each) => each !== name);
    ticked.value = new Set(on ? [...rest, name] : rest);
  };
  const close = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !list.current?.open) return;
    list.current.open = false;
    list.current.querySelector("summary")?.focus();
  };
  return (
    <details class="compared-choice" ref={list} onKeyDown={close}>
      <summary>Compare{compared.length > 0 && ` (${compared.length})`}</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          show(run, [...ticked.value]);
        }}
      >
        <fieldset>
          <legend>Compare with, {MOST_COMPARED} at most</legend>
          {runs.map((each) => {
            const on = ticked.value.has(each.run);
            return (
              <label key={each.run} class="check">
                <input
                  type="checkbox"
                  checked={on}
                  disabled={full && !on}
                  onChange={(event) => tick(each.run, event.currentTarget.checked)}
                />
                {nameOf(each)}
              </label>
            );
          })}
        </fieldset>
        <button type="submit" class="main">
          Show
        </button>
      </form>
    </details>
  );
}

function nameOf({ run, live }: RunListing): string {
  return live ? `${run} (live)` : run;
}

function show(run: string, compared: readonly string[]): void {
  const query = new URLSearchParams({ run });
  for (const name of compared) query.append("compare", name);
  location.search = query.toString();
}
