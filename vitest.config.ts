import { defineConfig } from "vitest/config";
import { softwareVulkan } from "./test/software-vulkan.mjs";

/** Tests that compute on a GPU, or on a driver that stands in for one. */
const GPU_TESTS = [
  "packages/engine-webgpu/src/**/*.test.ts",
  "packages/*/src/**/*.gpu.test.ts",
  "test/gpu/**/*.test.ts",
];

/** Debian puts nats-server and ip where not every user's PATH leads. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

export default defineConfig({
  test: {
    // Two cores: more forks than that only make real sockets and real clocks slower to answer.
    maxWorkers: 2,
    // For what hangs. On a busy machine a test of seconds may take minutes, and must not fail for that.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: "cpu",
          include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["**/node_modules/**", ...GPU_TESTS],
          env: { PATH },
        },
      },
      {
        extends: true,
        test: { name: "gpu", include: GPU_TESTS, env: { PATH, ...softwareVulkan() } },
      },
    ],
  },
});
