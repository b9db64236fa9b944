// How strategies spread the users that are in the database.

import {byId, el, integer, json, problemText, setText, table} from "./dom.js";
import {onChange, resolved} from "./colours.js";

const STRATEGIES = ["hash-slots", "modulo", "md5", "consistent-hash"];
let chart = null;
let asked = 0;

async function draw(event) {
  event.preventDefault();
  const own = ++asked;
  const chosen = byId("strategy").value;
  const names = chosen === "all" ? STRATEGIES : [chosen];
  const count = byId("count").value;
  const status = byId("distribution-status");
  setText(status, "Asking for a sample of users.");
  try {
    const found = [];
    for (const name of names) {
      const query = new URLSearchParams({strategy: name, sample: byId("sample").value});
      if (count) {
        query.set("shards", count);
      }
      found.push({name, ...await json(`../api/distribution?${query}`)});
    }
    if (own !== asked) {
      return;
    }
    show(found);
    setText(status, `${integer(found[0].keys)} users on ${found[0].shards.length} shards. ${warnings(found)}`);
  } catch (error) {
    if (own === asked) {
      status.replaceChildren(problemText(error));
    }
  }
}

const warnings = found => found.flatMap(each => each.warnings.map(warning => `${each.name}: ${warning}.`)).join(" ");

function show(found) {
  const shards = found[0].shards.map(share => share.shard);
  const canvas = byId("distribution");
  chart?.destroy();
  chart = new Chart(canvas, {
    type: "bar",
    data: {labels: shards, datasets: found.map(each => ({label: each.name, data: each.shards.map(share => 100 * share.share)}))},
    options: {
      animation: false,
      maintainAspectRatio: false,
      plugins: {legend: {position: "bottom"}},
      scales: {y: {beginAtZero: true, title: {display: true, text: "% of the users"}}, x: {}},
    },
  });
  paint();
  canvas.setAttribute("aria-label", found.map(each => `${each.name}: ${each.shards
    .map(share => `${share.shard} ${(100 * share.share).toFixed(1)} %`).join(", ")}`).join("; "));
  const region = byId("distribution-table");
  region.hidden = false;
  region.replaceChildren(table("Users of each shard by strategy", [
    {title: "shard", value: row => row.shard},
    ...found.map(each => ({title: each.name, number: true, value: row => integer(each.shards[row.index].count)})),
  ], shards.map((shard, index) => ({shard, index}))), el("p", {class: "note"}, "Fullest shard over the mean: ",
    found.map(each => `${each.name} ${each.maxOverMean.toFixed(3)}`).join(", ")));
}

function paint() {
  if (chart) {
    chart.data.datasets.forEach((dataset, index) => {
      dataset.backgroundColor = resolved(`--series-${index}`);
    });
    const text = resolved("--quiet");
    const line = resolved("--line");
    chart.options.plugins.legend.labels = {color: text};
    for (const axis of [chart.options.scales.x, chart.options.scales.y]) {
      axis.ticks = {color: text};
      axis.grid = {color: line};
    }
    chart.options.scales.y.title.color = text;
    chart.update("none");
  }
}

onChange(paint);
byId("distribution-form").addEventListener("submit", draw);
