// The tooltip of the chart under the pointer, and the same in words for a screen reader.
const tip = byId("tip");
const MOST_ROWS = 9;

function tipRow(series, label, value) {
  return html("div", { class: "row" }, svg("svg", { viewBox: "0 0 18 10", "aria-hidden": "true" }, series ? swatch(series) : null), html("span", { text: label }), html("b", { text: value }));
}

function tipFor(chart) {
  const rows = [];
  const quiet = [];
  for (const { series, value, note } of chart.values()) {
    if (value === null) continue;
    if (series.quiet) quiet.push({ series, value });
    else rows.push(tipRow(series, series.label + (note ? ` ${note}` : ""), series.format(value)));
  }
  quiet.sort((a, b) => b.value - a.value);
  const room = Math.max(3, MOST_ROWS - rows.length);
  for (const { series, value } of quiet.slice(0, room)) rows.push(tipRow(series, series.name, series.format(value)));
  if (quiet.length > room) rows.push(html("div", { class: "note", text: `and ${quiet.length - room} more pods, lower` }));
  if (!rows.length) rows.push(html("div", { class: "note", text: "nothing was recorded here" }));
  return rows;
}

function whenRow(x) { return html("div", { class: "when", text: moment(x) }, html("small", { text: timeOfDay(x) })); }

function placeTip(rows, px, py) {
  tip.replaceChildren(...rows);
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = px + 18 + box.width > window.innerWidth - 8 ? px - 18 - box.width : px + 18;
  tip.style.left = `${clamp(left, 8, Math.max(8, window.innerWidth - box.width - 8))}px`;
  tip.style.top = `${clamp(py, 64, Math.max(64, window.innerHeight - box.height - 8))}px`;
}

function drawTip(charts) {
  const chart = charts.find((one) => one.spec.id === timeline.active);
  if (timeline.cursor === null || !chart) {
    if (timeline.active !== "lanes") tip.hidden = true;
    return;
  }
  const box = chart.plot.getBoundingClientRect();
  placeTip([whenRow(timeline.cursor), ...tipFor(chart)], box.left + chart.sx(timeline.cursor), box.top + 12);
}

function speak(id) {
  const chart = page.charts.find((one) => one.spec.id === id);
  if (!chart) return;
  const told = chart.values().filter(({ value, series }) => value !== null && !series.quiet).map(({ series, value }) => `${series.label} ${series.format(value)}`);
  byId("said").textContent = `${moment(timeline.cursor)}: ${told.join(", ") || "nothing was recorded here"}`;
}
