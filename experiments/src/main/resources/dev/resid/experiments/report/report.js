"use strict";
// Which figures are shown.
const radios = [...document.querySelectorAll(".choices input")];
function choose() {
  const chosen = radios.filter((r) => r.checked);
  for (const figure of document.querySelectorAll("figure")) {
    // A choice of another section says nothing about a figure.
    figure.hidden = chosen.some((r) => {
      const own = figure.getAttribute("data-choice-" + r.dataset.choice);
      return r.closest("section") === figure.closest("section") && own !== null && own !== r.value;
    });
  }
  hide();
}
radios.forEach((r) => r.addEventListener("change", choose));

// Curves shown or hidden in every figure.
for (const button of document.querySelectorAll(".legend button")) {
  button.addEventListener("click", () => {
    const name = button.dataset.series;
    const show = button.getAttribute("aria-pressed") === "false";
    for (const other of document.querySelectorAll(".legend button")) {
      if (other.dataset.series === name) other.setAttribute("aria-pressed", String(show));
    }
    for (const group of document.querySelectorAll("svg g[data-name]")) {
      const own = group.dataset.name;
      if (own === name || own === "end " + name) group.style.display = show ? "" : "none";
    }
  });
}

// Values at a length, by pointing or with the arrow keys.
const tip = document.getElementById("tip");
let active = null;
function hide() {
  tip.hidden = true;
  if (active) active.querySelectorAll(".cursor").forEach((line) => line.remove());
  active = null;
}
function columns(panel) {
  const places = new Map();
  for (const point of panel.querySelectorAll("[data-tip]")) {
    if (point.parentNode.style.display === "none") continue;
    const x = Number(point.dataset.x);
    if (!places.has(x)) places.set(x, []);
    places.get(x).push(point);
  }
  return [...places.entries()].sort((a, b) => a[0] - b[0]);
}
function show(panel, column, atX, atY) {
  hide();
  active = panel;
  const [x, points] = column;
  const svg = panel.querySelector("svg");
  const ys = points.map((p) => Number(p.dataset.y));
  const line = document.createElementNS(svg.namespaceURI, "path");
  line.setAttribute("class", "cursor");
  line.setAttribute("d", `M${x} ${Math.min(...ys) - 14}V${svg.viewBox.baseVal.height - 48}`);
  svg.append(line);
  const length = points[0].dataset.tip.split("|")[0];
  tip.replaceChildren();
  const head = document.createElement("div");
  const intervals = points.some((p) => p.dataset.tip.split("|").length > 2);
  head.textContent =
    `${panel.dataset.x} = ${length}: ${panel.dataset.y}` + (intervals ? " and its 95 % interval" : "");
  const table = document.createElement("table");
  for (const point of [...points].sort((a, b) => a.dataset.y - b.dataset.y)) {
    const [, mean, low, high] = point.dataset.tip.split("|");
    const row = table.insertRow();
    const swatch = row.insertCell();
    swatch.className = "swatch";
    swatch.setAttribute("aria-hidden", "true");
    const name = point.parentNode.dataset.name;
    const button = [...document.querySelectorAll(".legend button")].find((b) => b.dataset.series === name);
    if (button) swatch.append(button.querySelector("svg").cloneNode(true));
    row.insertCell().textContent = name;
    row.insertCell().textContent = mean;
    row.insertCell().textContent = low === undefined ? "" : `(${low} to ${high})`;
  }
  tip.append(head, table);
  place(atX, atY);
}
function place(atX, atY) {
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const left = atX + 18 + box.width > innerWidth ? atX - 18 - box.width : atX + 18;
  tip.style.left = Math.max(8, Math.min(left, innerWidth - box.width - 8)) + "px";
  tip.style.top = Math.max(8, Math.min(atY - box.height / 2, innerHeight - box.height - 8)) + "px";
}
// Scrolls a picture that is wider than its panel, sideways.
function reveal(panel, x) {
  const svg = panel.querySelector("svg");
  panel.scrollLeft = x * (svg.clientWidth / svg.viewBox.baseVal.width) - panel.clientWidth / 2;
}
const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
for (const panel of document.querySelectorAll(".panel:not(.cells)")) {
  const svg = panel.querySelector("svg");
  let index = -1;
  const toPage = (x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  const point = (event) => {
    const x = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
    const all = columns(panel);
    if (!all.length) return hide();
    index = all.reduce((best, c, i) => (Math.abs(c[0] - x) < Math.abs(all[best][0] - x) ? i : best), 0);
    show(panel, all[index], event.clientX, event.clientY);
  };
  panel.addEventListener("pointermove", point);
  panel.addEventListener("pointerdown", point);
  panel.addEventListener("pointerleave", hide);
  panel.addEventListener("blur", hide);
  panel.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (event.key === "Escape") return hide();
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const all = columns(panel);
    if (!all.length) return hide();
    index = Math.max(0, Math.min(all.length - 1, index + step));
    reveal(panel, all[index][0]);
    const at = toPage(all[index][0], Number(all[index][1][0].dataset.y));
    show(panel, all[index], at.x, at.y);
  });
}

