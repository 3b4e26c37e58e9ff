// Short messages at the edge of the page: good ones go after five seconds, bad ones when they are closed.
// Every script can send one: toast(text, "good" | "bad"), or a flower:toast event on the document.
import { say } from "./say.js";

const SECONDS = 5;
const MOST = 5;
const place = document.getElementById("toasts");

export function toast(text, kind = "good") {
  const box = document.createElement("div");
  box.className = `toast-box toast-${kind}`;
  box.setAttribute("role", kind === "bad" ? "alert" : "status");
  const words = document.createElement("p");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "toast-close";
  close.setAttribute("aria-label", say("common.close"));
  close.textContent = "×";
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  place.append(box);
  while (place.children.length > MOST) place.firstElementChild.remove();
  if (kind !== "bad") leave(box);
  return box;
}

// The clock stands still while the message is looked at.
function leave(box) {
  let timer = setTimeout(() => box.remove(), SECONDS * 1000);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => {
    timer = setTimeout(() => box.remove(), 2000);
  });
}

document.addEventListener("flower:toast", (event) => toast(event.detail.text, event.detail.kind));
