import { BackendComputer } from "@mzsr/mzsr";
import type { PhotoBackend } from "@mzsr/worker";
import { expect, it } from "vitest";
import { PhotoComputers } from "./photo-computers.js";

const photo = { width: 20, height: 20 };
const nothing = () => undefined;

/** A backend whose GPU can be lost; says when it is started and closed. */
function backends() {
  const log: string[] = [];
  let lost = false;
  const start = async (): Promise<PhotoBackend> => {
    log.push("started");
    lost = false;
    return {
      ...{ name: "webgpu", description: "", reasons: [], computer: new BackendComputer() },
      get failure() {
        return lost ? "the GPU was lost" : undefined;
      },
      close: () => void log.push("closed"),
    };
  };
  return { log, start, lose: () => (lost = true) };
}

it("starts a backend once for all photos, and closes it at the end", async () => {
  const { log, start } = backends();
  const computers = new PhotoComputers({ backend: "webgpu", threads: 4 }, start);
  computers.begin();
  const first = await computers.for(photo, nothing);
  expect((await computers.for(photo, nothing)).computer).toBe(first.computer);
  await computers.close();
  expect(log).toEqual(["started", "closed"]);
});

it("opens a GPU that was lost again, for the next photo", async () => {
  const { log, start, lose } = backends();
  const computers = new PhotoComputers({ backend: "webgpu", threads: 1 }, start);
  const first = await computers.for(photo, nothing);
  lose();
  expect((await computers.for(photo, nothing)).computer).not.toBe(first.computer);
  expect(log).toEqual(["started", "closed", "started"]);
  await computers.close();
});

it("tells every photo that its backend does not start", async () => {
  const computers = new PhotoComputers({ backend: "webgpu", threads: 1 }, () => Promise.reject(new Error("no driver")));
  computers.begin();
  await expect(computers.for(photo, nothing)).rejects.toThrow("no driver");
  await expect(computers.for(photo, nothing)).rejects.toThrow("no driver");
  await computers.close();
});
