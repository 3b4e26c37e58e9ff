// Parts of a page as tabs: <div data-tabs> with a list of links to #tab-... and the parts themselves.
// Without script they are headings one below the other. The address keeps the open one.
function prepare(set) {
  const list = set.querySelector(".tablist");
  const links = [...list.querySelectorAll("a")];
  list.setAttribute("role", "tablist");
  for (const link of links) {
    const panel = document.getElementById(link.hash.slice(1));
    link.setAttribute("role", "tab");
    link.setAttribute("aria-controls", panel.id);
    panel.setAttribute("role", "tabpanel");
  }
  const wanted = links.find((link) => link.hash === location.hash) || links[0];
  for (const link of links) {
    const open = link === wanted;
    link.setAttribute("aria-selected", String(open));
    link.tabIndex = open ? 0 : -1;
    document.getElementById(link.hash.slice(1)).toggleAttribute("data-open", open);
  }
  set.classList.add("ready");
}

function prepareAll() {
  for (const set of document.querySelectorAll("[data-tabs]")) prepare(set);
}

function open(link) {
  history.replaceState(history.state, "", link.hash);
  prepareAll();
  link.focus({ preventScroll: true });
}

addEventListener("click", (event) => {
  const link = event.target.closest?.('[role="tab"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link);
});

addEventListener("keydown", (event) => {
  const link = event.target.closest?.('[role="tab"]');
  if (!link) return;
  const links = [...link.parentElement.querySelectorAll('[role="tab"]')];
  const place = links.indexOf(link);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: links.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  open(links[(next + links.length) % links.length]);
});

addEventListener("hashchange", prepareAll);
document.addEventListener("htmx:afterSwap", prepareAll);
prepareAll();
