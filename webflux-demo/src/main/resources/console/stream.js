// A query to all shards, whose rows are shown as they come, at a pace that the application keeps: a browser reads ahead.

import {byId, el, integer, millis, problem, problemText, setText, table} from "./dom.js";
import {shardColour} from "./colours.js";

const SHOWN = 10;
const DRAW_MILLIS = 200;
let running = null;

async function toggle(event) {
  event.preventDefault();
  if (running) {
    running.abort();
    return;
  }
  running = new AbortController();
  setText(byId("stream-button"), "Cancel");
  const state = {start: performance.now(), breath: performance.now(), rows: 0, first: null, shards: new Map(), latest: [], drawn: -DRAW_MILLIS};
  let end;
  try {
    end = await read(state, running.signal);
  } catch (error) {
    end = running.signal.aborted ? "cancelled" : error;
  }
  // Whatever it was that ended it: the server must not go on for nobody.
  running.abort();
  running = null;
  setText(byId("stream-button"), "Start");
  show(state);
  finish(state, end);
}

async function read(state, signal) {
  setText(byId("stream-status"), "Streaming from all shards.");
  const query = new URLSearchParams();
  for (const name of ["symbol", "pace"]) {
    if (byId(name).value) {
      query.set(name, byId(name).value);
    }
  }
  const response = await fetch(`../api/orders/stream?${query}`, {
    headers: {Accept: "application/x-ndjson, application/problem+json"}, signal});
  if (!response.ok) {
    throw await problem(response);
  }
  for await (const line of lines(response.body)) {
    const element = JSON.parse(line);
    if (element.manifest || element.error) {
      return element;
    }
    count(state, element);
    if (performance.now() - state.breath > DRAW_MILLIS) {
      // What has come is read without a pause, in which the page could do nothing else.
      state.breath = performance.now();
      await new Promise(resolve => setTimeout(resolve));
      signal.throwIfAborted();
    }
  }
  throw new Error("the stream was cut off: it has no end");
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const pieces = (rest + part.value).split("\n");
    rest = pieces.pop();
    yield* pieces.filter(piece => piece !== "");
  }
  if (rest !== "") {
    yield rest;
  }
}

function count(state, order) {
  const elapsed = performance.now() - state.start;
  state.rows++;
  state.first ??= elapsed;
  const shard = state.shards.get(order.shard) ?? {rows: 0, first: elapsed};
  shard.rows++;
  state.shards.set(order.shard, shard);
  state.latest.unshift(order);
  state.latest.length = Math.min(state.latest.length, SHOWN);
  if (elapsed - state.drawn > DRAW_MILLIS) {
    state.drawn = elapsed;
    show(state);
  }
}

function show(state) {
  const shards = [...state.shards].sort(([a], [b]) => a.localeCompare(b, "en", {numeric: true}));
  byId("stream-counters").replaceChildren(...shards.map(([name, shard]) => {
    const swatch = el("span", {class: "swatch", "aria-hidden": "true"});
    swatch.style.color = shardColour(name);
    return el("li", {"data-shard": name}, swatch, ` ${name}: ${integer(shard.rows)} rows, first after ${millis(shard.first)}`);
  }));
  const region = byId("stream-rows");
  region.hidden = state.rows === 0;
  region.replaceChildren(table("Latest orders", [
    {title: "shard", value: order => order.shard},
    {title: "user", number: true, value: order => order.userId},
    {title: "order", value: order => order.orderId},
    {title: "symbol", value: order => order.symbol},
    {title: "side", value: order => order.side},
    {title: "quantity", number: true, value: order => integer(order.quantity)},
    {title: "price", number: true, value: order => order.price.toFixed(4)},
    {title: "status", value: order => order.status},
  ], state.latest));
}

function finish(state, end) {
  const status = byId("stream-status");
  const got = `${integer(state.rows)} orders of ${state.shards.size} shards in ${millis(performance.now() - state.start)}`
    + (state.first === null ? "" : `, the first after ${millis(state.first)}`);
  if (end === "cancelled") {
    setText(status, `Cancelled: ${got}. The servers have been told to stop.`);
  } else if (end instanceof Error) {
    status.replaceChildren(problemText(end));
  } else if (end.error) {
    status.replaceChildren(problemText(new Error(`${end.error.title}: ${end.error.detail}. ${got}.`)));
  } else {
    setText(status, `${end.manifest.complete ? "Complete" : `Partial, without ${end.manifest.missing.join(", ")}`}: ${got}.`);
  }
}

byId("stream-form").addEventListener("submit", toggle);