// The value of a cell of a heat map, by pointing or with the arrow keys.
for (const panel of document.querySelectorAll(".panel.cells")) {
  const cells = [...panel.querySelectorAll("[data-cell]")].map((box) => {
    const [x, y, width, height] = ["x", "y", "width", "height"].map((n) => Number(box.getAttribute(n)));
    return { box, x, y, width, height };
  });
  let current = null;
  const showCell = (cell) => {
    hide();
    active = panel;
    current = cell;
    const frame = cell.box.cloneNode(false);
    frame.setAttribute("class", "cursor frame");
    frame.removeAttribute("data-cell");
    frame.removeAttribute("fill-opacity");
    panel.querySelector("svg").append(frame);
    tip.textContent = cell.box.dataset.cell;
    const at = cell.box.getBoundingClientRect();
    place(at.x + at.width / 2, at.y + at.height / 2);
  };
  const point = (event) => {
    const cell = cells.find((c) => c.box === event.target);
    if (cell) showCell(cell);
    else hide();
  };
  // Rows are told apart by their height on the page: the nearest one in the direction of the key.
  const nearest = (away, across) => {
    const ahead = cells.filter((c) => away(c) > 0.5);
    const least = Math.min(...ahead.map(away));
    const line = ahead.filter((c) => away(c) < least + 0.5);
    return line.sort((a, b) => Math.abs(across(a)) - Math.abs(across(b)))[0];
  };
  const moves = {
    ArrowRight: () => nearest((c) => (same(c) ? c.x - current.x : 0), () => 0),
    ArrowLeft: () => nearest((c) => (same(c) ? current.x - c.x : 0), () => 0),
    ArrowDown: () => nearest((c) => c.y - current.y, (c) => c.x - current.x),
    ArrowUp: () => nearest((c) => current.y - c.y, (c) => c.x - current.x),
    Home: () => cells.filter(same).sort((a, b) => a.x - b.x)[0],
    End: () => cells.filter(same).sort((a, b) => b.x - a.x)[0],
  };
  const same = (cell) => Math.abs(cell.y - current.y) < 0.5;
  panel.addEventListener("pointermove", point);
  panel.addEventListener("pointerdown", point);
  panel.addEventListener("pointerleave", hide);
  panel.addEventListener("blur", hide);
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return hide();
    if (!moves[event.key] || event.altKey || event.ctrlKey || event.metaKey || !cells.length) return;
    event.preventDefault();
    // The first key shows the first cell of the top row.
    const first = () => [...cells].sort((a, b) => a.y - b.y || a.x - b.x)[0];
    const next = current ? moves[event.key]() || current : first();
    reveal(panel, next.x + next.width / 2);
    showCell(next);
  });
}
// The values stay beside what they belong to.
addEventListener("scroll", hide, { passive: true });

// Sorting.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((h) => h.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (row) => {
        const cell = row.cells[column];
        return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
      };
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => {
        const x = value(a);
        const y = value(b);
        return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
      });
      table.tBodies[0].append(...rows);
    });
  });
}
