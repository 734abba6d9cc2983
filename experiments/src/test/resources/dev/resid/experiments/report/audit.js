// What is wrong with the open report, as a list of sentences. Works through every panel, legend
// entry and table by the events that a reader's mouse and keys make.
(() => {
  const wrong = [];
  const tip = document.getElementById("tip");
  const about = (e) => {
    const figure = e.closest("figure");
    const section = e.closest("section");
    return (figure ?? section).querySelector("h3, h2").textContent;
  };
  const shown = (e) => !e.closest("[hidden]") && e.getClientRects().length > 0;
  const key = (e, name) =>
    e.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const radios = [...document.querySelectorAll(".choices input")];
  const pageWide = () => document.documentElement.scrollWidth > innerWidth;

  // Width: nothing is wider than the window, whatever is chosen.
  const widest = () => {
    const all = [...document.querySelectorAll("main *, header *")].filter(
      (e) => !e.closest(".scroll, .colours, svg") && e.getBoundingClientRect().right > innerWidth + 1);
    return all.slice(0, 3).map((e) => `${e.tagName} "${e.textContent.trim().slice(0, 50)}"`).join(", ");
  };
  if (pageWide()) wrong.push(`wider than ${innerWidth} px: ${widest()}`);
  const chosen = radios.filter((r) => r.checked);
  for (const radio of radios) {
    const section = radio.closest("section");
    radio.click();
    if (![...section.querySelectorAll("figure")].some(shown)) {
      wrong.push(`no figure in "${about(radio)}" for ${radio.dataset.choice} = ${radio.value}`);
    }
    if (pageWide()) wrong.push(`wider than ${innerWidth} px with ${radio.value}: ${widest()}`);
  }
  chosen.forEach((r) => r.click());

  // Contrast of text with the page: at least 4.5 to 1 (WCAG 2.2, 1.4.3).
  const rgb = (css) => (css.match(/[\d.]+/g) ?? []).map(Number);
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => {
      const s = v / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3) return colour;
    }
    return [255, 255, 255];
  };
  // Words in a cell of a heat map lie on its colour.
  const mixed = (cell, paper) => {
    const part = Number(cell.getAttribute("fill-opacity"));
    return rgb(getComputedStyle(cell).fill).map((v, i) => part * v + (1 - part) * paper[i]);
  };
  const under = (e) => {
    const paper = behind(e);
    if (!e.closest('g[data-name^="numbers "]')) return paper;
    const [x, y] = ["x", "y"].map((n) => Number(e.getAttribute(n)));
    const at = (r, n) => Number(r.getAttribute(n));
    const cell = [...e.closest("svg").querySelectorAll("[data-cell]")].find((r) =>
      at(r, "x") <= x && x <= at(r, "x") + at(r, "width") && at(r, "y") <= y && y <= at(r, "y") + at(r, "height"));
    return cell ? mixed(cell, paper) : paper;
  };
  const said = new Set();
  for (const e of document.querySelectorAll("h1, h2, h3, p, a, dt, dd, td, th button, label, legend, summary, figcaption, .legend button, svg text")) {
    const style = getComputedStyle(e);
    const text = rgb(e instanceof SVGElement ? style.fill : style.color);
    const paper = under(e);
    const [a, b] = [light(text), light(paper)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const sentence = `contrast ${ratio.toFixed(1)} of ${e.tagName} ${text} on ${paper}`;
    if (ratio < 4.5 && !said.has(sentence)) {
      said.add(sentence);
      wrong.push(sentence);
    }
    const size = e instanceof SVGElement && shown(e)
      ? parseFloat(style.fontSize) * e.getScreenCTM().a : 99;
    const upright = e instanceof SVGElement && !e.hasAttribute("transform");
    if (upright && size < 7) {
      const small = `text of ${size.toFixed(1)} px in "${about(e)}"`;
      if (!said.has(small)) wrong.push(small);
      said.add(small);
    }
  }

  // Tooltips: each panel says, at each end, the values of the points there.
  let panels = 0;
  for (const panel of document.querySelectorAll(".panel")) {
    if (panel.tabIndex !== 0) wrong.push(`a panel of "${about(panel)}" is not reached by keys`);
    const marks = [...panel.querySelectorAll("[data-tip], [data-cell]")];
    if (!shown(panel) || !marks.length) continue;
    panels++;
    const expected = (m) => m.dataset.cell ?? m.dataset.tip.split("|")[1];
    for (const name of ["End", "Home"]) {
      key(panel, name);
      const says = tip.textContent;
      if (tip.hidden || !marks.some((m) => says.includes(expected(m)))) {
        wrong.push(`${name} in "${about(panel)}" shows "${tip.hidden ? "nothing" : says}"`);
      }
      if (/undefined|NaN|null/.test(says)) wrong.push(`"${about(panel)}" says "${says}"`);
      const box = tip.getBoundingClientRect();
      if (box.left < 0 || box.right > innerWidth || tip.scrollWidth > tip.clientWidth + 1) {
        wrong.push(`the values of "${about(panel)}" do not fit into ${innerWidth} px: "${says}"`);
      }
    }
    key(panel, "Escape");
    if (!tip.hidden) wrong.push(`Escape in "${about(panel)}" leaves the values`);
    const mark = marks[Math.floor(marks.length / 2)];
    const at = mark.getBoundingClientRect();
    mark.dispatchEvent(new PointerEvent("pointermove",
      { clientX: at.x + at.width / 2, clientY: at.y + at.height / 2, bubbles: true }));
    // In a cloud of points others may lie at the same place, as far as a pointer can tell.
    const near = marks.filter((m) =>
      m === mark || (m.dataset.tip && Math.hypot(m.dataset.x - mark.dataset.x,
        panel.dataset.pick === "column" ? 0 : m.dataset.y - mark.dataset.y) < 2));
    if (tip.hidden || !near.some((m) => tip.textContent.includes(expected(m)))) {
      wrong.push(`pointing in "${about(panel)}" at ${expected(mark)} shows "${tip.textContent}"`);
    }
    panel.dispatchEvent(new PointerEvent("pointerleave"));
    if (!tip.hidden) wrong.push(`leaving "${about(panel)}" leaves the values`);
  }

  // Legends: an entry hides its curves and shows them again.
  let entries = 0;
  for (const button of document.querySelectorAll(".legend button")) {
    entries++;
    const figure = button.closest("figure");
    const curves = [...figure.querySelectorAll(".panel g[data-name]")].filter(
      (g) => g.dataset.name === button.dataset.series);
    if (!curves.length) wrong.push(`"${button.dataset.series}" in "${about(button)}" has no curve`);
    for (const pressed of ["false", "true"]) {
      button.click();
      const none = pressed === "false";
      if (button.getAttribute("aria-pressed") !== pressed
          || curves.some((g) => (getComputedStyle(g).display === "none") !== none)) {
        wrong.push(`"${button.dataset.series}" in "${about(button)}" does not ${none ? "hide" : "show"}`);
      }
    }
  }

  // Tables: each head sorts up, then down, numbers as numbers, and says so.
  let heads = 0;
  for (const table of document.querySelectorAll("table.sortable")) {
    const before = table.tBodies[0].rows.length;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      heads++;
      for (const [order, sign] of [["ascending", 1], ["descending", -1]]) {
        head.querySelector("button").click();
        const marked = [...table.querySelectorAll("th[aria-sort]")];
        if (marked.length !== 1 || head.getAttribute("aria-sort") !== order) {
          wrong.push(`"${head.textContent}" in "${about(table)}" is not marked ${order}`);
        }
        const values = [...table.tBodies[0].rows].map((r) => r.cells[column]).map((c) =>
          c.dataset.value === undefined ? c.textContent : Number(c.dataset.value));
        const sorted = values.every((v, i) => i === 0 || values[i - 1] === v || (values[i - 1] < v) === (sign > 0));
        if (!sorted) wrong.push(`"${head.textContent}" in "${about(table)}" is not ${order}`);
      }
    });
    if (table.tBodies[0].rows.length !== before) wrong.push(`"${about(table)}" lost rows`);
    if (table.parentElement.tabIndex !== 0) wrong.push(`"${about(table)}" cannot be scrolled by keys`);
  }
  return { wrong, panels, entries, heads };
})()
