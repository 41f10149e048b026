import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
    // Two cores: more forks than that only make real sockets and real clocks slower to answer.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Debian puts nats-server and ip where not every user's PATH leads.
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  },
});
