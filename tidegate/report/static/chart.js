// One chart of the stack: head, legend, plot. Its series come from `spec.build()`, anew at every change.
class Chart {
  constructor(spec) {
    this.spec = spec;
    this.outputs = new Map();
    this.head = html("div", { class: "chart-head" },
      html("h3", { text: spec.title }, spec.unit && html("small", { text: spec.unit })), spec.extra);
    this.legend = html("div", { class: "legend", role: "group", "aria-label": `Series of ${spec.title}` });
    this.head.append(this.legend);
    this.plot = svg("svg", { class: "plot", tabindex: 0, role: "application", "aria-roledescription": "chart", "aria-label": `${spec.title}. ${spec.say}`, "data-chart": spec.id });
    this.element = html("div", { class: "chart", id: `chart-${spec.id}` }, this.head, this.plot);
    this.series = [];
    this.drawLegend(spec.build());
  }

  drawLegend(built) {
    for (const series of built.series.filter((one) => one.label)) {
      // Only what has values gets room for them; the room is kept, so that the legend never jumps.
      const output = series.x.length ? html("output", {}) : null;
      const key = svg("svg", { viewBox: "0 0 18 10", "aria-hidden": "true" }, swatch(series));
      const button = html("button", { type: "button", "aria-pressed": "true", "data-series": series.id, onclick: () => {
        timeline.toggle(series.id);
        button.setAttribute("aria-pressed", String(!timeline.hidden.has(series.id)));
      } }, key, html("span", { text: series.label }), output);
      if (output) this.outputs.set(series.id, output);
      this.legend.append(button);
    }
  }

  get margins() { return narrow() ? { left: 46, right: 12 } : { left: 62, right: 20 }; }

  draw(width, last) {
    const { left, right } = this.margins;
    const inner = narrow() ? this.spec.height * 0.84 : this.spec.height;
    const top = 10;
    const bottom = last ? 26 : 8;
    this.inner = inner;
    this.top = top;
    const built = this.spec.build();
    this.series = built.series.filter((one) => !timeline.hidden.has(one.id));
    const rules = (built.rules || []).filter((one) => !timeline.hidden.has(one.id));
    const highest = this.highest(rules, built);
    const tickCount = clamp(Math.round(inner / 42), 2, 5);
    const ticks = valueTicks(highest, tickCount, built.whole);
    this.sx = linear(...timeline.view, left, width - right);
    this.sy = linear(0, highest, top + inner, top);
    const height = top + inner + bottom;
    const clip = `clip-${this.spec.id}`;
    const body = svg("g", { "clip-path": `url(#${clip})` });
    const front = svg("g", {});
    this.cross = svg("g", {});
    this.plot.replaceChildren(
      svg("clipPath", { id: clip }, svg("rect", { x: left, y: 0, width: Math.max(0, width - left - right), height: top + inner + 1 })),
      ...this.back(width, ticks, built, last), body, front, this.cross);
    this.plot.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.plot.setAttribute("height", height);
    body.append(...eventMarks(this.sx, top, inner));
    if (built.band && !timeline.hidden.has(built.band.id)) body.append(this.bandMark(built.band, width));
    for (const series of this.series) body.append(...this.seriesMarks(series));
    for (const rule of rules) this.ruleMark(rule, width, highest, body, front);
  }

  // The most that must fit: all that is shown, and every rule that is not far off.
  highest(rules, built) {
    let most = built.least || 0;
    for (const { x, y, gap } of this.series) {
      const [first, last] = x.length ? inView(x, timeline.view) : [0, -1];
      for (let i = first; i <= last; i += 1) most = Math.max(most, y[i] === null ? 0 : y[i]);
    }
    const seen = most;
    for (const rule of rules) if (rule.always || rule.value <= seen * 4) most = Math.max(most, rule.value);
    return (most || 1) * 1.08;
  }

  back(width, ticks, built, last) {
    const { left, right } = this.margins;
    const { top, inner } = this;
    const made = [];
    const [from, to] = DATA.load_window_s ? DATA.load_window_s.map((t) => t - DATA.origin_s) : timeline.full;
    for (const [a, b] of [[timeline.view[0], from], [to, timeline.view[1]]]) {
      const x0 = clamp(this.sx(a), left, width - right);
      const x1 = clamp(this.sx(b), left, width - right);
      if (x1 > x0) made.push(svg("rect", { class: "outside", x: x0, y: top, width: x1 - x0, height: inner }));
    }
    const time = timeTicks(...timeline.view, (width - left - right) / 78);
    for (const x of time.ticks) {
      made.push(svg("line", { class: "grid-line", x1: at1(this.sx(x)), x2: at1(this.sx(x)), y1: top, y2: top + inner }));
      if (last) made.push(svg("text", { x: at1(this.sx(x)), y: top + inner + 18, "text-anchor": "middle", text: timeLabel(x, time.step) }));
    }
    for (const tick of ticks) {
      const y = Math.round(this.sy(tick));
      made.push(svg("line", { class: tick ? "grid-line" : "zero-line", x1: left, x2: width - right, y1: y, y2: y }));
      made.push(svg("text", { x: left - 8, y: y + 4, "text-anchor": "end", text: built.format(tick) }));
    }
    return made;
  }

