// The page of one task: durations that go on, the form to run it again, and a family that is
// drawn anew at most every few seconds.
import { say } from "./say.js";

const page = () => document.getElementById("task");

// -- durations

function duration(seconds) {
  const value = Math.max(0, seconds);
  if (value < 60) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}h ${two(minutes)}m ${two(rest)}s` : `${minutes}m ${two(rest)}s`;
}

let skew = 0; // server's clock minus ours
document.body.addEventListener("flower:tasks", (event) => {
  if (event.detail?.now) skew = event.detail.now - Date.now() / 1000;
});
setInterval(() => {
  if (document.hidden) return;
  for (const element of document.querySelectorAll("[data-counts-from]")) {
    element.textContent = duration(Date.now() / 1000 + skew - Number(element.dataset.countsFrom));
  }
}, 1000);

// -- the end

let state = page()?.dataset.state;
const FINAL = ["SUCCESS", "FAILURE", "REVOKED"];
document.addEventListener("htmx:afterSettle", () => {
  const now = page()?.dataset.state;
  if (now === state) return;
  state = now;
  const announcer = document.getElementById("announcer");
  announcer.textContent = say("run.state", { state });
  tellReport();
  const force = document.getElementById("edit-force-box");
  if (force) force.hidden = FINAL.includes(state);
  if (FINAL.includes(state)) htmx.trigger("#others", "task:ended");
});

// -- the family

let asked = Date.now();
let planned = null;
document.body.addEventListener("flower:tasks", () => {
  const family = document.getElementById("family");
  if (!family?.dataset.follow || planned) return;
  planned = setTimeout(() => {
    planned = null;
    asked = Date.now();
    htmx.trigger("#family", "family:stale");
  }, Math.max(0, asked + Number(family.dataset.follow) - Date.now()));
});

// The task itself is in sight, however wide its family is.
function center() {
  const frame = document.querySelector(".graph-frame");
  const box = frame?.querySelector(".box-current rect");
  if (!box) return;
  frame.scrollLeft = box.x.baseVal.value + 107 - frame.clientWidth / 2;
  frame.scrollTop = box.y.baseVal.value + 22 - frame.clientHeight / 2;
}
center();

// -- run again

let ran = null; // the new task: {id}
function tellReport() {
  const report = document.getElementById("report");
  if (!report || !ran) return;
  const link = document.createElement("a");
  link.href = `${document.documentElement.dataset.prefix}/task/${encodeURIComponent(ran)}`;
  link.textContent = ran;
  report.replaceChildren(`${say("run.again")} `, link);
  report.hidden = false;
}

document.addEventListener("flower:answered", (event) => {
  const { operation, ok, answer } = event.detail;
  if (operation !== "task.retry" || !ok) return;
  ran = answer["task-id"];
  document.getElementById("edit")?.close();
  tellReport();
});
document.addEventListener("htmx:afterSettle", tellReport);

addEventListener("click", (event) => {
  const open = event.target.closest?.("[data-edit]");
  if (open) {
    document.getElementById("edit-error").textContent = "";
    document.getElementById(open.dataset.edit).showModal();
  }
  const close = event.target.closest?.("[data-close]");
  if (close) document.getElementById(close.dataset.close).close();
  const unfold = event.target.closest?.("[data-unfold]");
  if (unfold) {
    const all = unfold.getAttribute("aria-pressed") !== "true";
    for (const fold of unfold.closest(unfold.dataset.unfold).querySelectorAll(".frame-library details")) fold.open = all;
    unfold.setAttribute("aria-pressed", String(all));
  }
});

// What is no JSON is told in the form itself, before anything is sent.
document.getElementById("edit")?.addEventListener(
  "submit",
  (event) => {
    const error = document.getElementById("edit-error");
    delete error.dataset.kind;
    error.textContent = "";
    for (const field of event.target.querySelectorAll("textarea")) {
      field.removeAttribute("aria-invalid");
      const problem = problemOf(field);
      if (!problem) continue;
      event.preventDefault();
      event.stopImmediatePropagation();
      field.setAttribute("aria-invalid", "true");
      error.textContent = problem;
      field.focus();
      return;
    }
  },
  true,
);

function problemOf(field) {
  const text = field.value.trim();
  if (!text) return "";
  const name = field.labels[0].textContent;
  try {
    const value = JSON.parse(text);
    const list = field.dataset.type === "list";
    if (list === Array.isArray(value) && typeof value === "object" && value !== null) return "";
    return say(list ? "run.expected.array" : "run.expected.object", { name });
  } catch (error) {
    return `${name}: ${error.message}`;
  }
}
