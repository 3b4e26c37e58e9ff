// Times in the zone that was chosen (the browser's, unless said otherwise): says which one it is to the server,
// rewrites what came in another, and keeps "2 minutes ago" true. Formats are those of flower/views/moments.py.
import { say } from "./say.js";

const KEY = "flower-zone";
const root = document.documentElement;
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const zones = { browser: own, app: root.dataset.zoneApp, server: root.dataset.zoneServer };
const served = root.dataset.zone;
const choice = chosen();
export const zone = known(zones[choice]) || served;

function chosen() {
  try {
    return localStorage.getItem(KEY) in zones ? localStorage.getItem(KEY) : "browser";
  } catch {
    return "browser"; // storage is off
  }
}

function known(name) {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return name;
  } catch {
    return "";
  }
}

function keep(name, value) {
  const age = value ? 31536000 : 0;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=${root.dataset.root || "/"}; max-age=${age}; samesite=lax${secure}`;
}

const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
});

function pieces(seconds) {
  const found = {};
  for (const { type, value } of parts.formatToParts(new Date(Math.round(seconds * 1000)))) found[type] = value;
  found.date = `${found.year}-${found.month}-${found.day}`;
  return found;
}

export function clock(seconds) {
  const then = pieces(seconds);
  const time = `${then.hour}:${then.minute}:${then.second}`;
  return then.date === pieces(Date.now() / 1000).date ? time : `${then.date} ${time}`;
}

function text(seconds, style) {
  if (style === "clock") return clock(seconds);
  const { date, hour, minute, second, fractionalSecond } = pieces(seconds);
  if (style === "minute") return `${date} ${hour}:${minute}`;
  const time = `${hour}:${minute}:${second}.${fractionalSecond}`;
  return style === "short" ? time : `${date} ${time}`;
}

function ago(seconds) {
  const distance = Math.abs(Date.now() / 1000 - seconds);
  if (distance < 1) return say("time.now");
  for (const [size, name] of [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]]) {
    if (distance < size) continue;
    const count = Math.floor(distance / size);
    const span = say(`time.span.${name}`, { count });
    return say(Date.now() / 1000 >= seconds ? "time.ago" : "time.ahead", { span });
  }
}

function rewrite(within) {
  for (const element of within.querySelectorAll("time[data-at]")) {
    const { at, style } = element.dataset;
    if (style !== "relative") element.textContent = text(Number(at), style);
    else element.title = `${text(Number(at), "full")} ${zone}`;
  }
}

function refresh() {
  if (document.hidden) return;
  for (const element of document.querySelectorAll('time[data-style="relative"]')) {
    const words = ago(Number(element.dataset.at));
    if (element.textContent !== words) element.textContent = words;
  }
}

// The title of a time says how long ago it was; it is made when it is looked at.
addEventListener("pointerover", (event) => {
  const element = event.target.closest?.("time[data-at]");
  if (element && element.dataset.style !== "relative") element.title = `${ago(Number(element.dataset.at))} (${zone})`;
});

export function chooseZone(wanted) {
  try {
    if (wanted === "browser") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, wanted);
  } catch {
    // The choice holds until the next page.
  }
  keep("flower_zone", zones[wanted]);
  location.reload();
}

export function chooseTimes(wanted) {
  keep("flower_times", wanted);
  location.reload();
}

addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-choose-zone], [data-choose-times]");
  if (!button) return;
  if (button.dataset.chooseZone) chooseZone(button.dataset.chooseZone);
  else chooseTimes(button.dataset.chooseTimes);
});
for (const button of document.querySelectorAll("[data-choose-zone]")) {
  button.setAttribute("aria-pressed", String(button.dataset.chooseZone === choice));
  if (button.dataset.chooseZone === "browser") button.querySelector(".menu-note").textContent = own;
}

if (zone && zone !== served) {
  keep("flower_zone", zone);
  rewrite(document);
  for (const element of document.querySelectorAll("[data-zone-name]")) element.textContent = zone;
  for (const element of document.querySelectorAll('input[name="tz"]')) {
    if (!document.querySelector("#start")?.value && !document.querySelector("#end")?.value) element.value = zone;
  }
}
setInterval(refresh, 5000);
