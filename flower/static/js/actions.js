// What buttons with data-operation do: ask first where it is due, send, and tell what came of it.
// flower:acted on the body (detail: operation, target, answer) lets the page's regions draw themselves anew.
import { say } from "./say.js";
import { toast } from "./toasts.js";

const dialog = document.getElementById("ask");
const part = (name) => dialog.querySelector(`[data-part="${name}"]`);

const running = new WeakSet(); // buttons whose operation is under way, also when the page drew them anew
const FRESH = 8000; // ms after an action
let acted = 0;
let asking = null; // what the dialog is about: {source, body}

function element(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
}

// -- fields

function input(field) {
  const common = { name: field.name, required: field.required, "data-type": field.type, id: `ask-${field.name}` };
  if (field.choices.length) {
    const select = element("select", common, ...field.choices.map((choice) => element("option", { value: choice }, choice)));
    if (field.value !== null) select.value = field.value;
    return select;
  }
  if (field.type === "bool") return element("input", { type: "checkbox", ...common, checked: Boolean(field.value) });
  if (field.type === "list" || field.type === "object") {
    const text = field.value === null || typeof field.value === "string" ? field.value ?? "" : JSON.stringify(field.value, null, 2);
    return element("textarea", { ...common, rows: 4, spellcheck: "false" }, text);
  }
  const number = field.type === "int" || field.type === "float";
  const kind = number
    ? { type: "number", min: field.min, max: field.max, step: field.type === "int" ? 1 : "any" }
    : { type: "text", autocomplete: "off", spellcheck: "false" };
  return element("input", { ...kind, ...common, value: field.value ?? "" });
}

function labelled(field) {
  const control = input(field);
  const name = element("span", { class: "act-label" }, field.label);
  const words = field.type === "bool" ? [control, name] : [name, control];
  const box = element("label", { class: `act-field act-${field.type}` }, ...words);
  if (field.help && field.help !== field.label) box.append(element("small", { class: "act-help" }, field.help));
  return box;
}

// The values of the inputs as JSON has them; an empty one is not sent. Throws a message about a wrong one.
function values(inputs) {
  const found = {};
  for (const control of inputs) {
    if (!control.name || !control.dataset.type) continue;
    if (!control.checkValidity()) {
      control.focus();
      throw new Error(`${nameOf(control)}: ${control.validationMessage}`);
    }
    const { type } = control.dataset;
    const text = control.value.trim();
    if (type === "bool") found[control.name] = control.checked;
    else if (text === "") continue;
    else if (type === "int" || type === "float") found[control.name] = Number(text);
    else if (type === "list" || type === "object") found[control.name] = parsed(control, text);
    else found[control.name] = text;
  }
  return found;
}

function parsed(control, text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    control.focus();
    throw new Error(say("common.no_json", { name: nameOf(control), why: error.message }));
  }
}

function nameOf(control) {
  return control.closest("label")?.querySelector(".act-label")?.textContent ?? control.name;
}

// -- asking

function ask(source, body, again = null) {
  const { question, target, destructive } = source.dataset;
  const fields = again ? [] : JSON.parse(source.dataset.fields ?? "[]");
  const count = again?.count;
  asking = { source, body };
  const label = source.dataset.label ?? labelOf(source);
  // What follows the question explains it.
  const [, asked, more] = /^([\s\S]*?\?)\s+([A-Z][\s\S]*)$/.exec(question) ?? [null, question || say("actions.ask", { label }), ""];
  part("question").textContent = asked;
  part("text").textContent = more;
  const facts = { ...(target && !question.includes(target) ? { [say("actions.target")]: target } : {}) };
  for (const [name, value] of Object.entries(body)) {
    if (name !== "confirm") facts[name] = typeof value === "string" ? value : JSON.stringify(value);
  }
  if (count !== undefined) facts[source.dataset.counts] = count.toLocaleString("en-US");
  part("facts").replaceChildren(
    ...Object.entries(facts).map(([name, value]) => element("div", {}, element("dt", {}, humane(name)), element("dd", {}, value))),
  );
  part("fields").replaceChildren(...fields.map(labelled));
  part("error").textContent = "";
  const go = part("go");
  go.textContent = count === undefined ? label : say("actions.go", { label, number: count, things: source.dataset.counts });
  go.classList.toggle("btn-danger-full", destructive !== undefined);
  go.classList.toggle("btn-primary", destructive === undefined);
  busy(go, false);
  if (!dialog.open) dialog.showModal();
  // Where something is destroyed, a second Enter must not do it.
  (part("fields").querySelector("input, select, textarea") ?? (destructive === undefined ? go : part("cancel"))).focus();
}

