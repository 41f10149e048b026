import { render } from "preact";
import { App } from "./app.js";
import { RunStore } from "./data/store.js";
import { Theme } from "./theme.js";

const query = new URLSearchParams(location.search);
const store = new RunStore(query.get("run") ?? undefined);
const other = query.get("compare");
const compared = other === null ? undefined : new RunStore(other);

void store.start();
void compared?.start();
const page = document.getElementById("page")!;
page.replaceChildren();
render(<App store={store} compared={compared} theme={new Theme()} />, page);
