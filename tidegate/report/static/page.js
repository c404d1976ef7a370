// Put the page together, and the few things outside the charts that move.
const page = { charts: [], lanes: null, rail: null };

function build() {
  const host = byId("charts");
  for (const spec of specs()) {
    if (spec.absent) {
      host.append(html("div", { class: "chart" }, html("div", { class: "chart-head" }, html("h3", { text: spec.title })), html("p", { class: "absent", text: spec.absent })));
      continue;
    }
    const chart = new Chart(spec);
    host.append(chart.element);
    pointable(chart.plot, { id: spec.id, sx: () => chart.sx, edges: () => [chart.margins.left, chart.plot.clientWidth - chart.margins.right] });
    page.charts.push(chart);
  }
  if (page.charts.length) page.rail = new Rail(byId("rail"));
  if (byId("lanes")) page.lanes = new Lanes(byId("lanes"));
}

const PRINT_WIDTH = 920; // A4 within its margins, in CSS pixels at the zoom of print.css

function draw(printed) {
  const width = printed || byId("charts").clientWidth;
  if (!width) return;
  page.charts.forEach((chart, i) => chart.draw(width, i === page.charts.length - 1));
  if (page.rail) page.rail.draw(width);
  if (page.lanes) page.lanes.draw(width);
  const [from, to] = timeline.view;
  byId("shown").textContent = timeline.zoomed ? `${moment(from)} to ${moment(to)}` : "The whole run";
  byId("reset").disabled = !timeline.zoomed;
}

function drawCursor() {
  for (const chart of page.charts) chart.drawCursor();
  if (page.lanes) page.lanes.drawCursor();
  drawTip(page.charts);
}

function openEvent(i) {
  const event = byId(`event-${i}`);
  if (!event) return;
  event.open = true;
  event.scrollIntoView({ block: "center" });
  event.classList.add("lit");
  setTimeout(() => event.classList.remove("lit"), 1600);
  event.querySelector("summary").focus({ preventScroll: true });
}

function wire() {
  byId("reset").addEventListener("click", () => timeline.reset());
  byId("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("tidegate-theme", root.dataset.theme); } catch (refused) { /* then only for now */ }
  });
  const expand = byId("expand");
  const events = [...document.querySelectorAll("details.event")];
  if (expand) expand.addEventListener("click", () => {
    const open = expand.getAttribute("aria-expanded") !== "true";
    for (const event of events) event.open = open;
    expand.setAttribute("aria-expanded", String(open));
    expand.textContent = open ? "Collapse all" : "Expand all";
  });
  for (const button of document.querySelectorAll("button.moment")) button.addEventListener("click", () => {
    const x = Number(button.dataset.x);
    const reach = Math.max(10, (timeline.full[1] - timeline.full[0]) / 10);
    timeline.show(x - reach, x + reach);
    timeline.point(x, null);
    byId("timeline").scrollIntoView();
  });
  const links = [...document.querySelectorAll(".top nav a")];
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) for (const link of links) {
      if (link.hash === `#${entry.target.id}`) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("section[id], #verdict")) seen.observe(section);
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open]):not(.plan-json)")];
    for (const one of closed) one.open = true;
    timeline.cursor = null;
    draw(PRINT_WIDTH);
    drawCursor();
  });
  window.addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
    draw();
  });
}

build();
wire();
timeline.on("view", () => draw());
timeline.on("cursor", drawCursor);
draw();
new ResizeObserver(() => timeline.changed("view")).observe(byId("charts"));
