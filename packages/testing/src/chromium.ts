/** A real Chromium for tests of the page, with a profile of its own that goes with it. */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const PATHS = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const executablePath = PATHS.find((path): path is string => path !== undefined && existsSync(path));

/** Whether there is a Chromium; tests that need it skip themselves otherwise, saying so by CHROMIUM_NOTE. */
export const hasChromium = executablePath !== undefined;

/** Appended to a suite's name, so that a skipped one says why. */
export const CHROMIUM_NOTE = hasChromium ? "(Chromium)" : "(skipped: no Chromium; set CHROMIUM to its path)";

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath!, args: FLAGS, headless: true });
}

/** A page that remembers what went wrong on it, and whom it asked. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors and warnings on its console, and exceptions. */
  readonly problems: string[];
  /** Every address that it requested. */
  readonly requests: string[];
  close(): Promise<void>;
}

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  return { page, problems, requests, close: () => context.close() };
}
