// The console: follows the cluster, and hands what it hears to the parts of the page.

import {byId, problem, setAttribute, setText} from "./dom.js";
import {showShards} from "./cards.js";
import {showPlacement} from "./placement.js";
import {showCalls} from "./calls.js";
import "./distribution.js";
import "./stream.js";
import "./traffic.js";

const LIVE = "../api/console/live";
const RETRY_MILLIS = 5000;

/** Shows what the server said of one moment. */
export function show(snapshot) {
  showShards(snapshot.shards);
  showCalls(snapshot);
  showPlacement(snapshot.epoch);
}

function connection(state, text) {
  setAttribute(byId("connection"), "data-state", state);
  setText(byId("connection"), text);
}

function follow() {
  const source = new EventSource(LIVE);
  source.addEventListener("snapshot", event => {
    connection("live", "live");
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", async () => {
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

follow();
