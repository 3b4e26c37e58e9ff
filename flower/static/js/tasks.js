// The list of tasks stays still: rows that are shown keep their place and change in it, and newer
// ones are announced above the table until the reader asks for them.
const PAUSE = 2000;
let waiting = false;
let asked = 0;

document.body.addEventListener("flower:tasks", () => {
  if (waiting || !document.getElementById("tasks")) return;
  waiting = true;
  setTimeout(ask, Math.max(0, PAUSE - (Date.now() - asked)));
});

async function ask() {
  asked = Date.now();
  const list = document.getElementById("tasks");
  if (!list?.dataset.newest || document.hidden) {
    waiting = false;
    return;
  }
  const address = new URL(list.dataset.href, location.href);
  address.searchParams.set("newest", list.dataset.newest);
  address.searchParams.set("open", [...list.querySelectorAll("tr[data-open]")].map((row) => row.dataset.open).join(","));
  try {
    const answer = await fetch(address, { headers: { "HX-Request": "true", "HX-Target": "news" } });
    if (answer.ok && list === document.getElementById("tasks")) show(await answer.text());
  } catch {
    // The connection sign tells that the server is away.
  } finally {
    waiting = false;
  }
}

function show(html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  const rows = answer.content.querySelector("template").content;
  for (const row of rows.querySelectorAll("tr")) {
    const old = document.getElementById(row.id);
    if (old && !old.isEqualNode(row)) old.replaceWith(row);
  }
  const news = document.getElementById("news");
  const button = answer.content.querySelector(".news-button");
  if (news.textContent === (button?.textContent ?? "")) return;
  if (button && !news.firstElementChild) document.getElementById("announcer").textContent = button.textContent;
  news.replaceChildren(...(button ? [button] : []));
}

// An empty field is no filter and does not belong into the address.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches("form.filters")) return;
  const given = event.detail.formData ?? event.detail.parameters;
  for (const name of [...new Set([...given.keys()])]) if (!given.get(name)) given.delete(name);
  if (!given.get("start") && !given.get("end")) given.delete("tz");
  if (given.get("limit") === "15") given.delete("limit");
});
