// Completion of the search for tasks: fields, and the values of those that have few. A combobox as ARIA
// describes it: arrows choose, Enter or Tab take, Escape closes; Enter with nothing chosen searches.
const MOST = 12;
const LETTERS = 2; // of a word without a field before values are offered for it

let words = null; // {fields, values} as the server told
let loading = null;
let offered = [];
let chosen = -1;

const field = () => document.getElementById("search");
const box = () => document.getElementById("completions");

function load() {
  loading ??= fetch(field().dataset.words)
    .then((answer) => (answer.ok ? answer.json() : null))
    .then((told) => {
      words = told;
    })
    .catch(() => {
      loading = null; // the next key asks again
    });
  return loading;
}

// The word around the caret, as flower/utils/search/tokens.py cuts them: {start, end, head} where head is
// what stands before the caret.
export function wordAt(text, caret) {
  let start = 0;
  let quoted = false;
  for (let index = 0; index < caret; index += 1) {
    const sign = text[index];
    if (sign === "\\") index += 1;
    else if (sign === '"') quoted = !quoted;
    else if (!quoted && /[\s()]/.test(sign)) start = index + 1;
  }
  if (text[start] === "-" && start < caret) start += 1;
  let end = caret;
  for (let open = quoted; end < text.length; end += 1) {
    if (text[end] === '"') open = !open;
    else if (!open && /[\s()]/.test(text[end])) break;
  }
  return { start, end, head: text.slice(start, caret) };
}

const quote = (value) => (/[\s()"\\]/.test(value) ? `"${value.replace(/[\\"]/g, "\\$&")}"` : value);
const plain = (typed) => typed.replace(/^"/, "").replace(/\\(.)/g, "$1");

// Those that begin as typed, then those that hold it.
function matching(values, typed) {
  const wanted = typed.toLowerCase();
  const found = values.filter((value) => value.toLowerCase().includes(wanted));
  const begins = (value) => value.toLowerCase().startsWith(wanted);
  return [...found.filter(begins), ...found.filter((value) => !begins(value))];
}

function offers(head) {
  const colon = head.search(/[:"]/);
  if (colon > 0 && head[colon] === ":") return valuesOf(head.slice(0, colon).toLowerCase(), head.slice(colon + 1));
  const typed = plain(head);
  const fields = words.fields
    .filter((each) => each.name.startsWith(typed.toLowerCase()))
    .map((each) => ({ text: `${each.name}:`, note: each.help, more: true, typed }));
  if (typed.length < LETTERS) return fields;
  const values = Object.entries(words.values).flatMap(([name, known]) =>
    matching(known, typed).slice(0, MOST).map((value) => ({ text: `${name}:${quote(value)}`, note: "", typed })),
  );
  return [...fields, ...values];
}

function valuesOf(name, rest) {
  const known = words.values[name];
  if (!known) {
    const about = words.fields.find((each) => each.name === name);
    return about && !rest ? [{ text: `${name}:${quote(about.example)}`, note: about.takes, typed: "" }] : [];
  }
  // Several states stand with commas between them.
  const comma = name === "state" ? rest.lastIndexOf(",") + 1 : 0;
  const typed = plain(rest.slice(comma));
  const values = matching(known, typed).filter((value) => value !== typed || known.length > 1);
  if (values.length === 1 && values[0].toLowerCase() === typed.toLowerCase()) return [];
  return values.map((value) => ({ text: `${name}:${rest.slice(0, comma)}${quote(value)}`, note: "", typed }));
}

async function complete(opening = false) {
  if (!words) await load();
  const input = field();
  if (!words || document.activeElement !== input) return;
  const { head } = wordAt(input.value, input.selectionStart ?? input.value.length);
  offered = head || opening ? offers(head).slice(0, head ? MOST : words.fields.length) : [];
  chosen = -1;
  draw();
}

function draw() {
  const list = box();
  list.replaceChildren(...offered.map(drawn));
  list.hidden = !offered.length;
  list.scrollTop = 0;
  field().setAttribute("aria-expanded", String(!list.hidden));
  field().removeAttribute("aria-activedescendant");
}

function drawn({ text, note, typed }, place) {
  const option = document.createElement("div");
  option.className = "completion";
  option.id = `completion-${place}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.place = place;
  const word = document.createElement("span");
  word.className = "completion-word";
  const at = typed ? text.toLowerCase().lastIndexOf(typed.toLowerCase()) : -1;
  if (at < 0) word.textContent = text;
  else {
    const mark = document.createElement("b");
    mark.textContent = text.slice(at, at + typed.length);
    word.append(text.slice(0, at), mark, text.slice(at + typed.length));
  }
  option.append(word);
  if (note) {
    const about = document.createElement("span");
    about.className = "completion-note";
    about.textContent = note;
    option.append(about);
  }
  return option;
}

function choose(place) {
  box().children[chosen]?.setAttribute("aria-selected", "false");
  chosen = (place + offered.length) % offered.length;
  const option = box().children[chosen];
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  field().setAttribute("aria-activedescendant", option.id);
}

function take(place) {
  const { text, more } = offered[place];
  const input = field();
  const { start, end } = wordAt(input.value, input.selectionStart ?? input.value.length);
  const put = more ? text : `${text} `;
  const rest = input.value.slice(end);
  input.setRangeText(put + (more ? rest : rest.trimStart()), start, input.value.length);
  input.setSelectionRange(start + put.length, start + put.length);
  if (more) complete();
  else close();
}

function close() {
  offered = [];
  chosen = -1;
  if (box()) draw();
}

document.addEventListener("input", (event) => {
  if (event.target === field()) complete();
});

document.addEventListener("keydown", (event) => {
  if (event.target !== field() || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  const open = offered.length > 0;
  if (event.key === "ArrowDown" && !open) complete(true);
  else if (!open) return;
  else if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen < 0 ? offered.length - 1 : chosen - 1);
  else if (event.key === "Enter" && chosen >= 0) take(chosen);
  else if (event.key === "Tab" && !event.shiftKey && (chosen >= 0 || field().value.trim())) take(Math.max(0, chosen));
  else if (event.key === "Escape") close();
  else {
    if (event.key === "Enter") close();
    return;
  }
  event.preventDefault();
  event.stopPropagation();
});

document.addEventListener("focusin", (event) => {
  if (event.target === field()) load();
});
document.addEventListener("focusout", (event) => {
  if (event.target === field()) close();
});
// The field keeps the focus while an option is pressed.
document.addEventListener("pointerdown", (event) => {
  const option = event.target.closest?.(".completion");
  if (!option) {
    if (event.target === field() && !field().value && document.activeElement === field()) complete(true);
    return;
  }
  event.preventDefault();
  take(Number(option.dataset.place));
});
document.addEventListener("mousedown", (event) => {
  if (event.target.closest?.("#completions")) event.preventDefault();
});
document.addEventListener("htmx:afterSwap", close);
