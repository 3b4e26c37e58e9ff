// The list of tasks stays still: rows that are shown keep their place and change in it, and newer ones
// are announced above the table until the reader asks for them, or for the live tail.
import { say } from "./say.js";

const PAUSE = 2000; // ms between two looks at what is new
const FACETS_PAUSE = 15000;
const TAIL = "flower-tail";

let waiting = false;
let asked = 0;
let took = 0; // ms of the last look: a slow search is not repeated all the time
let counted = Date.now();

const list = () => document.getElementById("list");
const tasks = () => document.getElementById("tasks");
const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};

// -- live tail

let tail = sessionStorage.getItem(TAIL) === "on";

// Why new rows are not put under the reader's eyes now; empty when they are.
function hindrance() {
  if (!tasks()?.hasAttribute("data-top")) return say("list.tail.top");
  if (document.querySelector("#selection:not([hidden])")) return say("list.tail.selected");
  if (document.querySelector("dialog[open], details.menu[open]")) return say("list.tail.menu");
  if (list()?.querySelector(".sheet")?.contains(document.activeElement)) return say("list.tail.focus");
  return scrollY > 200 && list()?.getBoundingClientRect().top < -40 ? say("list.tail.scrolled") : "";
}

function drawTail() {
  const button = document.querySelector("[data-tail]");
  if (!button) return;
  const why = tail ? hindrance() : "";
  button.setAttribute("aria-pressed", String(tail));
  button.toggleAttribute("data-waits", Boolean(why));
  button.title = why || say("list.tail.help");
}

function switchTail() {
  tail = !tail;
  sessionStorage.setItem(TAIL, tail ? "on" : "off");
  announce(tail ? say("list.tail.on") : say("list.tail.off"));
  if (tail && !tasks().hasAttribute("data-top")) {
    const top = new URL(tasks().dataset.view, location.href);
    top.searchParams.delete("sort");
    location.assign(top);
    return;
  }
  drawTail();
  if (tail) look();
}

async function follow() {
  const before = new Set([...list().querySelectorAll("tr[data-uuid]")].map((row) => row.id));
  await htmx.ajax("GET", tasks().dataset.view, { source: list(), target: "#list", swap: "morph:outerHTML show:none" });
  for (const row of list()?.querySelectorAll("tr[data-uuid]") ?? []) row.classList.toggle("is-new", !before.has(row.id));
}

// -- news

document.body.addEventListener("flower:tasks", () => {
  if (waiting || !tasks()) return;
  waiting = true;
  setTimeout(look, Math.max(0, Math.max(PAUSE, 10 * took) - (Date.now() - asked)));
});

async function look() {
  asked = Date.now();
  waiting = true;
  try {
    if (!list()?.dataset.newest || document.hidden) return;
    drawTail();
    count();
    await (tail && !hindrance() ? follow() : ask());
  } catch {
    // The connection sign tells that the server is away.
  } finally {
    took = Date.now() - asked;
    waiting = false;
  }
}

async function ask() {
  const shown = list();
  const address = new URL(tasks().dataset.view, location.href);
  address.searchParams.set("newest", shown.dataset.newest);
  address.searchParams.set("open", [...shown.querySelectorAll("tr[data-open]")].map((row) => row.dataset.open).join(","));
  const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "news" } });
  if (answer.ok && shown === list()) show(await answer.text());
}

function show(html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  const rows = answer.content.querySelector("template").content;
  for (const row of rows.querySelectorAll("tr")) {
    const old = document.getElementById(row.id);
    if (!old) continue;
    for (const [place, cell] of [...row.children].entries()) {
      const was = old.children[place];
      if (was && !cell.matches(".cell-mark") && !was.isEqualNode(cell) && !was.contains(document.activeElement)) was.replaceWith(cell.cloneNode(true));
    }
    if (!row.dataset.open) delete old.dataset.open;
  }
  const news = document.getElementById("news");
  const button = answer.content.querySelector(".news-button");
  if (news.textContent === (button?.textContent ?? "")) return;
  if (button && !news.firstElementChild) announce(button.textContent);
  news.replaceChildren(...(button ? [button] : []));
}

// -- facets

// Their numbers grow old; they are counted anew unless somebody is about to choose among them.
function count() {
  const facets = document.getElementById("facets");
  if (!facets || Date.now() - counted < FACETS_PAUSE) return;
  if (facets.matches(":hover, :focus-within") || document.querySelector("#states:hover, #states:focus-within")) return;
  counted = Date.now();
  htmx.trigger(facets, "refresh");
}

// htmx loads what is marked so once in the life of an element: later views of it are asked for here.
document.addEventListener("htmx:afterSettle", () => {
  const facets = document.getElementById("facets");
  if (!facets?.hasAttribute("data-uncounted")) return;
  facets.removeAttribute("data-uncounted");
  counted = Date.now();
  htmx.trigger(facets, "refresh");
});

// Rows that were not found yet when the page was shown.
document.addEventListener("htmx:afterSettle", () => {
  const rows = list();
  if (!rows?.hasAttribute("data-searching") || rows.hasAttribute("data-asked")) return;
  rows.setAttribute("data-asked", "");
  htmx.trigger(rows, "refresh");
});

// The value that was chosen by keyboard has the focus again when the values are there again.
let held = null; // {facet, value}
document.addEventListener("htmx:beforeSwap", () => {
  const link = document.activeElement?.closest?.("#facets a[title]");
  if (link) held = { facet: link.closest("section").getAttribute("aria-labelledby"), value: link.title };
});
document.addEventListener("htmx:afterSettle", () => {
  if (!held || document.activeElement !== document.body) return;
  const links = document.querySelectorAll(`#facets [aria-labelledby="${held.facet}"] a[title]`);
  if (!links.length) return;
  [...links].find((link) => link.title === held.value)?.focus();
  held = null;
});

// What was asked for by a view that was left meanwhile is not shown; a menu has done its work when the view changes.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, pathInfo, target } = event.detail;
  const source = requestConfig?.elt;
  if (source?.id === "facets" || (source?.id === "list" && target.id === "tasks")) {
    if (pathInfo.requestPath !== source.getAttribute("hx-get")) event.detail.shouldSwap = false;
  } else if (target.id === "tasks") {
    for (const menu of document.querySelectorAll("#tasks [data-menu][open]")) menu.open = false;
  }
});

addEventListener("click", (event) => {
  if (event.target.closest?.("[data-tail]")) switchTail();
  const fold = event.target.closest?.("[data-fold-facets]");
  if (fold) fold.setAttribute("aria-expanded", String(document.getElementById("main").toggleAttribute("data-facets")));
});
document.body.addEventListener("flower:acted", () => {
  if (tasks()) setTimeout(look, 400);
});
document.addEventListener("htmx:afterSettle", () => {
  if (tasks()) drawTail();
});

// An empty field is no filter and does not belong into the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (event.target.id !== "finder") return;
  const given = event.detail.formData ?? event.detail.parameters;
  for (const name of [...new Set([...given.keys()])]) if (!given.get(name)) given.delete(name);
  if (!given.get("start") && !given.get("end")) given.delete("tz");
  else given.delete("range");
});

if (tasks()) drawTail();
list()?.toggleAttribute("data-asked", true);
