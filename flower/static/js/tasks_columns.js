// The menu of columns: those that are shown can be moved, with buttons or by dragging their line.
import { say } from "./say.js";

const form = () => document.querySelector("[data-choose-columns]");

function move(item, step) {
  const other = step < 0 ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (step < 0) other.before(item);
  else other.after(item);
}

addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-move]");
  if (!button || !form()?.contains(button)) return;
  const item = button.closest("li");
  move(item, Number(button.dataset.move));
  button.focus();
  const place = [...item.parentElement.children].indexOf(item) + 1;
  document.getElementById("announcer").textContent = say("list.column.place", { column: item.querySelector("label").textContent, place });
});

// A column that is chosen goes behind those that are shown, where it will be.
addEventListener("change", (event) => {
  const box = event.target;
  if (!box.matches?.('[data-choose-columns] input[name="column"]') || !box.checked) return;
  const item = box.closest("li");
  const shown = [...item.parentElement.children].filter((each) => each !== item && each.querySelector("input").checked);
  if (shown.length) shown.at(-1).after(item);
  box.focus();
});

let dragged = null;
addEventListener("pointerdown", (event) => {
  const item = event.target.closest?.(".column-list li");
  if (!item || event.target.closest("button, input") || event.pointerType === "touch") return;
  dragged = { item, y: event.clientY, moved: false };
});
addEventListener("pointermove", (event) => {
  if (!dragged || Math.abs(event.clientY - dragged.y) < 6) return;
  dragged.moved = true;
  dragged.item.setAttribute("data-moved", "");
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest(".column-list li");
  if (!over || over === dragged.item) return;
  const below = event.clientY > over.getBoundingClientRect().top + over.offsetHeight / 2;
  if (below) over.after(dragged.item);
  else over.before(dragged.item);
});
addEventListener("pointerup", () => {
  dragged?.item.removeAttribute("data-moved");
  if (dragged?.moved) swallowClick();
  dragged = null;
});

// The click that may follow a drag at once ticks no box.
function swallowClick() {
  const swallow = (event) => event.preventDefault();
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }));
}
addEventListener("pointercancel", () => {
  dragged?.item.removeAttribute("data-moved");
  dragged = null;
});
