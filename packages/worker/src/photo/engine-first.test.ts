import { InputError, type NetworkComputer, RunError } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { EngineFirst } from "./engine-first.js";

/** Its parts say whose they are. */
function computer(name: string, thrown?: Error): NetworkComputer {
  const part = () => (thrown === undefined ? Promise.resolve(name) : Promise.reject(thrown));
  return { learner: part, trainer: part, enlarger: part } as unknown as NetworkComputer;
}

const network = { architecture: { depth: 2, width: 4 }, parameters: new Float32Array(0) };
const partsOf = (given: NetworkComputer) =>
  Promise.all([
    given.learner(network.architecture, []),
    given.trainer(network.architecture, []),
    given.enlarger(network, { height: 1, width: 1 }, 1),
  ]);

it("computes on the engine, and starts nothing else then", async () => {
  const never = () => Promise.reject(new Error("started"));
  expect(await partsOf(new EngineFirst(computer("engine"), never))).toEqual(["engine", "engine", "engine"]);
});

it("computes on the other what the engine refuses, and says why", async () => {
  const reasons: string[] = [];
  const instead = async ({ what }: InputError) => {
    reasons.push(what);
    return computer("other");
  };
  const engine = computer("engine", new InputError("too large"));
  expect(await partsOf(new EngineFirst(engine, instead))).toEqual(["other", "other", "other"]);
  expect(reasons).toEqual(["too large", "too large", "too large"]);
});

it("fails when the engine fails: another would only hide a lost GPU", async () => {
  const engine = computer("engine", new RunError("the GPU was lost"));
  await expect(partsOf(new EngineFirst(engine, async () => computer("other")))).rejects.toThrow("the GPU was lost");
});
