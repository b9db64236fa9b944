// One card for each shard.

import {announce, byId, el, integer, millis, setAttribute, setText} from "./dom.js";
import {onChange, resolvedShard, shardColour, shards} from "./colours.js";

const POINTS = 90;
const LABELS = {up: "healthy", degraded: "degraded", down: "down", unknown: "not asked yet"};
const cards = new Map();
const known = new Map();

export const label = health => LABELS[health] ?? String(health);

/** Shows shards, makes the cards that are missing, and announces those whose health has changed. */
export function showShards(all) {
  shards(all.map(shard => shard.shard));
  const changes = [];
  for (const shard of all) {
    let card = cards.get(shard.shard);
    if (!card) {
      card = create(shard.shard);
      if (cards.size === 0) {
        byId("shards").replaceChildren();
      }
      cards.set(shard.shard, card);
      byId("shards").append(card.root);
    }
    update(card, shard);
    const before = known.get(shard.shard);
    if (before && before !== shard.health) {
      changes.push(`Shard ${shard.shard} is ${label(shard.health)}.`);
    }
    known.set(shard.shard, shard.health);
  }
  for (const [name, card] of cards) {
    if (!all.some(shard => shard.shard === name)) {
      card.chart?.destroy();
      card.root.remove();
      cards.delete(name);
    }
  }
  if (changes.length > 0) {
    announce(changes.join(" "));
  }
}

function create(name) {
  const swatch = el("span", {class: "swatch", "aria-hidden": "true"});
  swatch.style.color = shardColour(name);
  const title = el("h3", {}, name);
  const state = el("span", {class: "state"});
  const reason = el("p", {class: "reason"});
  const figures = {};
  const list = el("dl", {class: "figures"}, ...[["qps", "QPS"], ["p50", "p50"], ["p99", "p99"], ["rows", "rows"]]
    .map(([key, text]) => el("div", {}, el("dt", {}, text), figures[key] = el("dd", {}, "–"))));
  const canvas = el("canvas", {"aria-hidden": "true"});
  const nodes = el("ul", {class: "nodes"});
  const root = el("article", {class: "card", "aria-label": `Shard ${name}`},
    el("header", {}, swatch, title, state), reason, list, el("div", {class: "spark"}, canvas), nodes);
  return {name, root, state, reason, figures, nodes, nodeViews: [], chart: spark(canvas, name)};
}

function spark(canvas, name) {
  return new Chart(canvas, {
    type: "line",
    data: {
      labels: Array.from({length: POINTS}, (_, i) => i),
      datasets: [{data: new Array(POINTS).fill(null), borderColor: resolvedShard(name), borderWidth: 2, pointRadius: 0, tension: .25}],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      events: [],
      plugins: {legend: {display: false}, tooltip: {enabled: false}},
      scales: {x: {display: false}, y: {display: false, beginAtZero: true, suggestedMax: 5}},
    },
  });
}

function update(card, shard) {
  setAttribute(card.root, "data-health", shard.health);
  setAttribute(card.state, "data-health", shard.health);
  setText(card.state, label(shard.health));
  setText(card.reason, shard.reason);
  setText(card.figures.qps, shard.qps < 10 ? shard.qps.toFixed(1) : Math.round(shard.qps));
  setText(card.figures.p50, millis(shard.p50Millis));
  setText(card.figures.p99, millis(shard.p99Millis));
  setText(card.figures.rows, shard.rows === null ? "–" : `≈\u00a0${integer(shard.rows)}`);
  card.figures.rows.title = shard.rows === null ? "not known before the server analyzes its tables" : "as the planner estimates";
  const points = card.chart.data.datasets[0].data;
  points.push(shard.qps);
  points.shift();
  card.chart.update("none");
  while (card.nodeViews.length > shard.nodes.length) {
    card.nodeViews.pop().root.remove();
  }
  shard.nodes.forEach((node, index) => {
    card.nodeViews[index] ??= createNode(card.nodes);
    updateNode(card.nodeViews[index], node);
  });
}

function createNode(list) {
  const view = {
    what: el("span", {class: "mono"}),
    state: el("span", {class: "state"}),
    figures: el("p", {class: "note"}),
    pool: el("meter", {min: 0, "aria-label": "Connections in use"}),
    error: el("p", {class: "error mono"}),
  };
  view.root = el("li", {}, el("p", {}, view.what, " ", view.state), view.figures, view.pool, view.error);
  list.append(view.root);
  return view;
}

function updateNode(view, node) {
  setText(view.what, `${role(node)} ${node.endpoint}`);
  setAttribute(view.state, "data-health", node.health);
  setText(view.state, label(node.health) + (node.reason ? `: ${node.reason}` : ""));
  const lag = node.role === "replica" ? `, lag ${millis(node.lagMillis)} (${integer(node.lagBytes)} bytes)` : "";
  const pending = node.pool.pending > 0 ? `, ${node.pool.pending} waiting` : "";
  const errors = node.errorRate > 0 ? `, ${Math.round(100 * node.errorRate)} % of the last calls failed` : "";
  setText(view.figures, `pool ${node.pool.acquired} of ${node.pool.max} in use, ${node.pool.idle} idle${pending}${lag}${errors}`);
  setAttribute(view.pool, "max", node.pool.max);
  setAttribute(view.pool, "value", node.pool.acquired);
  setText(view.error, node.lastError ?? "");
}

export const role = node => node.role === "primary" && !node.writes ? "primary without the writes" : node.role;

onChange(() => {
  for (const card of cards.values()) {
    card.chart.data.datasets[0].borderColor = resolvedShard(card.name);
    card.chart.update("none");
  }
});
