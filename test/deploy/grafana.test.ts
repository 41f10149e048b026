/** What Grafana is given, as far as it can be checked without one: that its parts refer to what is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { deep } from "@mzsr/testing/deep";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { dashboards } from "../../deploy/grafana/src/dashboards.js";

const DEPLOY = fileURLToPath(new URL("../../deploy/", import.meta.url));
/** Where Grafana's image looks for what is provisioned. */
const PROVISIONING = "/etc/grafana/provisioning";
/** Characters and length that Grafana allows in an identifier. */
const UID = /^[\w-]{1,40}$/;

interface Provider {
  readonly name: string;
  readonly type: string;
  readonly options: { readonly path: string };
}

interface DataSource {
  readonly name: string;
  readonly uid: string;
  readonly type: string;
  readonly access: string;
  readonly url: string;
  readonly isDefault: boolean;
  readonly jsonData: { readonly timeInterval: string };
}

interface GrafanaService {
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly depends_on: readonly string[];
}

const readYaml = (path: string): unknown => parse(readFileSync(`${DEPLOY}${path}`, "utf8"), { merge: true });
const { providers, ...ofProviders } = readYaml("grafana/provisioning/dashboards/mzsr.yaml") as {
  readonly apiVersion: number;
  readonly providers: readonly Provider[];
};
const { datasources, ...ofSources } = readYaml("grafana/provisioning/datasources/prometheus.yaml") as {
  readonly apiVersion: number;
  readonly datasources: readonly DataSource[];
};
const { grafana } = (readYaml("compose/compose.yaml") as { readonly services: { readonly grafana: GrafanaService } })
  .services;
const all = Object.values(dashboards());

/** The file of this repository that Compose puts at a path of Grafana's container; undefined when there is none. */
function sourceOf(path: string): string | undefined {
  for (const [from, to] of grafana.volumes.map((volume) => volume.split(":") as [string, string])) {
    if (from.startsWith(".") && `${path}/`.startsWith(`${to}/`))
      return `${DEPLOY}compose/${from}${path.slice(to.length)}`;
  }
  return undefined;
}

test("Grafana finds what is provisioned, and the folders that it knows", () => {
  expect([ofProviders.apiVersion, ofSources.apiVersion]).toEqual([1, 1]);
  const known = ["access-control", "alerting", "dashboards", "datasources", "plugins"];
  for (const folder of readdirSync(sourceOf(PROVISIONING)!)) expect(known).toContain(folder);
});

test("the dashboards are mounted where their provider looks, and so is the one to begin with", () => {
  expect(providers).toHaveLength(1);
  const [{ type, options }] = providers as [Provider];
  expect(type).toBe("file");
  const home = grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH!;
  expect(posix.dirname(home)).toBe(options.path);
  expect(existsSync(sourceOf(home)!), home).toBe(true);
  expect(readdirSync(sourceOf(options.path)!).sort()).toEqual(
    Object.keys(dashboards())
      .map((name) => `${name}.json`)
      .sort(),
  );
});

test("the data source is the Prometheus of Compose, and knows how often it scrapes", () => {
  expect(datasources).toHaveLength(1);
  const [source] = datasources as [DataSource];
  expect(source).toMatchObject({ type: "prometheus", access: "proxy", isDefault: true });
  expect(source.uid).toMatch(UID);
  const variable = /^\$\{(\w+)\}$/.exec(source.url)![1]!;
  const { hostname, port } = new URL(grafana.environment[variable]!);
  expect(grafana.depends_on).toContain(hostname);
  expect(port).toBe("9090");
  const { global } = readYaml("prometheus/prometheus.yml") as { readonly global: { readonly scrape_interval: string } };
  expect(source.jsonData.timeInterval).toBe(global.scrape_interval);
});

test("every dashboard asks the data source that is chosen, whose default is the provisioned one", () => {
  for (const { title, templating, ...rest } of all) {
    const [chosen, ...others] = templating.list!;
    expect(chosen, title).toMatchObject({ type: "datasource", name: "datasource", query: datasources[0]!.type });
    const asked = deep([others, rest], "datasource");
    expect(asked.length, title).toBeGreaterThan(5);
    for (const source of asked) {
      expect(source, title).toEqual({ type: datasources[0]!.type, uid: "$datasource" });
    }
  }
});

test("dashboards have addresses of their own, and their queries no variable that there is not", () => {
  expect(new Set(all.map(({ uid }) => uid)).size).toBe(all.length);
  for (const dashboard of all) {
    expect(dashboard.uid).toMatch(UID);
    const names = dashboard.templating.list!.map(({ name }) => name);
    const queries = [...deep(dashboard, "expr"), ...deep(dashboard, "query")].filter((it) => typeof it === "string");
    for (const [used, bare, braced] of queries.flatMap((query) => [...query.matchAll(/\$(?:(\w+)|\{(\w+))/g)])) {
      const name = (bare ?? braced)!;
      // Those that begin so are Grafana's own.
      if (!name.startsWith("__")) expect(names, `${dashboard.title}: ${used}`).toContain(name);
    }
  }
});
