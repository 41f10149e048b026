/** The dashboards that people import from the repository are what their source makes. */
import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { dashboards, dashboardText } from "../../deploy/grafana/src/dashboards.js";

const FOLDER = new URL("../../deploy/grafana/dashboards/", import.meta.url);

test("the committed dashboards are current (npm run dashboards)", async () => {
  const made = dashboards();
  expect((await readdir(FOLDER)).sort()).toEqual(
    Object.keys(made)
      .map((name) => `${name}.json`)
      .sort(),
  );
  for (const [name, dashboard] of Object.entries(made)) {
    expect(await readFile(new URL(`${name}.json`, FOLDER), "utf8"), name).toBe(dashboardText(dashboard));
  }
});

test("no panel lies over another", () => {
  for (const { title, panels } of Object.values(dashboards())) {
    const taken = new Set<string>();
    for (const panel of panels ?? []) {
      const { x, y, w, h } = panel.gridPos!;
      expect(x + w, `${title}: ${panel.title}`).toBeLessThanOrEqual(24);
      for (let row = y; row < y + h; row++) {
        for (let column = x; column < x + w; column++) {
          expect(taken.has(`${row}/${column}`), `${title}: ${panel.title}`).toBe(false);
          taken.add(`${row}/${column}`);
        }
      }
    }
  }
});

interface Drawn {
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly options?: { readonly yAxis?: { readonly unit?: string } };
  readonly targets?: readonly { readonly expr: string; readonly datasource: unknown }[];
}

/** The panels that draw something, by their dashboards. */
function drawn(): [where: string, panel: Drawn][] {
  return Object.values(dashboards()).flatMap(({ title, panels = [] }) =>
    (panels as unknown as Drawn[])
      .filter(({ type }) => type !== "row")
      .map((panel): [string, Drawn] => [`${title}: ${panel.title}`, panel]),
  );
}

test("every panel says what it shows, in which unit, and what it looks like when all is well", () => {
  for (const [where, { description, fieldConfig, options }] of drawn()) {
    expect(description, where).toMatch(/^\S[\s\S]*\.\n\n\*\*Normal:\*\* \S[\s\S]*\.$/);
    expect(fieldConfig?.defaults.unit ?? options?.yAxis?.unit, where).toBeTruthy();
  }
});

// What Grafana's dashboard-linter asks for, as far as it applies to dashboards of several runs.
test("every query has the run that is chosen, a rate over the interval that Grafana chooses, and no panel repeats a title", () => {
  for (const [where, { targets = [] }] of drawn()) {
    expect(targets.length, where).toBeGreaterThan(0);
    for (const { expr } of targets) {
      const selectors = expr.match(/(?<![\w:])(?:\w+:)?(?:mzsr|process)_\w+(?::\w+)?(?:\{[^}]*\})?/g)!;
      for (const selector of selectors) expect(selector, `${where}: ${expr}`).toContain('run="$run"');
      for (const [, range] of expr.matchAll(/\b(?:rate|increase|irate)\([^[]*\[([^\]]+)\]/g))
        expect(["$__rate_interval", "5m"], `${where}: ${expr}`).toContain(range);
      // A counter alone says nothing.
      expect(expr.replace(/\b(?:rate|increase)\([^)]*\)/g, ""), where).not.toMatch(/_total\b/);
    }
  }
  const titles = Object.values(dashboards()).map(({ title, panels = [] }) => {
    const rows = panels.findIndex(({ type }) => type === "row");
    return [title, panels.slice(rows).map((panel) => panel.title)] as const;
  });
  for (const [where, named] of titles) expect(new Set(named).size, where).toBe(named.length);
});
