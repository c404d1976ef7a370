// Axes: where a value goes, which ticks are round, and how numbers and times read.
function linear(from, to, start, end) {
  const slope = to === from ? 0 : (end - start) / (to - from);
  const scale = (value) => start + (value - from) * slope;
  scale.invert = (pixel) => (slope ? from + (pixel - start) / slope : from);
  return scale;
}

function niceStep(span, count) {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const share = rough / power;
  return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 2.5 ? 2.5 : share <= 5 ? 5 : 10);
}

function valueTicks(top, count, whole) {
  let step = niceStep(top, count);
  if (whole) step = Math.max(1, Math.ceil(step));
  const ticks = [];
  for (let i = 0; i * step <= top * 1.0001; i += 1) ticks.push(i * step);
  return ticks;
}

const TIME_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

function timeTicks(from, to, count) {
  const step = TIME_STEPS.find((one) => (to - from) / one <= count) || Math.ceil((to - from) / count / 86400) * 86400;
  const ticks = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-6; i += 1) ticks.push(i * step);
  return { ticks, step };
}

const trimmed = (value, digits) => value.toLocaleString("en-US", { maximumFractionDigits: digits });
const minus = (text) => (text === "-0" ? "0" : text.replace("-", "−"));

function plainNumber(value) {
  const size = Math.abs(value);
  return minus(trimmed(value, size >= 100 ? 0 : size >= 10 ? 1 : 2));
}
function inMs(value) {
  if (value >= 9999.5) return `${trimmed(value / 1000, 1)} s`;
  if (value >= 999.5) return `${trimmed(value / 1000, 2)} s`;
  return `${trimmed(value, value < 9.95 ? 1 : 0)} ms`;
}
const inSeconds = (value) => `${trimmed(value, Math.abs(value) < 10 ? 2 : 1)} s`;
const inPercent = (value) => `${trimmed(value, value < 10 ? 1 : 0)} %`;
const perSecond = (value) => `${plainNumber(value)}/s`;

const timeLabel = (x, step) => clock(x, step < 1 ? 1 : 0);
function clock(x, digits = 0) {
  const size = Number(Math.abs(x).toFixed(digits));
  const hours = Math.floor(size / 3600);
  const minutes = Math.floor((size % 3600) / 60);
  const rest = (size % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return (x < 0 && size ? "−" : "") + (hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`);
}
const timeOfDay = (x) => `${new Date((DATA.origin_s + x) * 1000).toISOString().slice(11, 19)} UTC`;
const moment = (x) => clock(x, 1);
