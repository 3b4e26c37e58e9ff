// What the scripts say: the tables of flower/texts/*/scripts, which the page brings along.
// {name} stands for a value; a text with the forms "one" and "other" is chosen by the value count.
const texts = JSON.parse(document.getElementById("texts").textContent);

const written = (value) => (typeof value === "number" ? value.toLocaleString("en-US") : String(value));

export function say(key, values = {}) {
  const entry = texts[key];
  if (entry === undefined) throw new Error(`No text has the key ${key}`);
  const form = typeof entry === "string" ? entry : entry[values.count === 1 ? "one" : "other"];
  return form.replace(/\{(\w+)\}/g, (place, name) => written(values[name]));
}
