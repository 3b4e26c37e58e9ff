// Which tasks of the list are selected: by their boxes, a range with Shift, all of the page, all that match.
// The selection outlives paging and sorting; another filter begins anew.
import { say } from "./say.js";
import { offer } from "./tasks_bulk.js";

const marked = new Map(); // uuid -> name
let whole = false; // everything that matches, also what is on other pages
let last = null; // the box that was used last, where a range begins
let filters = "";

const bar = document.getElementById("selection");
const tasks = () => document.getElementById("tasks");
const part = (name) => bar.querySelector(`[data-part="${name}"]`);
const boxes = () => [...document.querySelectorAll("#list [data-mark]")];
const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};

// What the list is about: its filters, without its order and columns.
function about() {
  const query = new URL(tasks().dataset.view, location.href).searchParams;
  for (const name of ["sort", "columns", "limit"]) query.delete(name);
  return query.toString();
}

function total() {
  return document.querySelector("#list .pages-range")?.dataset.total ?? "";
}

function mark(box, on) {
  box.checked = on;
  if (on) marked.set(box.dataset.mark, box.closest("tr").querySelector(".cell-main")?.textContent.trim() ?? "");
  else marked.delete(box.dataset.mark);
}

function clear() {
  marked.clear();
  whole = false;
  last = null;
  draw();
}

function draw() {
  if (!bar || !tasks()) return;
  if (filters !== about()) {
    filters = about();
    marked.clear();
    whole = false;
  }
  const here = boxes();
  for (const box of here) box.checked = whole || marked.has(box.dataset.mark);
  const on = here.filter((box) => box.checked).length;
  const all = document.querySelector("[data-mark-all]");
  if (all) {
    all.checked = here.length > 0 && on === here.length;
    all.indeterminate = on > 0 && on < here.length;
  }
  bar.hidden = !whole && marked.size === 0;
  part("count").textContent = whole ? total() : marked.size.toLocaleString("en-US");
  part("whole").hidden = !whole;
  const more = !whole && here.length > 0 && on === here.length && total() !== marked.size.toLocaleString("en-US");
  part("all").hidden = !more;
  part("all").textContent = say("list.select.all", { number: total() });
}

addEventListener("click", (event) => {
  const box = event.target.closest?.("#list [data-mark]");
  if (!bar || !box) return;
  if (whole) {
    // Everything but this one cannot be said: the page stays selected.
    whole = false;
    for (const each of boxes()) mark(each, each !== box);
  } else if (event.shiftKey && last?.isConnected) {
    const all = boxes();
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
    for (const each of all.slice(from, to + 1)) mark(each, box.checked);
  } else mark(box, box.checked);
  last = box;
  draw();
});

addEventListener("change", (event) => {
  if (!bar || !event.target.matches?.("[data-mark-all]")) return;
  whole = false;
  for (const box of boxes()) mark(box, event.target.checked);
  draw();
  announce(say("list.selected", { number: marked.size }));
});

bar?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button === part("clear")) clear();
  else if (button === part("all")) {
    whole = true;
    draw();
    announce(say("list.selected.all", { number: total() }));
  } else if (button.dataset.bulk) offer(button.dataset.bulk, whole ? null : [...marked.keys()], clear);
});

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !bar || bar.hidden || document.querySelector("dialog[open], details.menu[open]")) return;
  if (event.target.matches?.("input:not([type=checkbox]), textarea, select")) return;
  clear();
});

// The boxes of a row that comes anew are as they were.
document.addEventListener("htmx:afterSettle", draw);
draw();
