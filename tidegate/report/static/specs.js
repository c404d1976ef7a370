// What each chart shows, from the embedded figures. A chart without data says so in its place.
function absent(title, why) { return { title, absent: why }; }
const bare = (line) => line && line.x.length > 0;

// The usual time between two samples of a line.
function usualStep(x) {
  if (x.length < 3) return 0;
  const steps = x.slice(1).map((value, i) => value - x[i]).sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)];
}
const SAMPLE_S = 15;
// Beyond `gap` a line breaks; within `reach` of a sample the crosshair speaks of it.
function sampled(line) {
  const step = usualStep(line.x) || SAMPLE_S;
  return { x: line.x, y: line.y, gap: Math.max(4 * SAMPLE_S, step * 4), reach: Math.max(1, step * 0.7) };
}

function loadSpec() {
  const { load } = DATA.series;
  if (!load) return absent("Requests", "No request was recorded.");
  const shift = load.bucket_s / 2;
  const common = { x: load.x, width: load.bucket_s, format: perSecond };
  return { id: "load", title: "Requests", unit: `per second${load.bucket_s > 1 ? `, means over ${inSeconds(load.bucket_s)}` : ""}`, height: 178, say: "Offered, served and failed requests a second.", build: () => ({ format: plainNumber, series: [
    { ...common, id: "offered", label: "offered", kind: "line", look: "offered", style: "fine", area: true, y: load.offered, shift },
    { ...common, id: "served", label: "served", kind: "line", look: "served", y: load.served, shift },
    { ...common, id: "failed", label: "failed", kind: "bars", look: "failed", y: load.failed, note: (i) => (load.failed_count[i] ? `(${load.failed_count[i]} in all)` : "") },
  ] }) };
}

function latencySpec() {
  const { latency } = DATA.series;
  const names = latency ? Object.keys(latency.groups) : [];
  if (!names.length) return absent("Latency", "No request was recorded, so there is no latency.");
  // First the group that is worst off against its objective.
  const strain = (name) => Math.max(0, ...((DATA.latency_ms[name] || { objectives: [] }).objectives.map((one) => (one.measured_ms || 0) / one.threshold_ms)));
  timeline.group = [...names].sort((a, b) => strain(b) - strain(a))[0];
  const extra = html("div", { class: "groups", role: "group", "aria-label": "Route group" }, ...names.map((name) => html("button", { type: "button", "aria-pressed": String(name === timeline.group), "data-group": name, text: name, onclick: (event) => {
    timeline.choose(name);
    for (const other of event.currentTarget.parentElement.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
  } })));
  return { id: "latency", title: "Latency", unit: `from intended start, over ${inSeconds(latency.bucket_s)}`, height: 198, extra, say: "Percentiles of latency over time by route group.", build: () => {
    const group = latency.groups[timeline.group];
    const common = { x: group.x, width: latency.bucket_s, kind: "line", format: inMs, shift: latency.bucket_s / 2, gap: latency.bucket_s * 2.5 };
    return { format: inMs,
      series: [["p50", ""], ["p95", ""], ["p99", "bold"]].map(([id, style]) => ({ ...common, id, label: id, look: id, style, y: group[id], note: id === "p50" ? (i) => `of ${trimmed(group.count[i], 0)} requests` : null })),
      rules: ((DATA.latency_ms[timeline.group] || {}).objectives || []).map((one) => ({ id: "limit", look: "limit", value: one.threshold_ms, label: `p${one.percentile} at most ${inMs(one.threshold_ms)}` })) };
  } };
}

function replicaSpec() {
  const { ready, desired, min_replicas: least, max_replicas: most } = DATA.series;
  if (!bare(ready) && !bare(desired)) return absent("Web pods", "Neither pods nor the autoscaler were recorded.");
  return { id: "replicas", title: "Web pods", unit: "Ready against desired", height: 168, say: "Ready and desired web pods, with the least and most allowed.", build: () => ({ format: plainNumber, whole: true, series: [
    bare(ready) && { ...ready, id: "ready", label: "Ready", kind: "step", look: "ready", area: true, format: plainNumber },
    bare(desired) && { ...desired, id: "desired", label: "desired", kind: "step", look: "desired", format: plainNumber },
    { id: "bounds", label: "bounds", kind: "rule", look: "bounds", x: [], y: [], format: plainNumber },
  ].filter(Boolean).map(stepped), rules: [
    { id: "bounds", look: "bounds", value: most, label: `at most ${most}`, always: true },
    { id: "bounds", look: "bounds", value: least, label: `at least ${least}`, always: true },
  ] }) };
}
const stepped = (series) => (series.kind === "rule" ? { ...series, kind: "step", ruled: true } : series);

function cpuSpec() {
  const { cpu } = DATA.series;
  if (!cpu) return absent("CPU", "No CPU sample of a web pod was recorded.");
  const [low, high] = cpu.band_percent;
  const pods = cpu.pods.map((pod) => ({ ...sampled(pod), id: "each-pod", name: pod.pod, kind: "line", look: "pod", style: "thin", quiet: true, format: inPercent }));
  const legend = (id, label, kind, look, style) => ({ id, label, kind, look, style, x: [], y: [], format: inPercent });
  return { id: "cpu", title: "CPU", unit: "percent of the request", height: 188, say: "CPU use of the web pods against the autoscaler's target.", build: () => ({ format: inPercent, series: [
    ...pods,
    pods.length ? legend("each-pod", "each pod", "line", "pod", "thin") : null,
    bare(cpu.mean) && { ...sampled(cpu.mean), id: "mean", label: "mean", kind: "line", look: "mean", style: "bold", format: inPercent },
    bare(cpu.reported) && { ...cpu.reported, id: "reported", label: "autoscaler's reading", kind: "step", look: "desired", format: inPercent },
    legend("target", "target", "step", "target", ""),
  ].filter(Boolean), band: { id: "target", values: [low, high] }, rules: [{ id: "target", look: "target", value: cpu.target_percent, label: `target ${inPercent(cpu.target_percent)}`, always: true }] }) };
}

function simple(id, title, unit, say, lines, rules, format) {
  const kept = lines.filter(([, , , line]) => bare(line));
  return { id, title, unit, height: 104, say, build: () => ({ format, least: 0, rules, series: kept.map(([key, label, look, line]) => ({ ...sampled(line), id: `${id}-${key}`, label, kind: "line", look, format })) }) };
}

function specs() {
  const { queue_depth: depth, queue_age_s: age, start_delay_p99_ms: delay, loop_lag_ms: loop } = DATA.series;
  const limit = DATA.queue_age_max_s;
  return [
    loadSpec(), latencySpec(), replicaSpec(), cpuSpec(),
    bare(depth) && simple("depth", "Queue", "orders waiting", "Orders waiting in the queue.", [["depth", "depth", "depth", depth]], [], plainNumber),
    bare(age) && simple("age", "Queue age", "of the oldest order", "Age of the oldest order in the queue.", [["age", "age", "depth", age]], limit ? [{ id: "age-limit", look: "limit", value: limit, label: `at most ${inSeconds(limit)}` }] : [], inSeconds),
    bare(delay) || bare(loop)
      ? simple("generator", "Load generator", "its own delay", "The load generator's own delay.", [["delay", "start delay p99", "lag", delay], ["loop", "event loop late", "loop", loop]], [{ id: "generator-limit", look: "limit", value: 250, label: "trusted below 250 ms" }], inMs)
      : absent("Load generator", "Nothing of the load generator was recorded."),
  ].filter(Boolean);
}
