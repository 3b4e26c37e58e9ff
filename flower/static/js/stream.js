// The live side of a page: one event stream a tab, closed while nobody looks. Messages say what has
// changed; they become events (flower:workers, flower:tasks, flower:facts, flower:notices) on the body,
// which regions name in hx-trigger. flower:tick comes every five seconds while the page is seen.
import { clock } from "./time.js";

const KINDS = ["workers", "tasks", "facts", "notices", "clusters"];
const TICK = 5000;
const prefix = document.documentElement.dataset.prefix;
const sign = document.getElementById("connection");

let source = null;
let last = null; // the newest message
const seen = {}; // revisions that this page shows; the first ones came with it
let skew = 0; // server's clock minus ours, in seconds
let lostSince = null;
let ticking = null;

const now = () => Date.now() / 1000 + skew;

function tell(name, detail) {
  document.body.dispatchEvent(new CustomEvent(`flower:${name}`, { detail }));
}

function open() {
  if (source || document.hidden) return;
  source = new EventSource(`${prefix}/stream`);
  source.onmessage = (event) => receive(JSON.parse(event.data));
  source.onerror = () => {
    lostSince ??= now();
    draw();
    if (source?.readyState === EventSource.CLOSED) {
      source = null;
      askWhy();
    }
  };
  ticking ??= setInterval(() => tell("tick"), TICK);
}

// A stream that was refused does not say why: where the login has ended, the page is loaded again and leads to it.
async function askWhy() {
  const answer = await fetch(`${prefix}/stream`, { method: "HEAD" }).catch(() => null);
  if (answer?.status === 401) location.reload();
  else setTimeout(open, 5000);
}

function close() {
  source?.close();
  source = null;
  clearInterval(ticking);
  ticking = null;
}

function receive(message) {
  last = message;
  skew = message.now - Date.now() / 1000;
  const returned = lostSince !== null;
  lostSince = null;
  draw();
  for (const element of document.querySelectorAll("[data-live]")) {
    const value = element.dataset.live.split(".").reduce((found, key) => found?.[key], message);
    if (typeof value === "number") element.textContent = value.toLocaleString("en-US");
  }
  for (const name of KINDS) {
    if (!(name in message)) continue; // there is only one cluster
    if (returned || String(message[name]) !== seen[name]) tell(name, message);
    seen[name] = String(message[name]);
  }
}

function draw() {
  if (!sign) return;
  const state = last?.connection ?? { kind: sign.dataset.kind, since: Number(sign.dataset.since) || null };
  const kind = lostSince === null ? state.kind : "lost";
  const since = lostSince ?? state.since;
  const part = (name) => sign.querySelector(`[data-part="${name}"]`);
  if (sign.dataset.kind !== kind) {
    document.getElementById("announcer").textContent = sign.getAttribute(`data-text-${kind}`);
    sign.dataset.kind = kind;
  }
  write(part("text"), sign.getAttribute(`data-text-${kind}`));
  write(part("since"), ["stale", "unreachable", "lost"].includes(kind) && since ? clockTime(since) : "");
  const heard = last?.last_event_at ?? (Number(sign.dataset.last) || null);
  write(part("age"), heard && kind === "live" ? age(now() - heard) : "");
  sign.title = state.reason ?? "";
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function clockTime(seconds) {
  return clock(seconds - skew);
}

function age(seconds) {
  const old = Math.max(0, seconds);
  if (old < 10) return `${old.toFixed(1)} s`;
  if (old < 60) return `${Math.floor(old)} s`;
  if (old < 3600) return `${Math.floor(old / 60)} min`;
  return old < 172800 ? `${Math.floor(old / 3600)} h` : `${Math.floor(old / 86400)} d`;
}

if (sign) {
  for (const name of KINDS) seen[name] = sign.dataset[name];
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  setInterval(() => document.hidden || draw(), 1000);
  open();
}
