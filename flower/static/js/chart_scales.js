// Where the steps of a chart's upright axis are.
export const DURATIONS = [1e-4, 1e-3, 1e-2, 0.1, 1, 10, 60, 600, 3600, 36000, 864000];

export function top(most) {
  return Math.max(1e-9, (most ?? 0) * 1.06) || 1;
}

export function decades(least, most) {
  if (!(most > 0)) return [1e-3, 1];
  const low = 10 ** Math.floor(Math.log10(least) + 1e-9);
  const high = DURATIONS.find((value) => value >= most) ?? most;
  return [Math.min(low, high / 10), high];
}

export function whole() {
  const steps = [];
  for (let ten = 1; ten < 1e12; ten *= 10) steps.push(ten, 2 * ten, 5 * ten);
  return steps;
}
