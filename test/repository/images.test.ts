/** How images are called, from their source to where they run; and the workflow that releases them. */
import { spawnSync } from "node:child_process";
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { goTool } from "@mzsr/testing/go-tool";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };
const TARGETS = ["coordinator", "worker", "worker-cuda", "worker-webgpu"];

/** Runs scripts/images where there are these engines, which write down how they are called. */
async function images(engines: readonly string[], ...args: string[]) {
  const folder = await temporaryFolder();
  for (const name of ["sh", "dirname", "sed"])
    symlinkSync(spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim(), join(folder, name));
  for (const name of engines) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho "${name} $@"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const { status, stdout, stderr } = spawnSync(join(root, "scripts/images"), args, {
    env: { PATH: folder },
    encoding: "utf8",
  });
  return { code: status, calls: stdout.trim().split("\n"), said: stderr.trim() };
}

test("builds each image under the name of the registry and the version, by the engine that is there", async () => {
  const { code, calls } = await images(["podman"], "build", "--registry", "registry.example.org/lab");
  expect(code).toBe(0);
  expect(calls).toHaveLength(TARGETS.length);
  TARGETS.forEach((target, i) => {
    expect(calls[i]).toMatch(/^podman build --format docker --file deploy\/docker\/Dockerfile /);
    expect(calls[i]).toContain(`--target ${target} --tag registry.example.org/lab/mzsr/${target}:${version} `);
  });
  expect((await images(["docker", "buildah"], "build", "worker")).calls).toEqual([
    expect.stringMatching(/^docker build --file .* --tag mzsr\/worker:\d/),
  ]);
});

test("pushes what it built", async () => {
  const { calls } = await images(["buildah"], "push", "--registry", "r.example.org/", "--tag", "1.2.3", "coordinator");
  expect(calls).toEqual(["buildah push r.example.org/mzsr/coordinator:1.2.3"]);
});

test("says what is missing or wrong, and runs nothing", async () => {
  for (const [args, said] of [
    [[], /expected build or push/],
    [["push"], /push needs --registry/],
    [["build", "worker-rocm"], /unknown worker-rocm/],
    [["build", "--tag"], /--tag needs a value/],
  ] as const) {
    expect(await images(["docker"], ...args)).toEqual({ code: 2, calls: [""], said: expect.stringMatching(said) });
  }
  expect(await images([], "build")).toMatchObject({
    code: 1,
    said: expect.stringMatching(/no docker, podman or buildah/),
  });
});

test("the chart and Compose call the images as they are built", () => {
  const chart = parse(read("deploy/helm/mzsr-cluster/Chart.yaml")) as { version: string; appVersion: string };
  expect(chart).toMatchObject({ version, appVersion: version });
  const values = parse(read("deploy/helm/mzsr-cluster/values.yaml")) as Record<string, { repository: string }>;
  expect([values.coordinator!.repository, values.worker!.repository]).toEqual(["mzsr/coordinator", "mzsr/worker"]);
  const compose = read("deploy/compose/compose.yaml");
  for (const target of TARGETS)
    expect(compose).toContain(`image: \${MZSR_REGISTRY:-}mzsr/${target}:\${MZSR_VERSION:-${version}}\n`);
});

const ACTIONLINT = goTool("actionlint");

test.skipIf(ACTIONLINT === undefined)(
  "actionlint finds nothing in the release workflow, and would with a slip in it",
  () => {
    const lint = (text: string) =>
      spawnSync(ACTIONLINT!, ["-no-color", "-"], { cwd: root, input: text, encoding: "utf8" });
    const workflow = read(".github/workflows/release.yml");
    expect(lint(workflow)).toMatchObject({ status: 0, stdout: "" });
    expect(lint(workflow.replace("needs: images", "needs: image")).stdout).toMatch(/image/);
  },
);
