// Copy buttons: <button data-copy="text">.
import { say } from "./say.js";

addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  const done = await write(button.dataset.copy);
  document.getElementById("announcer").textContent = done ? say("common.copied") : say("common.copied.not");
  if (!done) return;
  button.dataset.done = "";
  setTimeout(() => delete button.dataset.done, 1500);
});

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS there is no clipboard object: an invisible field does it.
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
