// Pods as swim lanes, by node.
const ROW = 20;
const NODE_ROW = 30;

class Lanes {
  constructor(host) {
    this.plot = svg("svg", { class: "lanes", tabindex: 0, role: "application", "aria-roledescription": "chart", "aria-label": `Lives of ${DATA.pods.length} pods by node. Up and down choose a pod, left and right move in time.` });
    host.append(this.plot);
    this.rows = [];
    let node;
    let y = 6;
    for (const pod of DATA.pods) {
      if (pod.node !== node || !this.rows.length) {
        node = pod.node;
        this.rows.push({ node: node || "no node", count: DATA.pods.filter((one) => one.node === node).length, y, height: NODE_ROW });
        y += NODE_ROW;
      }
      this.rows.push({ pod, y, height: ROW });
      y += ROW;
    }
    this.height = y + 30;
    this.chosen = null;
    pointable(this.plot, { id: "lanes", sx: () => this.sx, edges: () => [this.left, this.right], onmove: (event) => {
      const at = event.clientY - this.plot.getBoundingClientRect().top;
      this.choose(this.rows.find((row) => row.pod && at >= row.y && at < row.y + row.height) || null, event.clientY);
    } });
    this.plot.addEventListener("pointerleave", () => this.choose(null));
    this.plot.addEventListener("blur", () => this.choose(null));
    this.plot.addEventListener("keydown", (event) => this.keyed(event));
  }

  draw(width) {
    this.left = narrow() ? 12 : 212;
    this.right = width - (narrow() ? 12 : 20);
    this.sx = linear(...timeline.view, this.left, this.right);
    const inner = this.height - 30;
    const body = svg("g", { "clip-path": "url(#clip-lanes)" });
    const names = svg("g", {});
    this.cross = svg("g", {});
    this.hits = new Map();
    const back = [];
    const time = timeTicks(...timeline.view, (this.right - this.left) / 78);
    for (const x of time.ticks) {
      back.push(svg("line", { class: "grid-line", x1: at1(this.sx(x)), x2: at1(this.sx(x)), y1: 4, y2: inner }));
      back.push(svg("text", { x: at1(this.sx(x)), y: this.height - 10, "text-anchor": "middle", text: timeLabel(x, time.step) }));
    }
    for (const row of this.rows) {
      if (!row.pod) {
        names.append(svg("text", { class: "node", x: narrow() ? 12 : 16, y: row.y + 20, text: `${row.node}  ·  ${row.count} pod${row.count === 1 ? "" : "s"}` }));
        continue;
      }
      const hit = svg("rect", { class: "row-hit", x: 0, y: row.y, width, height: row.height });
      this.hits.set(row, hit);
      back.push(hit);
      if (!narrow()) names.append(svg("text", { class: "pod-name", x: this.left - 12, y: row.y + 14, "text-anchor": "end", text: shortName(row.pod.pod) }));
      for (const part of spans(row.pod)) body.append(this.bar(part, row));
    }
    this.plot.replaceChildren(svg("clipPath", { id: "clip-lanes" }, svg("rect", { x: this.left, y: 0, width: Math.max(0, this.right - this.left), height: inner })), ...back, ...[svg("g", { "clip-path": "url(#clip-lanes)" }, ...eventMarks(this.sx, 4, inner - 4))], body, names, this.cross);
    this.plot.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.plot.setAttribute("height", this.height);
    this.mark();
  }

  bar({ look, from, to }, row) {
    const x0 = clamp(this.sx(from), this.left - 4, this.right + 4);
    const x1 = clamp(this.sx(to), this.left - 4, this.right + 4);
    const thin = look === "unready" ? 4 : 0;
    return svg("rect", { class: `s-${look}`, x: at1(x0), width: Math.max(0.8, at1(x1 - x0)), y: row.y + 4 + thin, height: row.height - 8 - 2 * thin, rx: 1.5 });
  }

