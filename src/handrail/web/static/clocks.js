// Elapsed times and countdowns, by the server's clock: the reader's own may be wrong.
const meta = document.querySelector('meta[name="handrail-now"]');
let offset = meta ? Date.parse(meta.content) - Date.now() : 0;

/** A span as the server's `span` filter writes it. */
export function span(seconds) {
  const whole = Math.max(Math.floor(seconds), 0);
  const two = (n) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

/** Learn the server's time again from the Date header of an answer, when it is off by more than the header's grain. */
export function learnTime(answer) {
  const said = Date.parse(answer.headers.get("Date") ?? "");
  if (!Number.isNaN(said) && Math.abs(said - (Date.now() + offset)) > 2000) offset = said - Date.now();
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Write every clock within `root` anew. */
export function tick(root = document) {
  const now = Date.now() + offset;
  for (const element of root.querySelectorAll("[data-since]")) {
    write(element, span((now - Date.parse(element.dataset.since)) / 1000));
  }
  for (const element of root.querySelectorAll("[data-due]")) {
    const left = (Date.parse(element.dataset.due) - now) / 1000;
    const [before, after] = (element.dataset.dueWords ?? "due in|overdue by").split("|");
    element.classList.toggle("overdue", left < 0);
    write(element, left < 0 ? `${after} ${span(-left)}${after === "expired" ? " ago" : ""}` : `${before} ${span(left)}`);
  }
}

export function clockText(moment = new Date(Date.now() + offset)) {
  return moment.toISOString().slice(11, 19);
}

tick();
setInterval(() => { if (!document.hidden) tick(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
