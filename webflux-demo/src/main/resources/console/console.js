// The console: follows the cluster, and hands what it hears to the parts of the page.

import {announce, byId, problem, setAttribute, setText} from "./dom.js";
import {showShards} from "./cards.js";
import {showPlacement} from "./placement.js";
import {showCalls} from "./calls.js";
import "./distribution.js";
import "./stream.js";
import "./traffic.js";

const LIVE = "../api/console/live";
const RETRY_MILLIS = 5000;

/** The server says something each second: when it has not for so long, nothing on the page is news. */
const SILENCE_MILLIS = 6000;
let silence = null;

/** Shows what the server said of one moment. */
export function show(snapshot) {
  showShards(snapshot.shards);
  showCalls(snapshot);
  showPlacement(snapshot.epoch);
}

function connection(state, text) {
  const before = byId("connection").dataset.state;
  setAttribute(byId("connection"), "data-state", state);
  setText(byId("connection"), text);
  setAttribute(byId("shards"), "data-stale", state === "lost");
  if (before !== state && (before === "lost" || state === "lost")) {
    announce(`The page is ${text}.`);
  }
}

/** A connection that hangs is no error for a browser. */
function heard() {
  clearTimeout(silence);
  silence = setTimeout(() => connection("lost", "silent: the server says nothing, what is shown is old"), SILENCE_MILLIS);
}

function follow() {
  const source = new EventSource(LIVE);
  source.addEventListener("snapshot", event => {
    connection("live", "live");
    heard();
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", async () => {
    clearTimeout(silence);
    if (source.readyState !== EventSource.CLOSED) {
      connection("lost", "connection lost, trying again");
      return;
    }
    connection("lost", await refusal());
    setTimeout(follow, RETRY_MILLIS);
  });
}

/** An event source does not tell why it was refused. */
async function refusal() {
  const asked = new AbortController();
  try {
    const response = await fetch(LIVE, {headers: {Accept: "text/event-stream, application/problem+json"}, signal: asked.signal});
    return response.ok ? "connection lost, trying again" : (await problem(response)).message;
  } catch {
    return "the server does not answer, trying again";
  } finally {
    asked.abort();
  }
}

heard();
follow();
