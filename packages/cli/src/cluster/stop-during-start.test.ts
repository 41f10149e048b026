/** SIGTERM to real processes that are still starting. */
import { join } from "node:path";
import { MzsrProcess } from "@mzsr/testing/mzsr-process";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test } from "vitest";

/** Nobody listens there: the port is privileged and of a service that no test machine has. */
const NOBODY = "127.0.0.1:1";

/** Starts the command, sends SIGTERM when it says `text`, and returns its exit code. */
async function stoppedAt(text: string, args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const command = new MzsrProcess(args);
  onTestFinished(() => command.kill());
  await command.logged(({ msg }) => String(msg).includes(text));
  command.signal("SIGTERM");
  return { code: await command.exit(), said: command.lines.join("\n") };
}

test("a standby that waits for NATS ends at once, with 0", async () => {
  const folder = await temporaryFolder();
  const { code, said } = await stoppedAt("waiting for NATS", [
    ...["coordinator", "--standby", "--nats", NOBODY, "--run", join(folder, "run")],
    ...["--preset", "quick", "--port", "0", "--http-port", "0"],
  ]);
  expect([code, said]).toEqual([0, expect.stringContaining("stopped standing by")]);
});

test("a worker that is starting its backend leaves when it has, with 0", async () => {
  const { code, said } = await stoppedAt("starting to compute", [
    ...["worker", "--coordinator", NOBODY, "--backend", "cpu", "--slots", "1"],
  ]);
  expect([code, said]).toEqual([0, expect.stringContaining("stopped by a signal")]);
});
