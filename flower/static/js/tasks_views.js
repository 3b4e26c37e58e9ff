// Views of the list of tasks, saved under a name in this browser: the address of the list is the view.
import { say } from "./say.js";

const KEY = "flower-views";
const MOST = 100;

const menu = () => document.querySelector("[data-views]");
const part = (name) => menu().querySelector(`[data-part="${name}"]`);
const announce = (text) => {
  document.getElementById("announcer").textContent = text;
};
const home = () => document.getElementById("tasks").dataset.default;

// The arguments of the address that are the view; the page of the list is not.
function arguments_() {
  const query = new URL(document.getElementById("tasks").dataset.view, location.href).searchParams;
  query.set("columns", document.getElementById("tasks").dataset.columns);
  return query.toString();
}

function saved() {
  try {
    const known = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(known) ? known.filter((view) => typeof view?.name === "string" && typeof view?.query === "string") : [];
  } catch {
    return [];
  }
}

function keep(views) {
  try {
    localStorage.setItem(KEY, JSON.stringify(views.slice(0, MOST)));
  } catch {
    document.dispatchEvent(new CustomEvent("flower:toast", { detail: { text: say("list.view.unsaved"), kind: "bad" } }));
  }
  draw();
}

function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "view-act";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function entry(view) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `${home()}?${view.query}`;
  link.textContent = view.name;
  if (view.query === arguments_()) link.setAttribute("aria-current", "true");
  item.append(
    link,
    button(say("list.view.rename"), say("list.view.rename.label", { view: view.name }), () => rename(item, view)),
    button(say("list.view.delete"), say("list.view.delete.label", { view: view.name }), () => {
      keep(saved().filter((each) => each.name !== view.name));
      announce(say("list.view.deleted", { view: view.name }));
      document.getElementById("view-name").focus();
    }),
  );
  return item;
}

function rename(item, view) {
  const form = document.createElement("form");
  form.className = "view-rename";
  const input = document.createElement("input");
  input.value = view.name;
  input.maxLength = 80;
  input.required = true;
  input.setAttribute("aria-label", say("list.view.new_name"));
  const done = document.createElement("button");
  done.className = "btn btn-small";
  done.textContent = say("list.view.rename");
  form.append(input, done);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (!name) return;
    keep(saved().filter((each) => each.name !== name || each.name === view.name).map((each) => (each.name === view.name ? { ...each, name } : each)));
    announce(say("list.view.renamed", { name }));
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    draw();
  });
  item.replaceChildren(form);
  input.select();
}

function draw() {
  if (!menu()) return;
  const views = saved();
  part("list").replaceChildren(...views.map(entry));
  part("none").hidden = views.length > 0;
  // copy.js does the copying.
  document.querySelector("[data-copy-address]").dataset.copy = new URL(`${home()}?${arguments_()}`, location.href).href;
}

addEventListener("submit", (event) => {
  const form = event.target.closest?.('[data-part="save"]');
  if (!form || !menu()?.contains(form)) return;
  event.preventDefault();
  const name = form.elements.view.value.trim();
  if (!name) return;
  keep([...saved().filter((view) => view.name !== name), { name, query: arguments_() }]);
  form.reset();
  announce(say("list.view.saved", { name }));
});

addEventListener("storage", (event) => {
  if (event.key === KEY) draw();
});
document.addEventListener("htmx:afterSettle", draw);
draw();
