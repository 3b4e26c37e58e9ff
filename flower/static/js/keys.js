// Single-key shortcuts, never while typing, never with a modifier, never below a dialog.
//   /  search     g o|t|w|q  pages     j k  rows of a list     Enter  open     x  select     ?  help
import { show } from "./palette.js";

const WAIT = 1200; // ms between g and its second key
let since = 0; // when g was pressed

const typing = (element) =>
  element?.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"], [role="tab"]');

// Rows that are seen and lead somewhere: those of tables, and whatever a page marks with data-row.
function rows() {
  return [...document.querySelectorAll("main .sheet tbody tr, main [data-row]")].filter(
    (row) => row.getClientRects().length && goal(row),
  );
}

function goal(row) {
  return row.querySelector("[data-primary]") ?? row.querySelector("a.strong") ?? row.querySelector("a[href]");
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + step));
  goal(all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
  return true;
}

function select() {
  const row = document.activeElement?.closest?.("tr, [data-row]");
  const mark = row?.querySelector('input[type="checkbox"]');
  mark?.click();
  return Boolean(mark);
}

function search() {
  const field = document.querySelector('main #search, main input[type="search"]');
  if (!field) show();
  else {
    field.focus();
    field.select?.();
  }
  return true;
}

function help() {
  document.getElementById("shortcuts").showModal();
  return true;
}

const KEYS = { "/": search, "?": help, j: () => move(1), k: () => move(-1), x: select };

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (Date.now() - since < WAIT) {
    since = 0;
    const link = /^[a-z]$/.test(event.key) && document.querySelector(`[data-go="${event.key}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  } else if (event.key === "g" && document.querySelector("[data-go]")) since = Date.now();
  else if (document.getElementById("shortcuts") && Object.hasOwn(KEYS, event.key) && KEYS[event.key]()) event.preventDefault();
});

addEventListener("click", (event) => {
  if (event.target.closest?.("[data-help]")) help();
});
