import { mzsr } from "@mzsr/testing/run-command";
import { expect, it } from "vitest";
import { main } from "./main.js";
import { Terminal } from "./progress/terminal.js";

/** Runs the command in this process; nothing here starts anything. */
async function run(...args: string[]) {
  let [out, notes] = ["", ""];
  const terminal = new Terminal({ write: (text) => (out += text) }, { write: (text) => (notes += text) });
  return { code: await main(args, terminal), out, notes };
}

const COMMANDS = [
  "up",
  "coordinator",
  "worker",
  "status",
  "evaluate",
  "upscale",
  "import",
  "export",
  "runs",
  "view",
  "doctor",
  "completion",
];

it("help lists every command, and each command's help ends with an example of it", async () => {
  const overview = await run("--help");
  expect(overview).toMatchObject({ code: 0, notes: "" });
  for (const command of COMMANDS) {
    expect(overview.out).toMatch(new RegExp(`^  ${command} `, "m"));
    const { code, out } = await run(command, "--help");
    expect([command, code, out]).toEqual([command, 0, expect.stringContaining(`Example:\n  $ npx mzsr ${command}`)]);
  }
});

it("prints the version", async () => {
  expect((await run("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

it("without a command prints help and counts it as bad input", async () => {
  expect(await run()).toMatchObject({ code: 2, out: "", notes: expect.stringContaining("Usage: mzsr") });
});

it.each(["--help", "--version"])("%s loads none of the heavy modules", async (option) => {
  const loaded = await mzsr([option], { env: { ...process.env, NODE_DEBUG: "esm" } });
  expect(loaded.code).toBe(0);
  expect(loaded.notes).toContain("commander");
  expect(loaded.notes).not.toMatch(/tfjs-core|sharp|grpc-js|packages\/shared\/dist/);
});
