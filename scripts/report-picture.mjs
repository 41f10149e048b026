// Takes the README's picture from a report: the pictures of its last photo, as Chromium shows them.
//   node scripts/report-picture.mjs runs/quickstart/report/report.html docs/images/quickstart.png
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [page, output] = process.argv.slice(2);
if (page === undefined || output === undefined) {
  console.error("usage: node scripts/report-picture.mjs REPORT.html OUTPUT.png");
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const tab = await browser.newPage({ viewport: { width: 1500, height: 900 }, colorScheme: "light" });
  await tab.goto(pathToFileURL(resolve(page)).href);
  await tab.locator(".panels").last().screenshot({ path: output });
} finally {
  await browser.close();
}
