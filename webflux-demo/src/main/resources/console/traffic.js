// Reads of users by chance, so that there is something to see.

import {byId, setText} from "./dom.js";

const EACH_SECOND = 30;
// A browser opens six connections to a server; two of them are the page's streams.
const AT_A_TIME = 3;
const USERS = 1000;
let timer = null;
let open = 0;
let answered = 0;
let failed = 0;

async function read() {
  if (open >= AT_A_TIME) {
    return;
  }
  open++;
  try {
    const response = await fetch(`../api/users/${1 + Math.floor(Math.random() * USERS)}/orders?limit=5`);
    await response.arrayBuffer();
    if (response.ok) {
      answered++;
    } else {
      failed++;
    }
  } catch {
    failed++;
  } finally {
    open--;
    setText(byId("traffic-note"), `${answered} reads answered, ${failed} failed`);
  }
}

byId("traffic").addEventListener("click", () => {
  if (timer === null) {
    timer = setInterval(read, 1000 / EACH_SECOND);
  } else {
    clearInterval(timer);
    timer = null;
  }
  byId("traffic").setAttribute("aria-pressed", String(timer !== null));
});
