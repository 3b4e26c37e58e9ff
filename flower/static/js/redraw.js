// A region that is drawn anew leaves what the reader has in hand: what is typed, chosen or ticked, unless the
// server has something new to say of it, and what was opened or closed.
function inHand(element, fresh) {
  if (element === document.activeElement) return element.type !== "checkbox" || ticked(element, fresh);
  if (element.matches("select")) return false;
  return element.type === "checkbox" ? ticked(element, fresh) : typed(element, fresh);
}

const ticked = (box, fresh) => box.checked !== box.defaultChecked && fresh.defaultChecked === box.defaultChecked;
const typed = (field, fresh) => field.value !== field.defaultValue && fresh.defaultValue === field.defaultValue;

const { callbacks } = window.Idiomorph.defaults;
callbacks.beforeNodeMorphed = (old, fresh) => {
  if (!(old instanceof Element) || !old.matches("input, select, textarea") || !inHand(old, fresh)) return true;
  if (old.type !== "checkbox" && "defaultValue" in old) old.defaultValue = fresh.defaultValue;
  for (const name of ["aria-invalid", "aria-describedby"]) {
    if (fresh.hasAttribute(name)) old.setAttribute(name, fresh.getAttribute(name));
    else old.removeAttribute(name);
  }
  return false;
};
callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.nodeName === "DETAILS");
