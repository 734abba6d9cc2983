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
  if (active) {
    active.querySelectorAll(".cursor").forEach((line) => line.remove());
    active.querySelectorAll(".picked").forEach((group) => group.classList.remove("picked"));
  }
  active = null;
}
function shownPoints(panel) {
  return [...panel.querySelectorAll("[data-tip]")].filter((p) => p.parentNode.style.display !== "none");
}
// What is told together: the points above one another, or each for itself, in the order that the
// left and right keys take.
function stops(panel) {
  const places = new Map();
  for (const point of shownPoints(panel)) {
    const x = Number(point.dataset.x);
    if (!places.has(x)) places.set(x, []);
    places.get(x).push(point);
  }
  const columns = [...places.entries()].sort((a, b) => a[0] - b[0]);
  if (panel.dataset.pick === "column") return columns.map(([x, points]) => ({ x, points }));
  return columns.flatMap(([x, points]) =>
    points.sort((a, b) => a.dataset.y - b.dataset.y).map((point) => ({ x, points: [point] })));
}
function swatch(row, name) {
  const cell = row.insertCell();
  cell.className = "swatch";
  cell.setAttribute("aria-hidden", "true");
  const button = [...document.querySelectorAll(".legend button")].find((b) => b.dataset.series === name);
  if (button) cell.append(button.querySelector("svg").cloneNode(true));
}
function drawn(panel, tag, attributes) {
  const svg = panel.querySelector("svg");
  const element = document.createElementNS(svg.namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  svg.append(element);
}
function show(panel, stop, atX, atY) {
  hide();
  active = panel;
  const { x, points } = stop;
  const [where, , , , what] = points[0].dataset.tip.split("|");
  const head = document.createElement("div");
  const table = document.createElement("table");
  const row = (name, label, mean, low, high) => {
    const line = table.insertRow();
    swatch(line, name);
    line.insertCell().textContent = label;
    line.insertCell().textContent = mean;
    line.insertCell().textContent = low ? `(${low} to ${high})` : "";
  };
  if (panel.dataset.pick === "column") {
    const ys = points.map((p) => Number(p.dataset.y));
    const foot = panel.querySelector("svg").viewBox.baseVal.height - 48;
    drawn(panel, "path", { class: "cursor", d: `M${x} ${Math.min(...ys) - 14}V${foot}` });
    const intervals = points.some((p) => p.dataset.tip.split("|")[2]);
    head.textContent =
      `${panel.dataset.x} = ${where}: ${panel.dataset.y}` + (intervals ? " and its 95 % interval" : "");
    for (const point of [...points].sort((a, b) => a.dataset.y - b.dataset.y)) {
      const [, mean, low, high] = point.dataset.tip.split("|");
      const name = point.parentNode.dataset.name;
      row(name, name, mean, low, high);
    }
  } else {
    const name = points[0].parentNode.dataset.name;
    const [, mean, low, high] = points[0].dataset.tip.split("|");
    drawn(panel, "circle", { class: "cursor frame", cx: x, cy: points[0].dataset.y, r: 7 });
    head.textContent = what ?? name;
    row(name, panel.dataset.x, where);
    row("", panel.dataset.y, mean, low, high);
    if (panel.dataset.pick === "line") points[0].parentNode.classList.add("picked");
  }
  tip.replaceChildren(head, table);
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
  const pick = panel.dataset.pick;
  let index = -1;
  const toPage = (x, y) => new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
  const point = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const away = (stop) => pick === "column"
      ? Math.abs(stop.x - at.x) : Math.hypot(stop.x - at.x, stop.points[0].dataset.y - at.y);
    const all = stops(panel);
    if (event.target.dataset.cell) return count(event);
    if (!all.length) return hide();
    index = all.reduce((best, stop, i) => (away(stop) < away(all[best]) ? i : best), 0);
    show(panel, all[index], event.clientX, event.clientY);
  };
  // A bar of a histogram beside points.
  const count = (event) => {
    hide();
    active = panel;
    tip.textContent = event.target.dataset.cell;
    place(event.clientX, event.clientY);
  };
  // Along a line left and right, from line to line up and down.
  const along = (all, key) => {
    const here = all[index];
    const line = here.points[0].parentNode;
    const own = all.filter((s) => s.points[0].parentNode === line);
    const beside = all.filter((s) => s.x === here.x);
    const place = own.indexOf(here) + (steps[key] ?? 0);
    if (key === "ArrowUp" || key === "ArrowDown") {
      const next = beside.indexOf(here) + (key === "ArrowDown" ? 1 : -1);
      return beside[Math.max(0, Math.min(beside.length - 1, next))];
    }
    return own[Math.max(0, Math.min(own.length - 1, place))];
  };
  panel.addEventListener("pointermove", point);
  panel.addEventListener("pointerdown", point);
  panel.addEventListener("pointerleave", hide);
  panel.addEventListener("blur", hide);
  panel.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (event.key === "Escape") return hide();
    const line = pick === "line" && (event.key === "ArrowUp" || event.key === "ArrowDown");
    if ((step === undefined && !line) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const all = stops(panel);
    if (!all.length) return hide();
    index = pick === "line" && index >= 0 && index < all.length
      ? all.indexOf(along(all, event.key))
      : Math.max(0, Math.min(all.length - 1, index + (step ?? 1)));
    reveal(panel, all[index].x);
    const at = toPage(all[index].x, Number(all[index].points[0].dataset.y));
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
