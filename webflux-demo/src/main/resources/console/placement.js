// The slots of all shards as a bar, and where a key lives on it.

import {byId, el, integer, json, problemText, setText} from "./dom.js";
import {shardColour, shards} from "./colours.js";
import {label, role} from "./cards.js";

const SVG = "http://www.w3.org/2000/svg";
let shownEpoch = null;
let asked = 0;

/** Draws the placement of this epoch, unless it is there already. */
export async function showPlacement(epoch) {
  if (epoch === shownEpoch) {
    return;
  }
  shownEpoch = epoch;
  try {
    draw(await json("../api/console/placement"));
  } catch (error) {
    shownEpoch = null;
    byId("placement-note").replaceChildren(problemText(error));
  }
}

function draw(placement) {
  shards(placement.shards);
  const pins = placement.pins > 0 ? `, ${integer(placement.pins)} keys pinned` : "";
  setText(byId("keyspace"), `keyspace ${placement.keyspace}`);
  setText(byId("placement-note"), `${placement.strategy} by ${placement.key}, epoch ${placement.epoch}${pins}: tables ${placement.tables.join(", ")}`);
  const bar = byId("slots");
  bar.toggleAttribute("hidden", placement.slots === 0);
  if (placement.slots > 0) {
    bar.setAttribute("viewBox", `0 0 ${placement.slots} 100`);
  }
  bar.replaceChildren(...placement.ranges.map(range => {
    const rect = svg("rect", {x: range.from, y: 0, width: range.to - range.from + 1, height: 100});
    rect.style.fill = shardColour(range.shard);
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${range.shard}: slots ${range.from} to ${range.to}`;
    rect.append(title);
    return rect;
  }));
  const counts = placement.shards.map(shard => ({shard, slots: placement.ranges
    .filter(range => range.shard === shard)
    .reduce((sum, range) => sum + range.to - range.from + 1, 0)}));
  bar.setAttribute("aria-label", counts.map(each => `${each.shard} has ${each.slots} of ${placement.slots} slots`).join(", "));
  byId("legend").replaceChildren(...counts.map(each => {
    const swatch = el("span", {class: "swatch", "aria-hidden": "true"});
    swatch.style.color = shardColour(each.shard);
    const share = placement.slots === 0 ? "" : `: ${integer(each.slots)} slots, ${(100 * each.slots / placement.slots).toFixed(2)} %`;
    return el("li", {}, swatch, ` ${each.shard}${share}`);
  }));
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  return element;
}

async function explain(event) {
  event.preventDefault();
  const own = ++asked;
  let shown;
  let mark = [];
  try {
    const found = await json(`../api/console/locate?key=${encodeURIComponent(byId("key").value)}`);
    shown = explanation(found);
    mark = found.slot === null ? [] : [svg("path", {class: "mark", d: `M${found.slot + .5} 0V100`})];
  } catch (error) {
    shown = [problemText(error)];
  }
  if (own === asked) {
    byId("key-answer").replaceChildren(...shown);
    byId("slots").querySelectorAll(".mark").forEach(each => each.remove());
    byId("slots").append(...mark);
  }
}

function explanation(found) {
  const swatch = el("span", {class: "swatch", "aria-hidden": "true"});
  swatch.style.color = shardColour(found.shard);
  return [
    el("p", {}, swatch, " User ", el("strong", {id: "key-key"}, found.key), " lives on shard ",
      el("strong", {id: "key-shard"}, found.shard), ", which is ", label(found.health), "."),
    el("ol", {class: "why"}, ...found.why.map(reason => el("li", {}, reason))),
    el("ul", {class: "nodes"}, ...found.nodes.map(node => el("li", {},
      el("span", {class: "mono"}, `${role(node)} ${node.endpoint}`), " ",
      el("span", {class: "state", "data-health": node.health}, label(node.health))))),
  ];
}

byId("key-form").addEventListener("submit", explain);
