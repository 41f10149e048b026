/** Writes dashboards/*.json: `npm run dashboards`. */
import { writeFile } from "node:fs/promises";
import { dashboards, dashboardText } from "./dashboards.js";

const folder = new URL("../dashboards/", import.meta.url);
for (const [name, dashboard] of Object.entries(dashboards())) {
  await writeFile(new URL(`${name}.json`, folder), dashboardText(dashboard));
}
