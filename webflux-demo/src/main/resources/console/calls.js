// The latest calls, and those that failed.

import {byId, el, millis, table} from "./dom.js";

const time = call => new Date(call.at).toLocaleTimeString("en-GB");
const what = call => `${call.operation} of ${call.keyspace ?? "the cluster"}`;
const columns = [
  {title: "time", value: time},
  {title: "call", value: what},
  {title: "shards", value: call => call.shards.join(", ") || "none"},
  {title: "outcome", value: call => call.outcome},
  {title: "took", number: true, value: call => millis(call.millis)},
];
const ofFailures = [...columns.slice(0, 4),
  {title: "error", value: call => call.error + (call.sqlState ? ` (${call.sqlState})` : "")}];
const statement = {title: "statement", value: call => call.sql ?? ""};
const shown = new Map();

export function showCalls(snapshot) {
  show("calls", "Latest calls", columns, snapshot.calls, "No call has ended yet.");
  show("failures", "Latest errors", ofFailures, snapshot.failures, "None.");
}

function show(id, caption, of, calls, none) {
  const latest = calls.length === 0 ? 0 : calls[0].number;
  if (shown.get(id) !== latest) {
    shown.set(id, latest);
    const all = calls.some(call => call.sql) ? [...of, statement] : of;
    byId(id).replaceChildren(calls.length === 0 ? el("p", {class: "note"}, none) : table(caption, all, calls));
  }
}
