// Keyboard, copy buttons, theme switch, print button. Everything here is comfort: each page works without it.
const stored = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* a preference that is not kept is no harm */ } },
};
const PLACES = { b: "/", a: "/approvals", l: "/alerts", r: "/record", s: "/sources", p: "/people" };
const PREFIX_MS = 1200;
const help = document.getElementById("help");
const keysOn = document.getElementById("keys-on");
let prefixed = 0;

function typing(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function cards() {
  return [...document.querySelectorAll("[data-card]")].filter((card) => card.checkVisibility());
}

function move(step) {
  const all = cards();
  if (!all.length) return;
  const at = all.findLastIndex((card) => card.contains(document.activeElement));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  next.focus({ preventScroll: true });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  next.scrollIntoView({ block: "nearest", behavior: calm ? "instant" : "smooth" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || help?.open) return;
  if (event.key === "Enter" && event.target.matches?.("[data-card]")) {
    event.target.querySelector("h2 a[href], h3 a[href], .task-title[href], a[href]")?.click();
    return;
  }
  if (keysOn && !keysOn.checked) return;
  const jump = Date.now() - prefixed < PREFIX_MS ? PLACES[event.key] : undefined;
  prefixed = event.key === "g" ? Date.now() : 0;
  if (jump) location.assign(jump);
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "?") help?.showModal();
  else return;
  event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const copy = event.target.closest?.("[data-copy]");
  if (copy) {
    try { await navigator.clipboard.writeText(copy.dataset.copy); } catch { return; }
    copy.dataset.copied = "";
    setTimeout(() => { delete copy.dataset.copied; }, 1500);
  }
  if (event.target.closest?.("[data-print]")) print();
  const account = document.querySelector("details.account[open]");
  if (account && !account.contains(event.target)) account.open = false;
});

document.getElementById("theme")?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  stored.set("handrail-theme", root.dataset.theme);
});

document.getElementById("help-open")?.addEventListener("click", () => help?.showModal());

if (keysOn) {
  keysOn.checked = stored.get("handrail-keys") !== "off";
  keysOn.addEventListener("change", () => stored.set("handrail-keys", keysOn.checked ? "on" : "off"));
}