function humane(name) {
  return name[0].toUpperCase() + name.slice(1).replaceAll("_", " ");
}

function labelOf(source) {
  return (source.matches("form") ? source.querySelector('[type="submit"]') : source).textContent.trim();
}

function busy(button, state) {
  button.toggleAttribute("data-busy", state);
  button.setAttribute("aria-busy", String(state));
  button.setAttribute("aria-disabled", String(state));
}

// -- sending

async function send(source, body) {
  const answer = await fetch(source.dataset.url, {
    method: "POST",
    // The header asks for the whole answer also where the API speaks as Flower 2.x did.
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-Requested-With": "Flower" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    said = { error: text.slice(0, 500) };
  }
  return { ok: answer.ok, status: answer.status, said };
}

async function perform(source, body) {
  const button = source.matches("form") ? source.querySelector('[type="submit"]') : source;
  if (running.has(button)) return;
  const go = part("go");
  running.add(button);
  busy(button, true);
  busy(go, true);
  try {
    const { ok, status, said } = await send(source, body);
    if (status === 409 && said.confirm) {
      ask(source, { ...body, confirm: said.confirm }, said);
      return;
    }
    if (status === 400 && dialog.open && asking?.source === source && part("fields").children.length) {
      part("error").textContent = said.error;
      return;
    }
    finish(source, ok, said, status);
  } catch {
    finish(source, false, { error: say("common.unreachable") }, 0);
  } finally {
    running.delete(button);
    busy(button, false);
    busy(go, false);
  }
}

function finish(source, ok, said, status) {
  if (dialog.open && asking?.source === source) dialog.close();
  const text = ok ? said.message ?? say("common.done") : said.error || say("common.answered", { status });
  toast(text, ok ? "good" : "bad");
  const { operation, target, report } = source.dataset;
  const place = report ? document.getElementById(report) : null;
  if (place) {
    place.textContent = text;
    place.dataset.kind = ok ? "good" : "bad";
  }
  const detail = { operation, target, answer: said, ok };
  source.dispatchEvent(new CustomEvent("flower:answered", { detail, bubbles: true }));
  if (ok) acted = Date.now();
  if (ok) document.body.dispatchEvent(new CustomEvent("flower:acted", { detail }));
}

function begin(source, body) {
  if (source.dataset.preview !== undefined) perform(source, body);
  else if (source.dataset.destructive !== undefined || source.dataset.fields) ask(source, body);
  else perform(source, body);
}

addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-operation]");
  if (button) begin(button, JSON.parse(button.dataset.arguments));
});

// What is asked for right after an action is not what was drawn for others before it.
document.addEventListener("htmx:configRequest", (event) => {
  if (Date.now() - acted < FRESH) event.detail.headers["Cache-Control"] = "no-cache";
});

addEventListener("submit", (event) => {
  const form = event.target.closest?.("form[data-operation]");
  if (!form) return;
  event.preventDefault();
  try {
    begin(form, { ...JSON.parse(form.dataset.arguments), ...values(form.elements) });
  } catch (error) {
    toast(error.message, "bad");
  }
});

dialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (part("go").hasAttribute("data-busy")) return;
  try {
    part("error").textContent = "";
    const given = values(dialog.querySelectorAll("[data-type]"));
    perform(asking.source, { ...asking.body, ...given });
  } catch (error) {
    part("error").textContent = error.message;
  }
});

part("cancel").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  asking = null;
});
