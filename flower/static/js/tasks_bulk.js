// Doing something to many tasks: what was counted is shown, confirmed, and done to exactly those, in steps
// that can be stopped; then it is told what became of each.
import { say } from "./say.js";
import { toast } from "./toasts.js";

const STEP = 200; // tasks that workers are told to revoke at once
const AT_ONCE = 4; // tasks that are sent again at the same time
const SHOWN = 300; // lines of the list of results

const FINAL = new Set(["SUCCESS", "FAILURE", "REVOKED"]);
const WAITING = new Set(["PENDING", "RECEIVED", "RETRY", "REJECTED"]);
const runs = (state) => !FINAL.has(state) && !WAITING.has(state); // tasks set states of their own while they run
const AGAIN = new Set(["SUCCESS", "FAILURE", "REVOKED", "REJECTED"]);

// What may be done to a task in a state; else why it is left out.
const ACTS = {
  revoke: {
    left: (state) => (FINAL.has(state) ? say("bulk.left.ended") : runs(state) ? say("bulk.left.runs") : ""),
    will: (state) => say(state === "RETRY" ? "bulk.will.not_again" : "bulk.will.not"),
    warn: () => "",
  },
  terminate: {
    left: (state) => (FINAL.has(state) ? say("bulk.left.ended") : ""),
    will: (state) => say(runs(state) ? "bulk.will.signal" : "bulk.will.not"),
    warn: () => say("bulk.warn.terminate"),
  },
  retry: {
    left: (state) => (AGAIN.has(state) ? "" : say("bulk.left.open")),
    will: () => say("bulk.will.again"),
    warn: (count) => (count > 1000 ? say("bulk.warn.slow") : ""),
  },
};

const bar = document.getElementById("selection");
const dialog = document.getElementById("bulk");
const part = (name) => dialog.querySelector(`[data-part="${name}"]`);
const number = (count) => count.toLocaleString("en-US");

let job = null; // {name, todo, results, stopped, after}

function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

async function fetched(address, options = {}) {
  const answer = await fetch(address, {
    ...options,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-Requested-With": "Flower" },
  });
  let said = {};
  try {
    said = await answer.json();
  } catch {
    said = { error: say("common.answered", { status: answer.status }) };
  }
  return { ok: answer.ok, said };
}

// -- the preview

export async function offer(name, ids, after) {
  const address = new URL(bar.dataset.tasks, location.href);
  if (!ids) address.search = new URL(document.getElementById("tasks").dataset.view, location.href).search;
  const buttons = bar.querySelectorAll("[data-bulk]");
  for (const button of buttons) button.toggleAttribute("data-busy", true);
  try {
    const { ok, said } = await fetched(address, ids ? { method: "POST", body: JSON.stringify({ ids }) } : {});
    if (ok) preview(name, said, ids, after);
    else toast(said.error ?? say("bulk.uncounted"), "bad");
  } catch {
    toast(say("bulk.unreachable"), "bad");
  } finally {
    for (const button of buttons) button.toggleAttribute("data-busy", false);
  }
}

function preview(name, told, ids, after) {
  const act = ACTS[name];
  const groups = new Map();
  for (const task of told.tasks) groups.set(task.state, (groups.get(task.state) ?? 0) + 1);
  const todo = told.tasks.filter((task) => !act.left(task.state));
  job = { name, todo, results: [], stopped: false, running: false, after };
  part("title").textContent = say(`bulk.${name}.${todo.length ? "ask" : "none"}`, { count: todo.length });
  const list = element("ul", "", "bulk-groups");
  for (const [state, count] of [...groups].sort((one, other) => Boolean(act.left(one[0])) - Boolean(act.left(other[0])) || other[1] - one[1])) {
    const why = act.left(state);
    const item = element("li", "", why ? "is-left" : "");
    const badge = element("span", state, `badge-state is-${state.toLowerCase()}`);
    item.append(element("b", number(count)), badge, element("span", why ? say("bulk.left", { why }) : act.will(state)));
    list.append(item);
  }
  const gone = ids ? ids.length - told.tasks.length : 0;
  const notes = [];
  if (told.more) notes.push(say("bulk.more", { number: told.most }));
  if (gone) notes.push(say("bulk.gone", { count: gone }));
  if (todo.length && act.warn(todo.length)) notes.push(act.warn(todo.length));
  part("preview").replaceChildren(list, ...notes.map((note) => element("p", note, "bulk-warn")));
  part("preview").hidden = false;
  part("work").hidden = part("results").hidden = true;
  part("go").hidden = !todo.length;
  part("go").textContent = say(`bulk.${name}.go`, { count: todo.length });
  part("go").classList.toggle("btn-danger-full", name !== "retry");
  part("go").classList.toggle("btn-primary", name === "retry");
  part("cancel").textContent = say(todo.length ? "common.cancel" : "common.close");
  dialog.showModal();
  part("cancel").focus();
}

// -- the work

async function work() {
  job.running = true;
  part("preview").hidden = part("go").hidden = true;
  part("work").hidden = false;
  part("title").textContent = say(`bulk.${job.name}.title`, { count: job.todo.length });
  part("cancel").textContent = say("bulk.stop");
  part("progress").max = job.todo.length;
  told();
  try {
    await (job.name === "retry" ? sendAll() : revokeAll());
  } finally {
    job.running = false;
    finished();
  }
}

