// Ctrl-K or Cmd-K: go to a page, a worker, a task name, a task, a queue; search; change the look.
import { say } from "./say.js";
import { chooseTimes, chooseZone } from "./time.js";

const PAUSE = 80; // ms between the last key and the question to the server
const prefix = document.documentElement.dataset.prefix;
const box = document.getElementById("palette");

const field = box?.querySelector("input");
const list = box?.querySelector('[role="listbox"]');
let shown = [];
let at = 0;
let asking = null; // the request under way
let timer = null;
let found = { text: "", items: [] };

const theme = (name) => () => document.dispatchEvent(new CustomEvent("flower:theme", { detail: name }));
const COMMANDS = [
  [say("palette.theme.system"), theme("system")],
  [say("palette.theme.light"), theme("light")],
  [say("palette.theme.dark"), theme("dark")],
  [say("palette.zone.browser"), () => chooseZone("browser")],
  [say("palette.zone.app"), () => chooseZone("app")],
  [say("palette.zone.server"), () => chooseZone("server")],
  [say("palette.times.usual"), () => chooseTimes("")],
  [say("palette.times.absolute"), () => chooseTimes("absolute")],
  [say("palette.times.relative"), () => chooseTimes("relative")],
  [say("palette.shortcuts"), () => document.getElementById("shortcuts").showModal()],
].map(([label, run]) => ({ kind: "command", label, run }));

function pages() {
  const links = [...document.querySelectorAll("[data-go]"), ...document.querySelectorAll(".foot-links a[data-page]")];
  return links.map((link) => ({
    kind: "page",
    label: link.textContent.trim(),
    note: link.dataset.go ? `g ${link.dataset.go}` : "",
    url: link.href,
  }));
}

function matching(entries, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
}

function entries(text) {
  if (!text) return [...pages(), ...COMMANDS];
  const search = { kind: "search", label: say("palette.search", { text }), url: `${prefix}/tasks?search=${encodeURIComponent(text)}` };
  const grammar = /\w:|[()]|\b(AND|OR|NOT)\b/.test(text);
  const items = found.items;
  return [...(grammar ? [search] : []), ...matching(pages(), text), ...items, ...(grammar ? [] : [search]), ...matching(COMMANDS, text)];
}

function draw() {
  shown = entries(field.value.trim());
  at = Math.min(at, Math.max(0, shown.length - 1));
  list.replaceChildren(...shown.map(option));
  mark();
}

function option(entry, number) {
  const row = document.createElement("div");
  row.id = `palette-${number}`;
  row.dataset.kind = entry.kind;
  row.setAttribute("role", "option");
  for (const [name, text] of [["kind", say(`palette.kind.${entry.kind}`)], ["label", entry.label], ["note", entry.note ?? ""]]) {
    const part = document.createElement("span");
    part.className = `palette-${name}`;
    part.textContent = text;
    row.append(part);
  }
  row.addEventListener("pointermove", () => {
    if (at === number) return;
    at = number;
    mark();
  });
  row.addEventListener("click", (event) => go(entry, event.ctrlKey || event.metaKey));
  return row;
}

function mark() {
  [...list.children].forEach((row, number) => row.setAttribute("aria-selected", String(number === at)));
  const row = list.children[at];
  if (row) field.setAttribute("aria-activedescendant", row.id);
  else field.removeAttribute("aria-activedescendant");
  row?.scrollIntoView({ block: "nearest" });
}

function go(entry, beside) {
  if (!entry) return;
  box.close();
  if (entry.run) entry.run();
  else if (beside) open(entry.url, "_blank", "noopener");
  else location.assign(entry.url);
}

async function ask() {
  const text = field.value.trim();
  asking?.abort();
  if (!text) return;
  asking = new AbortController();
  try {
    const answer = await fetch(`${prefix}/complete?q=${encodeURIComponent(text)}`, { signal: asking.signal });
    if (!answer.ok || text !== field.value.trim()) return;
    found = { text, items: (await answer.json()).items };
    draw();
  } catch {
    // Another key was pressed, or the server is away, which the connection sign tells.
  }
}

export function show(text = "") {
  if (box.open || document.querySelector("dialog[open]")) return;
  field.value = text;
  found = { text: "", items: [] };
  at = 0;
  draw();
  box.showModal();
  field.select();
}

if (box) {
  field.addEventListener("input", () => {
    const text = field.value.trim();
    if (!text || !text.startsWith(found.text)) found = { text: "", items: [] };
    else found.items = matching(found.items, text);
    at = 0;
    draw();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  field.addEventListener("keydown", async (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      at = (at + step + shown.length) % shown.length;
      mark();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      go(shown[at], event.ctrlKey || event.metaKey);
    }
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) box.close();
  });
  addEventListener("click", (event) => {
    if (event.target.closest?.("[data-palette]")) show();
  });
  addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (box.open) box.close();
    else show();
  });
  if (/Mac|iPhone|iPad/.test(navigator.platform)) document.querySelector("[data-palette] kbd").textContent = "⌘ K";
}
