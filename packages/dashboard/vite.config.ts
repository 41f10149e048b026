import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses, so that the page also works behind a proxy that puts it under a path.
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    // The coordinator's Content-Security-Policy allows no inline script and no data: styles or fonts.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    // How long plugins take is of interest to those who write them.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