  mark() { for (const [row, hit] of this.hits) hit.classList.toggle("on", row === this.chosen); }

  choose(row, clientY) {
    this.chosen = row;
    this.mark();
    if (!row) { tip.hidden = true; return; }
    const box = this.plot.getBoundingClientRect();
    const at = timeline.cursor === null ? (timeline.view[0] + timeline.view[1]) / 2 : timeline.cursor;
    placeTip(laneRows(row.pod), box.left + this.sx(at), clientY === undefined ? box.top + row.y + ROW : clientY + 14);
  }

  keyed(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const pods = this.rows.filter((row) => row.pod);
    const now = pods.indexOf(this.chosen);
    const row = pods[clamp(now < 0 ? 0 : now + step, 0, pods.length - 1)];
    this.choose(row);
    byId("said").textContent = laneWords(row.pod).map(([label, value]) => `${label} ${value}`).join(", ");
  }

  drawCursor() {
    this.cross.replaceChildren();
    if (timeline.cursor === null) return;
    const px = Math.round(this.sx(timeline.cursor)) + 0.5;
    this.cross.append(svg("line", { class: "cross", x1: px, x2: px, y1: 4, y2: this.height - 30 }));
    if (timeline.active !== "lanes") return;
    this.cross.append(svg("rect", { class: "cross-label", x: px - 34, y: this.height - 26, width: 68, height: 22, rx: 5 }),
      svg("text", { class: "cross-time", x: px, y: this.height - 11, "text-anchor": "middle", text: moment(timeline.cursor) }));
  }
}

function shortName(name) { return name.length > 30 ? `…${name.slice(-29)}` : name; }

// From the pod's marks to bars; a mark that was not seen is stepped over.
function spans(pod) {
  const o = DATA.origin_s;
  const end = pod.gone_t_s === null ? timeline.full[1] : pod.gone_t_s - o;
  const told = pod.deleting_t_s === null ? end : pod.deleting_t_s - o;
  const marks = [["scheduling", pod.created_t_s], ["starting", pod.scheduled_t_s], ["warming", pod.started_t_s], ["lost", pod.ready_t_s]].filter(([, t]) => t !== null).map(([look, t]) => ({ look, from: t - o }));
  const made = marks.map((mark, i) => ({ ...mark, to: Math.max(mark.from, Math.min(told, i + 1 < marks.length ? marks[i + 1].from : told)) })).filter((mark) => mark.from < told);
  const lost = made.findIndex((mark) => mark.look === "lost");
  if (lost >= 0) made.splice(lost, 1);
  let until = null;
  for (const [begin, stop] of pod.ready_spans) {
    const [from, to] = [begin - o, Math.min(told, stop === null ? end : stop - o)];
    if (until !== null && from > until) made.push({ look: "unready", from: until, to: from });
    made.push({ look: "ready", from, to });
    until = to;
  }
  if (until !== null && until < told) made.push({ look: "unready", from: until, to: told });
  if (pod.deleting_t_s !== null) made.push({ look: "draining", from: told, to: end });
  return made;
}

function laneWords(pod) {
  const o = DATA.origin_s;
  const told = [["created", pod.created_t_s], ["scheduled", pod.scheduled_t_s], ["started", pod.started_t_s], ["ready", pod.ready_t_s], ["deleting", pod.deleting_t_s], ["gone", pod.gone_t_s]]
    .filter(([, t]) => t !== null).map(([label, t]) => [label + (pod.rough.includes(label) ? " (to half a second)" : ""), moment(t - o)]);
  told.unshift(["pod", pod.pod]);
  told.push(["requests answered", trimmed(pod.requests, 0)], ["of them failed", trimmed(pod.failed, 0)]);
  return told;
}
function laneRows(pod) {
  const [, ...rest] = laneWords(pod);
  return [html("div", { class: "when", text: pod.pod }, html("small", { text: pod.node || "no node" })), ...rest.map(([label, value]) => tipRow(null, label, value))];
}
