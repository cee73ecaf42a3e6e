// Keeps the page's live parts true. One event stream per page says which topics changed; each part that listens to one
// of them is fetched again and morphed in, so that focus, open details and typed text stay. Where the stream is gone,
// the mark in the header says since when what you see may be old.
import { clockText, learnTime, tick } from "./clocks.js";

const GAP_MS = 300;
const RETRY_MS = 3000;
const address = document.body.dataset.live;
const mark = document.getElementById("live-mark");

const wanted = new Set();
let timer = null;
let busy = false;
let fetchedAt = -Infinity;
let opened = false;
let staleSince = null;

function parts() {
  return [...document.querySelectorAll("[data-live-url]")];
}

function show(state, words) {
  if (!mark || (mark.dataset.state === state && state !== "live")) return;
  const changed = mark.dataset.state !== state;
  mark.dataset.state = state;
  document.documentElement.classList.toggle("is-stale", state === "stale");
  const word = mark.querySelector(".live-word");
  if (changed && word.textContent !== words) word.textContent = words;
  if (state === "live") mark.title = `last news ${clockText()} UTC`;
}

function goLive() {
  staleSince = null;
  show("live", "live");
}

function goStale() {
  staleSince ??= clockText();
  show("stale", `stale since ${staleSince}`);
}

function ask(topics) {
  for (const element of parts()) {
    const own = element.dataset.liveTopic.split(" ");
    if (topics === null || own.some((topic) => topics.includes(topic))) wanted.add(element.dataset.liveUrl);
  }
  schedule();
}

// The first news is fetched at once; what follows within the gap comes together.
function schedule() {
  if (timer !== null || busy || !wanted.size || document.hidden) return;
  timer = setTimeout(refreshWanted, Math.max(0, GAP_MS - (performance.now() - fetchedAt)));
}

async function refreshWanted() {
  timer = null;
  busy = true;
  const urls = [...wanted];
  wanted.clear();
  try {
    await Promise.all(urls.map(refresh));
    if (staleSince === null) goLive();
  } catch {
    goStale();
    for (const url of urls) wanted.add(url);
    await new Promise((done) => setTimeout(done, RETRY_MS));
  } finally {
    busy = false;
    fetchedAt = performance.now();
    schedule();
  }
}

// The morph gives fields that have no focus the server's value. What a person typed and did not send is put back, by id:
// a form about something else has other ids and starts empty.
function keepTyped(target) {
  const typed = [];
  for (const field of target.querySelectorAll("input[id], textarea[id], select[id]")) {
    if (field.type === "checkbox") { if (field.checked !== field.defaultChecked) typed.push([field.id, "checked", field.checked]); }
    else if (field instanceof HTMLSelectElement) { if ([...field.options].some((o) => o.selected !== o.defaultSelected)) typed.push([field.id, "value", field.value]); }
    else if (field.type !== "hidden" && field.value !== field.defaultValue) typed.push([field.id, "value", field.value]);
  }
  return () => {
    for (const [id, property, value] of typed) {
      const field = document.getElementById(id);
      if (field && field[property] !== value) field[property] = value;
    }
  };
}

async function refresh(url) {
  const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin", cache: "no-store" });
  if (answer.redirected || answer.status === 401) { location.reload(); return; }
  if (answer.status === 403 || answer.status === 404) return;
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  learnTime(answer);
  const text = await answer.text();
  for (const target of parts()) {
    if (target.dataset.liveUrl !== url) continue;
    const putBack = keepTyped(target);
    await htmx.swap({ text, target, sourceElement: target, swap: "innerMorph ignoreTitle:true" });
    putBack();
    tick(target);
    target.dispatchEvent(new CustomEvent("handrail:refreshed", { bubbles: true }));
  }
}

function listen() {
  const stream = new EventSource(`${address}&after=${document.body.dataset.liveIndex}`);
  stream.addEventListener("open", () => {
    goLive();
    if (opened) ask(null);
    opened = true;
  });
  stream.addEventListener("changed", (event) => {
    if (event.lastEventId) document.body.dataset.liveIndex = event.lastEventId;
    goLive();
    ask(JSON.parse(event.data).topics);
  });
  stream.addEventListener("resync", (event) => {
    if (event.lastEventId) document.body.dataset.liveIndex = event.lastEventId;
    goLive();
    ask(null);
  });
  stream.addEventListener("error", () => {
    goStale();
    // The browser connects again by itself, unless the server refused: then it is up to us.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
  });
}

if (address) {
  listen();
  document.addEventListener("visibilitychange", schedule);
}
