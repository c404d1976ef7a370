// Crosshair, drag to zoom, and the same by keyboard, for anything drawn on the time axis.
const DRAG_PX = 6;

function pointable(plot, { id, sx, edges, onmove }) {
  let begun = null;
  let box = null;
  const place = (event) => clamp(event.clientX - plot.getBoundingClientRect().left, ...edges());
  const drop = () => { if (box) box.remove(); box = null; begun = null; };

  plot.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    begun = { x: place(event), id: event.pointerId };
    if (event.pointerType !== "mouse") { timeline.point(sx().invert(begun.x), id); if (onmove) onmove(event); }
  });
  plot.addEventListener("pointermove", (event) => {
    const x = place(event);
    if (begun && Math.abs(x - begun.x) > DRAG_PX) {
      if (!box) {
        plot.setPointerCapture(begun.id);
        box = svg("rect", { class: "selection", y: 0, height: plot.clientHeight });
        plot.append(box);
      }
      box.setAttribute("x", Math.min(x, begun.x));
      box.setAttribute("width", Math.abs(x - begun.x));
    }
    timeline.point(sx().invert(x), id);
    if (onmove) onmove(event);
  });
  plot.addEventListener("pointerup", (event) => {
    if (begun && box) {
      const [from, to] = [begun.x, place(event)].sort((a, b) => a - b).map((x) => sx().invert(x));
      drop();
      timeline.show(from, to);
    }
    drop();
  });
  plot.addEventListener("pointercancel", drop);
  plot.addEventListener("lostpointercapture", drop);
  plot.addEventListener("pointerleave", (event) => { if (!begun && event.pointerType === "mouse") timeline.point(null); });
  plot.addEventListener("dblclick", () => timeline.reset());
  plot.addEventListener("blur", () => timeline.point(null));
  plot.addEventListener("keydown", (event) => keyed(event, id));
}

function keyed(event, id) {
  const [from, to] = timeline.view;
  const step = ((to - from) / 120) * (event.shiftKey ? 10 : 1);
  const at = timeline.cursor === null ? (from + to) / 2 : timeline.cursor;
  const moves = { ArrowLeft: at - step, ArrowRight: at + step, Home: from, End: to };
  if (event.key in moves) { timeline.point(moves[event.key], id); speak(id); }
  else if (event.key === "+" || event.key === "=") timeline.zoomBy(0.5, timeline.cursor);
  else if (event.key === "-" || event.key === "_") timeline.zoomBy(2, timeline.cursor);
  else if (event.key === "0") timeline.reset();
  else if (event.key === "Escape") timeline.point(null);
  else return;
  event.preventDefault();
}
