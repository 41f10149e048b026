/** Light, dark, or as the system says; the choice is kept in this browser. */
import { computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";

export type ThemeChoice = "system" | "light" | "dark";

const KEY = "mzsr-theme";
const NEXT: Record<ThemeChoice, ThemeChoice> = { system: "light", light: "dark", dark: "system" };

export class Theme {
  readonly choice: Signal<ThemeChoice>;
  /** What is shown. */
  readonly shown: ReadonlySignal<"light" | "dark">;
  readonly #systemIsDark: Signal<boolean>;

  constructor() {
    const query = matchMedia("(prefers-color-scheme: dark)");
    this.#systemIsDark = signal(query.matches);
    query.addEventListener("change", () => {
      this.#systemIsDark.value = query.matches;
    });
    this.choice = signal(storedChoice());
    this.shown = computed(() => {
      if (this.choice.value !== "system") return this.choice.value;
      return this.#systemIsDark.value ? "dark" : "light";
    });
    effect(() => {
      document.documentElement.dataset.theme = this.shown.value;
    });
  }

  turn(): void {
    this.choice.value = NEXT[this.choice.value];
    try {
      localStorage.setItem(KEY, this.choice.value);
    } catch {
      // A browser that keeps nothing: the choice holds until the page is left.
    }
  }
}

function storedChoice(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}
