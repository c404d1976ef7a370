// What all charts share: the span in view, the crosshair, and which series are switched off.
const LEAST_SPAN_S = 2;

const timeline = {
  full: DATA.domain_x,
  view: [...DATA.domain_x],
  cursor: null,
  active: null,
  hidden: new Set(),
  group: null,
  watchers: { view: [], cursor: [] },
  pending: new Set(),

  on(kind, watcher) { this.watchers[kind].push(watcher); },
  changed(kind) {
    if (!this.pending.size) requestAnimationFrame(() => this.flush());
    this.pending.add(kind);
  },
  flush() {
    const kinds = this.pending;
    this.pending = new Set();
    // A new view redraws the plots, and with them the crosshair.
    if (kinds.has("view")) { kinds.add("cursor"); for (const watcher of this.watchers.view) watcher(); }
    if (kinds.has("cursor")) for (const watcher of this.watchers.cursor) watcher();
  },
  get zoomed() { return this.view[0] > this.full[0] || this.view[1] < this.full[1]; },
  show(from, to) {
    const [first, last] = this.full;
    const span = clamp(to - from, Math.min(LEAST_SPAN_S, last - first), last - first);
    const start = clamp(from + (to - from - span) / 2, first, last - span);
    this.view = [start, start + span];
    this.changed("view");
  },
  reset() { this.show(...this.full); },
  zoomBy(factor, around) {
    const [from, to] = this.view;
    const at = around === null || around === undefined ? (from + to) / 2 : around;
    this.show(at - (at - from) * factor, at + (to - at) * factor);
  },
  point(x, active) {
    this.cursor = x === null ? null : clamp(x, ...this.view);
    this.active = active || null;
    this.changed("cursor");
  },
  toggle(id) {
    if (!this.hidden.delete(id)) this.hidden.add(id);
    this.changed("view");
  },
  choose(group) { this.group = group; this.changed("view"); },
};
