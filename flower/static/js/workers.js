// The workers' pages: what is selected in the list is shut down, restarted or asked together, each worker by a
// request of its own.
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
  const words = chosen.size === 1 ? "1 worker selected" : `${chosen.size} workers selected`;
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
    label: "Shut down",
    question: (many) => `Shut down ${many}?`,
    meaning: (running, number) => {
      const tasks = running === 1 ? "1 running task is" : `${running} running tasks are`;
      const [its, they, them] = number === 1 ? ["Its", "it holds", "it"] : ["Their", "they hold", "them"];
      const first = running ? `${its} ${tasks} finished first` : `Nothing runs on ${them} now`;
      return `${first}, what ${they} waiting goes back to its queue, and nothing starts ${them} again from here.`;
    },
  },
  restart: {
    path: "/api/worker/pool/restart/",
    label: "Restart pools",
    question: (many) => `Restart the pools of ${many}?`,
    meaning: () => "Every process is replaced: each ends with the task that it runs, or with its next one. A worker without the setting worker_pool_restarts refuses.",
  },
};
let act = null;
let names = [];

function begin(slug) {
  act = ACTS[slug];
  names = [...chosen.keys()];
  const running = [...chosen.values()].reduce((sum, number) => sum + number, 0);
  part("question").textContent = act.question(names.length === 1 ? names[0] : `${names.length} workers`);
  part("meaning").textContent = act.meaning(running, names.length);
  part("progress").textContent = "";
  part("list").replaceChildren(...names.map((name) => line(name, chosen.get(name) ? `${chosen.get(name)} running` : "idle")));
  part("go").hidden = false;
  part("go").disabled = false;
  part("go").textContent = names.length === 1 ? act.label : `${act.label}: ${names.length}`;
  part("cancel").textContent = "Cancel";
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
  item.lastChild.textContent = "asked…";
  let ok = false;
  let text;
  try {
    const address = dialog.dataset.prefix + act.path + encodeURIComponent(names[place]);
    const headers = { "Content-Type": "application/json", "X-Requested-With": "Flower" };
    const answer = await fetch(address, { method: "POST", headers, body: "{}" });
    const said = await answer.json();
    ok = answer.ok;
    text = ok ? "done" : said.error;
  } catch {
    text = "Flower could not be reached: it is not known whether this was done.";
  }
  item.dataset.kind = ok ? "good" : "bad";
  item.lastChild.textContent = text;
  if (ok) chosen.delete(names[place]);
  return ok;
}

async function perform() {
  part("go").disabled = true;
  part("cancel").textContent = "Close";
  let next = 0;
  let done = 0;
  let ended = 0;
  const worker = async () => {
    while (next < names.length) {
      if (await one(next++)) done += 1;
      ended += 1;
      part("progress").textContent = `${ended} of ${names.length} answered`;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const failed = names.length - done;
  const words = `${act.label}: ${done} done${failed ? `, ${failed} refused` : ""}`;
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
