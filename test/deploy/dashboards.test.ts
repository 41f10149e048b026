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

test("every panel says what it shows, and none lies over another", () => {
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
      if (panel.type !== "row") expect((panel as { description?: string }).description, panel.title).toBeTruthy();
    }
  }
});
