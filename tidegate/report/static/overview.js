// How wide a flag's text is, before it is drawn.
const measure = document.createElement("canvas").getContext("2d");
function textWidth(text) {
  measure.font = `620 11px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
}

// The whole run above the charts, with the span in view as a window that can be dragged, and the flags of events.
class Rail {
  constructor(host) {
    this.overview = svg("svg", { class: "overview", "aria-hidden": "true" });
    this.flags = svg("svg", { class: "lane-flags", role: "group", "aria-label": "Scale events and faults" });
    host.append(this.overview, this.flags);
    let grabbed = null;
    this.overview.addEventListener("pointerdown", (event) => {
      this.overview.setPointerCapture(event.pointerId);
      const x = this.sx.invert(event.offsetX);
      const [from, to] = timeline.view;
      if (!timeline.zoomed) { grabbed = { pick: x }; return; }
      if (x < from || x > to) timeline.show(x - (to - from) / 2, x + (to - from) / 2);
      grabbed = { x, view: [...timeline.view] };
    });
    this.overview.addEventListener("pointermove", (event) => {
      if (!grabbed) return;
      const x = this.sx.invert(clamp(event.offsetX, this.left, this.right));
      if (grabbed.pick !== undefined) { grabbed.to = x; this.drawWindow([grabbed.pick, x].sort((a, b) => a - b)); }
      else timeline.show(grabbed.view[0] + x - grabbed.x, grabbed.view[1] + x - grabbed.x);
    });
    const drop = () => {
      if (grabbed && grabbed.to !== undefined) timeline.show(...[grabbed.pick, grabbed.to].sort((a, b) => a - b));
      grabbed = null;
    };
    this.overview.addEventListener("pointerup", drop);
    this.overview.addEventListener("pointercancel", () => { grabbed = null; });
    this.overview.addEventListener("dblclick", () => timeline.reset());
  }

  draw(width) {
    this.left = narrow() ? 46 : 62;
    this.right = width - (narrow() ? 12 : 20);
    this.drawOverview(width);
    this.drawFlags(width);
  }

  drawOverview(width) {
    const high = 34;
    this.sx = linear(...timeline.full, this.left, this.right);
    this.overview.setAttribute("viewBox", `0 0 ${width} ${high}`);
    this.overview.setAttribute("height", high);
    this.overview.replaceChildren();
    const { load, ready } = DATA.series;
    if (load && load.x.length) {
      const sy = linear(0, Math.max(...load.offered) || 1, high - 2, 4);
      this.overview.append(svg("path", { class: "sea", d: areaPath({ x: load.x, y: load.offered, kind: "line" }, this.sx, sy, timeline.full) }));
    }
    if (ready && ready.x.length) {
      const sy = linear(0, Math.max(...ready.y) || 1, high - 2, 4);
      this.overview.append(svg("path", { class: "gate", d: stepPath(ready, this.sx, sy, timeline.full) }));
    }
    this.overview.append(svg("line", { class: "zero-line", x1: this.left, x2: this.right, y1: high - 1, y2: high - 1 }));
    this.window = svg("g", {});
    this.overview.append(this.window);
    this.high = high;
    this.drawWindow(timeline.view);
  }

  drawWindow([from, to]) {
    const x0 = this.sx(from);
    const x1 = this.sx(to);
    const { high } = this;
    const made = [timeline.zoomed || from !== timeline.full[0] || to !== timeline.full[1] ? svg("rect", { class: "view", x: x0, y: 1, width: Math.max(1, x1 - x0), height: high - 2, rx: 4 }) : svg("g", {})];
    if (x0 > this.left) made.push(svg("rect", { class: "veil", x: this.left, y: 0, width: x0 - this.left, height: high }), svg("rect", { class: "grip", x: x0 - 1.5, y: 10, width: 3, height: 14, rx: 1.5 }));
    if (x1 < this.right) made.push(svg("rect", { class: "veil", x: x1, y: 0, width: this.right - x1, height: high }), svg("rect", { class: "grip", x: x1 - 1.5, y: 10, width: 3, height: 14, rx: 1.5 }));
    this.window.replaceChildren(...made);
  }

  // Flags stand in as many rows as they need not to cover each other, at most three (five on a phone).
  drawFlags(width) {
    const sx = linear(...timeline.view, this.left, this.right);
    const found = [
      ...DATA.scale_events.map((event, i) => ({ x: event.t_s - DATA.origin_s, text: `${event.direction === "up" ? "▲" : "▼"} ${event.from}→${event.to}`, look: event.direction, open: () => openEvent(i), say: `Scale event ${event.from} to ${event.to} pods` })),
      ...DATA.faults.map((fault) => ({ x: faultSpan(fault)[0], text: `⚡ ${fault.name.length > 24 ? `${fault.name.slice(0, 23)}…` : fault.name}`, look: "fault", open: () => { const [from, to] = faultSpan(fault); timeline.show(from - 10, to + 20); }, say: `Fault ${fault.name}` })),
    ].filter((flag) => flag.x >= timeline.view[0] && flag.x <= timeline.view[1]).sort((a, b) => a.x - b.x);
    const ends = Array(narrow() ? 5 : 3).fill(-Infinity);
    const made = [];
    for (const flag of found) {
      const wide = textWidth(flag.text) + 14;
      const x = clamp(sx(flag.x) - 1, this.left, this.right - wide);
      const row = ends.findIndex((end) => x > end + 4);
      if (row < 0) continue;
      ends[row] = x + wide;
      const press = (event) => { if (event.type === "click" || event.key === "Enter" || event.key === " ") { event.preventDefault(); flag.open(); } };
      made.push(svg("g", { class: `flag ${flag.look}`, tabindex: 0, role: "button", "aria-label": `${flag.say} at ${moment(flag.x)}`, onclick: press, onkeydown: press },
        svg("rect", { x, y: 5 + row * 21, width: wide, height: 18, rx: 5 }), svg("text", { x: x + 7, y: 18 + row * 21, text: flag.text })));
    }
    const rows = ends.filter((end) => end > -Infinity).length;
    const high = rows ? rows * 21 + 8 : 0;
    this.flags.setAttribute("viewBox", `0 0 ${width} ${Math.max(1, high)}`);
    this.flags.setAttribute("height", high);
    this.flags.replaceChildren(...made);
  }
}
