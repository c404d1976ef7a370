// Build elements. Text only ever becomes text: names from the run are never parsed as markup.
const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}
const svg = (name, attributes, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
const html = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const byId = (id) => document.getElementById(id);

const DATA = JSON.parse(byId("report-data").textContent);
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const narrow = () => window.innerWidth < 640;
