import type { Compared } from "./data/compared.js";
import type { RunStore } from "./data/store.js";
import { areMany } from "./data/worker-table.js";
import { Announcer } from "./parts/announcer.js";
import { Banner } from "./parts/banner.js";
import { Comparison } from "./parts/comparison.js";
import { EventLog } from "./parts/event-log.js";
import { Header } from "./parts/header.js";
import { Learning } from "./parts/learning.js";
import { Pictures } from "./parts/pictures.js";
import { Summary } from "./parts/summary.js";
import { Validation } from "./parts/validation.js";
import { Workers } from "./parts/workers.js";
import type { Theme } from "./theme.js";

export interface AppProps {
  readonly store: RunStore;
  /** The runs that it is compared with. */
  readonly compared: readonly Compared[];
  readonly theme: Theme;
}

export function App({ store, compared, theme }: AppProps) {
  const status = store.status.value;
  // A run that is over keeps its steps and events, not who worked on it.
  const workersKnown = store.connection.value !== "still" || (status?.workers.length ?? 0) > 0;
  // A table needs the wide column.
  const many = areMany(status?.workers ?? []);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the run
      </a>
      <Header store={store} compared={compared} theme={theme} />
      <Banner store={store} />
      <main id="main" tabIndex={-1}>
        {status !== undefined && (
          <>
            <Summary store={store} status={status} />
            {compared.length > 0 && <Comparison store={store} compared={compared} />}
            <div class="columns">
              <div class="column">
                <Learning store={store} compared={compared} theme={theme} />
                <Validation store={store} theme={theme} />
                {many && <Workers store={store} />}
                <Pictures store={store} compared={compared} />
              </div>
              <div class="column">
                {workersKnown && !many && <Workers store={store} />}
                <EventLog store={store} />
              </div>
            </div>
          </>
        )}
      </main>
      <Announcer store={store} />
    </>
  );
}
