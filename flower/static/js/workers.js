// The workers' pages: what is selected in the list is shut down, restarted or asked together, each worker by a
// request of its own.
import { say } from "./say.js";

const AT_ONCE = 4;
const REFRESHED_AT_ONCE = 200;
const chosen = new Map(); // name -> how many tasks it ran when it was last drawn
const dialog = document.getElementById("bulk");
const part = (name, within = dialog) => within.querySelector(`[data-part="${name}"]`);

// -- selection

function boxes() {
  return [...document.querySelectorAll("[data-pick]:not(:disabled)")];
}

function draw() {
  const bar = document.getElementById("bulk-bar");
  if (!bar) return;
  for (const row of document.querySelectorAll("tr[data-worker]")) {
    const box = row.querySelector("[data-pick]");
    if (!box) continue;
    if (box.disabled) chosen.delete(box.dataset.pick);
    box.checked = chosen.has(box.dataset.pick);
    if (box.checked) chosen.set(box.dataset.pick, Number(row.dataset.running));
  }
  const all = document.querySelector("[data-pick-all]");
  const here = boxes().filter((box) => box.checked).length;
  all.disabled = !boxes().length;
  all.checked = here > 0 && here === boxes().length;
  all.indeterminate = here > 0 && !all.checked;
  bar.toggleAttribute("data-none", chosen.size === 0);
  const words = say("roster.selected", { count: chosen.size });
  if (part("count", bar).textContent !== words) part("count", bar).textContent = chosen.size ? words : "";
}

addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches("[data-pick-all]")) {
    for (const each of boxes()) choose(each.dataset.pick, box.checked);
  } else if (box.matches("[data-pick]")) choose(box.dataset.pick, box.checked);
  else return;
  draw();
});

function choose(name, wanted) {
  if (wanted) chosen.set(name, 0);
  else chosen.delete(name);
}

document.addEventListener("htmx:afterSwap", draw);

// -- together

const ACTS = {
  shutdown: {
    path: "/api/worker/shutdown/",
    meaning: (running, number) => {
      const whose = number === 1 ? "one" : "many";
      const first = running ? say(`roster.shutdown.running.${whose}`, { count: running }) : say(`roster.shutdown.idle.${whose}`);
      return say("roster.shutdown.meaning", { first, count: number });
    },
  },
  restart: {
    path: "/api/worker/pool/restart/",
    meaning: () => say("roster.restart.meaning"),
  },
};
let act = null;
let names = [];

function begin(slug) {
  act = { slug, ...ACTS[slug] };
  names = [...chosen.keys()];
  const running = [...chosen.values()].reduce((sum, number) => sum + number, 0);
  part("question").textContent = say(`roster.${slug}.question`, { count: names.length, name: names[0] });
  part("meaning").textContent = act.meaning(running, names.length);
  part("progress").textContent = "";
  part("list").replaceChildren(...names.map((name) => line(name, chosen.get(name) ? say("roster.running", { number: chosen.get(name) }) : say("roster.idle"))));
  part("go").hidden = false;
  part("go").disabled = false;
  part("go").textContent = names.length === 1 ? say(`roster.${slug}.one`) : say(`roster.${slug}.many`, { number: names.length });
  part("cancel").textContent = say("common.cancel");
  dialog.showModal();
  part("cancel").focus();
}

function line(name, text) {
  const item = document.createElement("li");
  const note = document.createElement("span");
  note.textContent = text;
  item.append(name, note);
  return item;
}

async function one(place) {
  const item = part("list").children[place];
  item.lastChild.textContent = say("roster.asked");
  let ok = false;
  let text;
  try {
    const address = dialog.dataset.prefix + act.path + encodeURIComponent(names[place]);
    const headers = { "Content-Type": "application/json", "X-Requested-With": "Flower" };
    const answer = await fetch(address, { method: "POST", headers, body: "{}" });
    const said = await answer.json();
    ok = answer.ok;
    text = ok ? say("roster.done") : said.error;
  } catch {
    text = say("common.unreachable");
  }
  item.dataset.kind = ok ? "good" : "bad";
  item.lastChild.textContent = text;
  if (ok) chosen.delete(names[place]);
  return ok;
}

async function perform() {
  part("go").disabled = true;
  part("cancel").textContent = say("common.close");
  let next = 0;
  let done = 0;
  let ended = 0;
  const worker = async () => {
    while (next < names.length) {
      if (await one(next++)) done += 1;
      ended += 1;
      part("progress").textContent = say("roster.progress", { ended, number: names.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const failed = names.length - done;
  const words = say(`roster.${act.slug}.${failed ? "refused" : "done"}`, { done, failed });
  part("progress").textContent = words;
  part("go").hidden = true;
  part("cancel").focus();
  document.dispatchEvent(new CustomEvent("flower:toast", { detail: { text: words, kind: failed ? "bad" : "good" } }));
  draw();
  document.body.dispatchEvent(new CustomEvent("flower:acted", { detail: { operation: "bulk", target: names } }));
}

async function refresh(button) {
  const address = new URL(document.getElementById("workers").getAttribute("hx-get") ?? location.href, location.href);
  address.searchParams.set("refresh", "1");
  for (const name of [...chosen.keys()].slice(0, REFRESHED_AT_ONCE)) address.searchParams.append("worker", name);
  button.setAttribute("aria-busy", "true");
  await window.htmx.ajax("GET", address.pathname + address.search, { target: "#workers", swap: "morph:outerHTML" });
}

addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-bulk]");
  if (!button) return;
  const slug = button.dataset.bulk;
  if (slug === "clear") {
    chosen.clear();
    draw();
  } else if (slug === "refresh") refresh(button);
  else begin(slug);
});

if (dialog) {
  part("cancel").addEventListener("click", () => dialog.close());
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (!part("go").disabled && !part("go").hidden) perform();
  });
}
