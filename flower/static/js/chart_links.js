// Where a click or a drag in a chart leads.

// An address of ours for a span of time: {start} and {end} in it are replaced, else they are added.
export function address(link, start, end) {
  const target = new URL(link, location.href);
  const moments = { start: iso(start), end: iso(end) };
  let placed = false;
  for (const [name, value] of [...target.searchParams]) {
    const filled = value.replace(/\{(start|end)\}/g, (_, which) => moments[which]);
    placed ||= filled !== value;
    target.searchParams.set(name, filled);
  }
  if (!placed) for (const [name, value] of Object.entries(moments)) target.searchParams.set(name, value);
  return target.href;
}

function iso(seconds) {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
