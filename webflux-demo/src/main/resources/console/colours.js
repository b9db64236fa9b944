// Colours of shards and of the theme, as the style sheet has them; light, dark, or what the system says.

import {byId, setText} from "./dom.js";

const PALETTE = 8;
const THEMES = ["auto", "light", "dark"];
const order = [];
const changed = [];
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

/** Fixes the order of the shards, which decides their colours. */
export function shards(names) {
  for (const name of names) {
    if (!order.includes(name)) {
      order.push(name);
    }
  }
}

const variable = name => {
  shards([name]);
  return `--shard-${order.indexOf(name) % PALETTE}`;
};

/** Returns a style for elements of this shard. */
export const shardColour = name => `var(${variable(name)})`;

/** Returns a colour that a canvas understands. */
export function resolved(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

export const resolvedShard = name => resolved(variable(name));

/** Calls back when the colours have become others. */
export const onChange = callback => changed.push(callback);

const notify = () => changed.forEach(callback => callback());

function show(theme) {
  if (theme === "auto") {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = theme;
  }
  setText(byId("theme"), `Theme: ${theme}`);
  notify();
}

function stored() {
  try {
    const theme = localStorage.getItem("theme");
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto";
  }
}

let theme = stored();
show(theme);
byId("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // The choice then lasts as long as the page.
  }
  show(theme);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", notify);