async function revokeAll() {
  const terminate = job.name === "terminate";
  for (let from = 0; from < job.todo.length && !job.stopped; from += STEP) {
    const step = job.todo.slice(from, from + STEP);
    const ids = step.map((task) => task.uuid);
    try {
      const { ok, said } = await fetched(bar.dataset.revoke, { method: "POST", body: JSON.stringify({ ids, terminate }) });
      if (!ok) note(step, false, said.error ?? say("bulk.refused"));
      else await revoked(step, said);
    } catch {
      note(step, false, say("bulk.unknown"));
    }
    told();
  }
}

// The answer counts; which tasks had ended meanwhile is asked for.
async function revoked(step, said) {
  const refused = Object.entries(said.refused ?? {}).map(([worker, why]) => `${worker}: ${why}`);
  const silent = (said.silent ?? []).length ? [say("bulk.silent", { workers: said.silent.join(", ") })] : [];
  const why = [...refused, ...silent].join("; ");
  const late = new Set();
  if (said.finished) {
    const { said: now } = await fetched(bar.dataset.tasks, { method: "POST", body: JSON.stringify({ ids: step.map((task) => task.uuid) }) });
    for (const task of now.tasks ?? []) if (task.state === "SUCCESS" || task.state === "FAILURE") late.add(task.uuid);
  }
  const reached = Object.keys(said.workers ?? {}).length > 0;
  note(step.filter((task) => late.has(task.uuid)), false, say("bulk.meanwhile"));
  note(step.filter((task) => !late.has(task.uuid)), reached || !why, why || (reached ? "" : say("bulk.nobody")));
}

async function sendAll() {
  const waiting = [...job.todo];
  const send = async () => {
    while (waiting.length && !job.stopped) {
      const task = waiting.shift();
      try {
        const { ok, said } = await fetched(`${bar.dataset.retry}/${encodeURIComponent(task.uuid)}`, { method: "POST", body: "{}" });
        note([task], ok, ok ? "" : said.error ?? say("bulk.refused"), said["task-id"]);
      } catch {
        note([task], false, say("bulk.unknown"));
      }
      told();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, send));
}

function note(some, ok, why, made = "") {
  for (const task of some) job.results.push({ task, ok, why, made });
}

function told() {
  const { results, todo } = job;
  const failed = results.filter((result) => !result.ok).length;
  part("progress").value = results.length;
  const parts = [say("bulk.progress", { number: results.length, all: todo.length })];
  if (failed) parts.push(say(`bulk.${job.name}.failed`, { number: failed }));
  part("told").textContent = parts.join(", ");
}

function finished() {
  const { results, todo, name, stopped } = job;
  const good = results.filter((result) => result.ok).length;
  const bad = results.length - good;
  const rest = todo.length - results.length;
  const said = [say(`bulk.${name}.done`, { count: good })];
  if (bad) said.push(say("bulk.not", { number: bad }));
  if (rest) said.push(say(stopped ? "bulk.rest.stopped" : "bulk.rest", { number: rest }));
  part("told").textContent = `${said.join(", ")}.`;
  part("cancel").textContent = say("common.close");
  part("cancel").focus();
  const table = element("table");
  const ordered = [...results].sort((one, other) => one.ok - other.ok);
  table.append(...ordered.slice(0, SHOWN).map(line));
  part("results").replaceChildren(table);
  if (ordered.length > SHOWN) part("results").append(element("p", say("bulk.results.more", { number: ordered.length - SHOWN }), "hint"));
  part("results").hidden = !results.length;
  if (good) {
    const detail = { operation: `task.${job.name}`, target: "", answer: { message: part("told").textContent }, ok: true };
    document.body.dispatchEvent(new CustomEvent("flower:acted", { detail }));
  }
  if (good && !bad && !rest) job.after();
}

function link(uuid, text) {
  const made = element("a", text);
  made.href = `${bar.dataset.task}/${encodeURIComponent(uuid)}`;
  return made;
}

function line({ task, ok, why, made }) {
  const row = element("tr");
  const head = element("th");
  head.scope = "row";
  head.append(link(task.uuid, task.name || say("bulk.nameless")), element("span", task.uuid.slice(0, 8), "mono"));
  const what = element("td", say(`bulk.${job.name}.${ok ? "did" : "did_not"}`), ok ? "good" : "bad");
  const more = element("td", why);
  if (made) more.append(`${say("bulk.as")} `, link(made, made.slice(0, 8)));
  row.append(head, what, more);
  return row;
}

if (dialog) {
  part("go").addEventListener("click", work);
  part("cancel").addEventListener("click", () => {
    if (!job?.running) dialog.close();
    else {
      job.stopped = true;
      part("cancel").textContent = say("bulk.stopping");
    }
  });
  // What is under way is not hidden by Escape: it is stopped first.
  dialog.addEventListener("cancel", (event) => {
    if (!job?.running) return;
    event.preventDefault();
    part("cancel").click();
  });
}