  bandMark(band, width) {
    const [low, high] = band.values.map((value) => this.sy(value));
    return svg("rect", { class: "tolerance", x: this.margins.left, width: width - this.margins.left, y: high, height: Math.max(1, low - high) });
  }

  seriesMarks(series) {
    const made = [];
    const { view } = timeline;
    const path = { line: linePath, step: stepPath, bars: barPath }[series.kind](series, this.sx, this.sy, view);
    if (series.area) made.push(svg("path", { class: `area c-${series.look}`, d: areaPath(series, this.sx, this.sy, view) }));
    made.push(svg("path", { class: `${series.kind === "bars" ? "bars" : "series"} c-${series.look} ${series.style || ""}`, d: path }));
    return made;
  }

  ruleMark(rule, width, highest, body, front) {
    const { left, right } = this.margins;
    const off = rule.value > highest;
    const y = off ? this.top + 6 : Math.round(this.sy(rule.value));
    if (!off) body.append(svg("line", { class: `rule c-${rule.look}`, x1: left, x2: width - right, y1: y, y2: y }));
    front.append(svg("text", { class: `rule-label c-${rule.look}`, x: width - right - 6, y: off ? y + 6 : y < this.top + 16 ? y + 13 : y - 6, "text-anchor": "end", text: off ? `${rule.label} ↑` : rule.label }));
  }

  // Values under the crosshair, for legend, tooltip and screen reader.
  values() {
    const x = timeline.cursor;
    if (x === null) return [];
    return this.series.map((series) => {
      const i = indexAt(series, x - (series.width ? 0 : series.shift || 0));
      const value = i < 0 ? null : series.y[i];
      return { series, value, at: i < 0 ? null : series.x[i] + (series.shift || 0), note: i >= 0 && series.note ? series.note(i) : "" };
    });
  }

  drawCursor() {
    const x = timeline.cursor;
    this.cross.replaceChildren();
    for (const output of this.outputs.values()) output.textContent = "";
    if (x === null || !this.sx) return;
    const px = Math.round(this.sx(x)) + 0.5;
    this.cross.append(svg("line", { class: "cross", x1: px, x2: px, y1: this.top, y2: this.top + this.inner }));
    for (const { series, value, at } of this.values()) {
      if (value === null || series.quiet) continue;
      if (series.kind !== "bars") {
        const cx = series.kind === "step" ? px : this.sx(at);
        this.cross.append(svg("circle", { class: `cross-dot c-${series.look}`, cx: at1(cx), cy: at1(this.sy(value)), r: 4 }));
      }
      const output = this.outputs.get(series.id);
      if (output && !narrow()) output.textContent = series.format(value);
    }
  }
}

function swatch(series) {
  if (series.kind === "bars" || series.kind === "band") return svg("rect", { class: `${series.kind === "band" ? "tolerance" : `bars c-${series.look}`}`, width: 18, height: 9, y: 0.5, rx: 2 });
  return svg("path", { class: `${series.kind === "rule" ? "rule" : "series"} c-${series.look} ${series.style || ""}`, d: series.kind === "step" ? "M1 8H9V2H17" : "M1 5H17" });
}

// Scale events and faults, behind the series of every chart.
function eventMarks(sx, top, inner) {
  const made = [];
  for (const fault of DATA.faults) {
    const [from, to] = faultSpan(fault);
    made.push(svg("rect", { class: "fault-band", x: at1(sx(from)), width: Math.max(1, at1(sx(to) - sx(from))), y: top, height: inner }));
    made.push(svg("line", { class: "fault-edge", x1: at1(sx(from)), x2: at1(sx(from)), y1: top, y2: top + inner }));
  }
  for (const event of DATA.scale_events) {
    const x = at1(sx(event.t_s - DATA.origin_s));
    made.push(svg("line", { class: `event-line ${event.direction}`, x1: x, x2: x, y1: top, y2: top + inner }));
  }
  return made;
}
function faultSpan(fault) {
  const from = (fault.landed_t_s ?? fault.asked_t_s ?? fault.lifted_t_s) - DATA.origin_s;
  const to = fault.lifted_t_s === null ? (fault.landed_t_s === null ? from : timeline.full[1]) : fault.lifted_t_s - DATA.origin_s;
  return [from, Math.max(from, to)];
}
