// The overview is drawn again after events: at most every two seconds, and once more when they cease,
// because the server sums up once a second and gives the same answer to all for two.
const PAUSE = 2000;
const SETTLED = 3200;
let refreshed = 0;
let waiting;
let last;

function refresh() {
  waiting = undefined;
  if (document.hidden) return;
  refreshed = Date.now();
  document.body.dispatchEvent(new CustomEvent("flower:overview"));
}

function changed() {
  waiting ??= setTimeout(refresh, Math.max(0, PAUSE - (Date.now() - refreshed)));
  clearTimeout(last);
  last = setTimeout(refresh, SETTLED);
}

// The page of a cluster that was silent gets its charts when the first worker is heard.
document.body.addEventListener("flower:workers", () => {
  if (document.querySelector("#overview-lists[data-empty]")) location.reload();
});
for (const name of ["tasks", "workers", "facts", "notices"]) document.body.addEventListener(`flower:${name}`, changed);
