// Path data for lines, steps, areas and bars.
const at1 = (value) => Math.round(value * 10) / 10;

// The part of a series that the view shows, with one point on either side so that lines run to the edges.
function inView(x, [from, to]) {
  let first = 0;
  let last = x.length - 1;
  while (first < x.length - 1 && x[first + 1] <= from) first += 1;
  while (last > 0 && x[last - 1] >= to) last -= 1;
  return [first, last];
}

function linePath(series, sx, sy, view) {
  const { x, y, gap, shift = 0 } = series;
  const [first, last] = inView(x, view);
  let path = "";
  let pen = false;
  for (let i = first; i <= last; i += 1) {
    if (y[i] === null) { pen = false; continue; }
    if (pen && gap && x[i] - x[i - 1] > gap) pen = false;
    path += `${pen ? "L" : "M"}${at1(sx(x[i] + shift))} ${at1(sy(y[i]))}`;
    // A lone point between gaps is a dot: a line of no length with a round end.
    if (!pen && (i === last || (gap && x[i + 1] - x[i] > gap))) path += "h0.01";
    pen = true;
  }
  return path;
}

function stepPath({ x, y }, sx, sy, view) {
  const [first, last] = inView(x, view);
  let path = "";
  for (let i = first; i <= last; i += 1) {
    path += path ? `H${at1(sx(x[i]))}V${at1(sy(y[i]))}` : `M${at1(sx(x[i]))} ${at1(sy(y[i]))}`;
  }
  return path;
}

function areaPath(series, sx, sy, view) {
  const [first, last] = inView(series.x, view);
  const top = series.kind === "step" ? stepPath(series, sx, sy, view) : linePath({ ...series, gap: 0 }, sx, sy, view);
  const shift = series.shift || 0;
  return top ? `${top}V${at1(sy(0))}H${at1(sx(series.x[first] + shift))}Z` : "";
}

function barPath({ x, y, width }, sx, sy, view) {
  const [first, last] = inView(x, view);
  const wide = Math.max(1.5, sx(width) - sx(0) - 0.5);
  let path = "";
  for (let i = first; i <= last; i += 1) {
    if (!y[i]) continue;
    // One failure among thousands must still be seen.
    const high = Math.max(3, sy(0) - sy(y[i]));
    path += `M${at1(sx(x[i]))} ${at1(sy(0))}v${at1(-high)}h${at1(wide)}v${at1(high)}Z`;
  }
  return path;
}

// Index of what the series says at x: the bucket or step that x is in, or the nearest sample.
function indexAt(series, x) {
  const { x: at, kind, width, reach } = series;
  if (!at.length) return -1;
  let low = 0;
  let high = at.length;
  while (low < high) { const middle = (low + high) >> 1; if (at[middle] <= x) low = middle + 1; else high = middle; }
  const before = low - 1;
  if (kind === "step") return before;
  if (width) return before >= 0 && x < at[before] + width ? before : -1;
  let nearest = before;
  if (before < 0 || (low < at.length && at[low] - x < x - at[before])) nearest = low;
  return reach && Math.abs(at[nearest] - x) > reach ? -1 : nearest;
}
