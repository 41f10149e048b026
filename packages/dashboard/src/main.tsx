import { render } from "preact";
import { App } from "./app.js";
import { comparedWith, runsAsked } from "./data/compared.js";
import { RunStore } from "./data/store.js";
import { Theme } from "./theme.js";

const asked = runsAsked(location.search);
const store = new RunStore(asked.run);
const compared = comparedWith(asked.compared.map((name) => new RunStore(name)));

void store.start();
for (const { store } of compared) void store.start();
const page = document.getElementById("page")!;
page.replaceChildren();
render(<App store={store} compared={compared} theme={new Theme()} />, page);
