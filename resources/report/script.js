"use strict";
// The page works from disk: its data stand in the document, audio and pictures in files beside it, nothing is fetched.
const data = JSON.parse(document.getElementById("data").textContent);
const columns = new Map(data.columns.map((column) => [column.name, column]));
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}, text = null) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text; // never innerHTML: names come from users' files
  return made;
}

function drawn(name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}

function shown(value, column) {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return String(value);
  if (column && column.kind === "integer" && Number.isInteger(value)) return String(value);
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

// A number of a measurement that something speaks against carries a mark, and says what when it is pointed at.
const isDoubtful = (row, column) => Boolean(row.doubt) && data.doubtful.includes(column.name) && typeof row[column.name] === "number";

function marked(row, column) {
  const text = shown(row[column.name], column);
  return isDoubtful(row, column) ? text + data.doubtMark : text;
}

// ---------------------------------------------------------------- scatter

const frame = { left: 76, right: 836, top: 18, bottom: 420 };
const scatter = document.getElementById("scatter");
const tooltip = document.getElementById("tooltip");
const families = [...new Set(data.systems.filter((row) => row.family !== "reference").map((row) => row.model))];

// A reference system belongs where its cost on the device of the others is an axis; it competes where MOS is none.
function belongs(row, x, y) {
  const isMeasured = (column) => data.doubtful.includes(column) && typeof row[column] === "number";
  return row.family !== "reference" || (!row.elsewhere && (isMeasured(x) || isMeasured(y)));
}

const competes = (row, x, y) => belongs(row, x, y) && (row.family !== "reference" || ![x, y].includes("mos"));

function dominates(one, other, x, y) {
  const worse = (column) => (columns.get(column).direction === "max" ? one[column] < other[column] : one[column] > other[column]);
  const better = (column) => (columns.get(column).direction === "max" ? one[column] > other[column] : one[column] < other[column]);
  return !worse(x) && !worse(y) && (better(x) || better(y));
}

function scale(values, kind, from, to) {
  const mapped = kind === "log" ? values.map(Math.log10) : values;
  const low = Math.min(...mapped), high = Math.max(...mapped);
  const pad = (high - low || 1) * 0.06;
  const place = (value) => from + ((((kind === "log" ? Math.log10(value) : value) - low + pad) / (high - low + 2 * pad || 1)) * (to - from));
  return { place, ticks: kind === "log" ? logTicks(low - pad, high + pad) : linearTicks(low - pad, high + pad) };
}

function logTicks(low, high) {
  const ticks = [];
  const dense = high - low < 1.5;
  for (let power = Math.floor(low); power <= Math.ceil(high); power++)
    for (const factor of dense ? [1, 2, 5] : [1]) {
      const tick = factor * 10 ** power;
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick);
    }
  return ticks;
}

function linearTicks(low, high) {
  const rough = (high - low) / 6;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((candidate) => candidate >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high; tick += step) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

function mark(kind, x, y, size, attributes) { // the markers of the figures, by matplotlib's names
  const points = (list) => list.map(([dx, dy]) => `${x + dx * size},${y + dy * size}`).join(" ");
  const ring = (count, radii) => Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count - Math.PI / 2;
    const radius = radii[index % radii.length];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
  const plus = [[-.4, -1.1], [.4, -1.1], [.4, -.4], [1.1, -.4], [1.1, .4], [.4, .4], [.4, 1.1], [-.4, 1.1], [-.4, .4], [-1.1, .4], [-1.1, -.4], [-.4, -.4]];
  if (String(kind).startsWith("$")) {
    return drawn("text", { x, y: y + size / 2, "text-anchor": "middle", "font-size": 2 * size, ...attributes }, kind.replaceAll("$", ""));
  }
  const corners = {
    "s": [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
    "^": [[0, -1.15], [1.05, 0.85], [-1.05, 0.85]],
    "v": [[0, 1.15], [1.05, -0.85], [-1.05, -0.85]],
    "D": [[0, -1.25], [1.1, 0], [0, 1.25], [-1.1, 0]],
    "P": plus,
    "X": plus.map(([dx, dy]) => [(dx - dy) * Math.SQRT1_2, (dx + dy) * Math.SQRT1_2]),
    "*": ring(10, [1.3, 0.55]),
    "<": [[-1.15, 0], [0.85, -1.05], [0.85, 1.05]],
    ">": [[1.15, 0], [-0.85, -1.05], [-0.85, 1.05]],
    "d": [[0, -1.35], [0.8, 0], [0, 1.35], [-0.8, 0]],
    "3,1,0": ring(6, [1.4, 0.55]),
    "3,1,180": ring(6, [1.4, 0.55]).map(([dx, dy]) => [dx, -dy]),
  }[String(kind)];
  return corners ? drawn("polygon", { points: points(corners), ...attributes }) : drawn("circle", { cx: x, cy: y, r: size, ...attributes });
}

// Labels in the order of the systems, each where it covers least of the marks and of the labels before it.
function placeLabels(labels) {
  const boxes = labels.map(({ x, y }) => ({ left: x - 9, right: x + 9, top: y - 9, bottom: y + 9 }));
  const covered = (one, other) =>
    Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left)) * Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));
  for (const { text, x, y } of labels) {
    const width = text.getComputedTextLength() + 4, height = 16;
    let best = null;
    for (const distance of [0, 9, 18])
      for (const [across, down] of [[1, -1], [-1, -1], [1, 1], [-1, 1], [1, 0], [-1, 0], [0, -1], [0, 1]]) {
        const middle = [x + across * (10 + distance + width / 2), y + down * (across ? 9 + distance : 20 + distance)];
        const box = { left: middle[0] - width / 2, right: middle[0] + width / 2, top: middle[1] - height / 2, bottom: middle[1] + height / 2 };
        const outside = box.left < frame.left || box.right > frame.right + 20 || box.top < 0 || box.bottom > frame.bottom;
        const cost = boxes.reduce((sum, other) => sum + covered(box, other), 2 * distance + (outside ? 1e4 : 0));
        if (!best || cost < best.cost) best = { cost, box };
      }
    boxes.push(best.box);
    text.setAttribute("x", (best.box.left + best.box.right) / 2);
    text.setAttribute("y", best.box.bottom - 4);
  }
}

// The ends of a 95 % interval, or the value itself where there is none; one down to zero has no end on a logarithmic axis.
function ends(row, column, kind) {
  const half = row[`${column}_ci95`];
  if (typeof half !== "number") return [row[column], row[column]];
  const low = row[column] - half;
  return [kind === "log" ? Math.max(low, row[column] / 2) : low, row[column] + half];
}

function drawScatter() {
  const x = document.getElementById("x-column").value, y = document.getElementById("y-column").value;
  const xScale = document.getElementById("x-scale").value, yScale = document.getElementById("y-scale").value;
  const usable = (value, kind) => typeof value === "number" && (kind !== "log" || value > 0);
  const rows = data.systems.filter((row) => competes(row, x, y) && usable(row[x], xScale) && usable(row[y], yScale));
  // A system that has one of the values is a tick on its axis.
  const only = (has, kind, lacks, other) => data.systems.filter((row) => belongs(row, x, y) && usable(row[has], kind) && !usable(row[lacks], other));
  const below = only(x, xScale, y, yScale), beside = only(y, yScale, x, xScale);
  scatter.replaceChildren();
  tooltip.hidden = true;
  if (!rows.length) {
    document.getElementById("scatter-summary").textContent = "No system has both values.";
    return;
  }
  const values = (column, kind, ticks) => [...rows.flatMap((row) => ends(row, column, kind)), ...ticks.map((row) => row[column])];
  const horizontal = scale(values(x, xScale, below), xScale, frame.left, frame.right);
  const vertical = scale(values(y, yScale, beside), yScale, frame.bottom, frame.top);
  for (const tick of horizontal.ticks) {
    const place = horizontal.place(tick);
    scatter.append(drawn("line", { class: "grid", x1: place, x2: place, y1: frame.top, y2: frame.bottom }));
    scatter.append(drawn("text", { x: place, y: frame.bottom + 20, "text-anchor": "middle" }, shown(tick)));
  }
  for (const tick of vertical.ticks) {
    const place = vertical.place(tick);
    scatter.append(drawn("line", { class: "grid", x1: frame.left, x2: frame.right, y1: place, y2: place }));
    scatter.append(drawn("text", { x: frame.left - 8, y: place + 4, "text-anchor": "end" }, shown(tick)));
  }
  scatter.append(drawn("text", { x: (frame.left + frame.right) / 2, y: frame.bottom + 46, "text-anchor": "middle" }, columns.get(x).label));
  scatter.append(drawn("text", { x: 18, y: (frame.top + frame.bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 18 ${(frame.top + frame.bottom) / 2})` }, columns.get(y).label));

  const line = (members) => members.map((row) => `${horizontal.place(row[x])},${vertical.place(row[y])}`).join(" ");
  for (const family of families) {
    const members = rows.filter((row) => row.model === family);
    if (members.length > 1) scatter.append(drawn("polyline", { class: "family", points: line(members) }));
  }
  const optimal = rows.filter((row) => !rows.some((other) => dominates(other, row, x, y)));
  const ordered = [...optimal].sort((one, other) => one[x] - other[x]);
  const steps = ordered.flatMap((row, index) => (index ? [[row[x], ordered[index - 1][y]], [row[x], row[y]]] : [[row[x], row[y]]]));
  scatter.append(drawn("polyline", { class: "front", points: steps.map(([a, b]) => `${horizontal.place(a)},${vertical.place(b)}`).join(" ") }));

  for (const row of below) {
    const place = horizontal.place(row[x]);
    drawTick(row, x, [place, place, frame.bottom, frame.bottom - 14], below.length <= 8);
  }
  for (const row of beside) {
    const place = vertical.place(row[y]);
    drawTick(row, y, [frame.left, frame.left + 14, place, place], beside.length <= 8);
  }

  const labels = [];
  for (const row of rows) {
    const place = [horizontal.place(row[x]), vertical.place(row[y])];
    const group = drawn("g", { class: "system", tabindex: 0, role: "button", "data-system": row.system, "aria-label": `${row.label}: ${columns.get(x).label} ${shown(row[x])}, ${columns.get(y).label} ${shown(row[y])}` });
    const [left, right] = ends(row, x, xScale).map(horizontal.place), [low, high] = ends(row, y, yScale).map(vertical.place);
    if (left !== right) group.append(drawn("line", { class: "interval", x1: left, x2: right, y1: place[1], y2: place[1] }));
    if (low !== high) group.append(drawn("line", { class: "interval", x1: place[0], x2: place[0], y1: low, y2: high }));
    if (optimal.includes(row)) group.append(drawn("circle", { class: "ring", cx: place[0], cy: place[1], r: 13 }));
    group.append(mark(row.marker, place[0], place[1], 7, { class: "mark", fill: row.colour, stroke: "#33404d" }));
    const doubtful = [x, y].some((name) => isDoubtful(row, columns.get(name)));
    const text = drawn("text", { class: "name", "text-anchor": "middle" }, row.label + (doubtful ? data.doubtMark : ""));
    group.append(text);
    labels.push({ text, x: place[0], y: place[1] });
    answer(group, row, place);
    scatter.append(group);
  }
  placeLabels(labels);
  document.getElementById("scatter-summary").textContent =
    [
      `Pareto optimal among ${rows.length} ${rows.length === 1 ? "system" : "systems"}: ${ordered.map((row) => row.label).join(", ")}.`,
      ...[[below, y], [beside, x]].filter(([ticks]) => ticks.length).map(([ticks, lacking]) =>
        `Ticks on the axis are without ${columns.get(lacking).label}: ${ticks.map((row) => row.label).join(", ")}.`),
    ].join(" ");
}

function drawTick(row, column, [x1, x2, y1, y2], isNamed) {
  const group = drawn("g", { class: "tick", tabindex: 0, role: "button", "data-system": row.system, "aria-label": `${row.label}: ${columns.get(column).label} ${shown(row[column])}` });
  group.append(drawn("line", { x1, x2, y1, y2 }));
  const upright = x1 === x2;
  if (isNamed) group.append(drawn("text", upright ? { transform: `rotate(-90 ${x1 + 4} ${y2 - 4})`, x: x1 + 4, y: y2 - 4 } : { x: x2 + 4, y: y1 + 4 }, row.label));
  answer(group, row, [x2, y2]);
  scatter.append(group);
}

// Pointing at a system shows its numbers, and choosing it plays it.
function answer(group, row, place) {
  group.addEventListener("pointerenter", () => showTooltip(row, place));
  group.addEventListener("pointerleave", () => { tooltip.hidden = true; });
  group.addEventListener("focus", () => showTooltip(row, place));
  group.addEventListener("blur", () => { tooltip.hidden = true; });
  group.addEventListener("click", () => playSystem(row.system));
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); playSystem(row.system); }
  });
}

function showTooltip(row, place) {
  tooltip.replaceChildren(element("strong", {}, row.label));
  const table = element("table");
  for (const column of data.columns) {
    const value = marked(row, column);
    if (value === "") continue;
    const line = element("tr");
    line.append(element("td", {}, column.label), element("td", {}, value));
    table.append(line);
  }
  tooltip.append(table);
  if (row.doubt) tooltip.append(element("p", {}, `${data.doubtMark} ${row.doubt}`));
  tooltip.hidden = false;
  const box = scatter.getBoundingClientRect();
  const factor = box.width / 860;
  const right = place[0] * factor + 18 + tooltip.offsetWidth < box.width;
  tooltip.style.left = `${Math.max(0, right ? place[0] * factor + 18 : place[0] * factor - 18 - tooltip.offsetWidth)}px`;
  tooltip.style.top = `${Math.max(0, Math.min(place[1] * factor - 30, box.height - tooltip.offsetHeight))}px`;
}

for (const [id, chosen] of [["x-column", data.axes.x], ["y-column", data.axes.y]]) {
  const select = document.getElementById(id);
  for (const column of data.columns.filter((candidate) => candidate.direction))
    select.append(element("option", { value: column.name }, column.label));
  select.value = chosen;
}
for (const id of ["x-column", "x-scale", "y-column", "y-scale"]) document.getElementById(id).addEventListener("change", drawScatter);
document.querySelector(".axes").addEventListener("submit", (event) => event.preventDefault());

// ---------------------------------------------------------------- audio

const players = new Map(); // "system/clip" -> { audio, button, clip, row }
let current = null;

function drawGrid() {
  const head = element("tr");
  head.append(element("th", { scope: "col" }, "Clip"));
  for (const system of data.audio) head.append(element("th", { scope: "col", title: system.note }, system.label));
  document.querySelector("#grid thead").append(head);
  for (const clip of data.clips) {
    const line = element("tr");
    line.append(element("th", { scope: "row" }, clip));
    for (const system of data.audio) {
      const cell = element("td");
      const files = system.clips[clip];
      if (files) {
        const button = element("button", { type: "button", "aria-label": `Play ${system.label}, ${clip}`, "aria-pressed": "false" });
        button.append(element("img", { src: files.picture, alt: "", loading: "lazy" }));
        const audio = element("audio", { src: files.sound, preload: "auto" });
        const player = { audio, button, clip, system, picture: files.picture };
        button.addEventListener("click", () => (current === player ? stop() : play(player)));
        audio.addEventListener("ended", () => { if (current === player) stop(); });
        players.set(`${system.system}/${clip}`, player);
        cell.append(button);
      }
      line.append(cell);
    }
    document.querySelector("#grid tbody").append(line);
  }
}

function play(player) {
  const position = current && current.clip === player.clip ? current.audio.currentTime : 0;
  stop();
  current = player;
  player.audio.currentTime = position;
  player.button.classList.add("playing");
  player.button.setAttribute("aria-pressed", "true");
  document.querySelector("#now-playing figcaption").textContent = `${player.system.label}, ${player.clip}. ${player.system.note}`;
  const picture = document.querySelector(".spectrogram img");
  picture.src = player.picture;
  picture.alt = `Spectrogram of ${player.system.label}, ${player.clip}`;
  picture.hidden = false;
  document.getElementById("stop").disabled = false;
  player.audio.play().catch(() => { if (current === player) stop(); });
  requestAnimationFrame(movePlayhead);
}

function stop() {
  if (!current) return;
  current.audio.pause();
  current.button.classList.remove("playing");
  current.button.setAttribute("aria-pressed", "false");
  current = null;
  document.getElementById("stop").disabled = true;
  document.querySelector(".playhead").hidden = true;
}

function movePlayhead() {
  if (!current) return;
  const head = document.querySelector(".playhead");
  head.hidden = false;
  head.style.left = `${(100 * current.audio.currentTime) / (current.audio.duration || 1)}%`;
  requestAnimationFrame(movePlayhead);
}

function playSystem(system) {
  const clip = current ? current.clip : data.clips[0];
  const player = players.get(`${system}/${clip}`) || [...players.values()].find((candidate) => candidate.system.system === system);
  if (player) play(player);
}

document.getElementById("stop").addEventListener("click", stop);

// ---------------------------------------------------------------- table

let sorting = { column: "system", direction: null };

function drawTable() {
  const head = element("tr");
  for (const column of data.columns) {
    const active = sorting.column === column.name && sorting.direction;
    const cell = element("th", { scope: "col", "aria-sort": active || "none" });
    const button = element("button", { type: "button" }, column.label);
    button.addEventListener("click", () => {
      sorting = { column: column.name, direction: active === "ascending" ? "descending" : "ascending" };
      drawTable();
      document.querySelectorAll("#systems th button")[data.columns.indexOf(column)].focus();
    });
    cell.append(button);
    head.append(cell);
  }
  document.querySelector("#systems thead").replaceChildren(head);
  const empty = (value) => value === null || value === undefined || value === "";
  const rows = [...data.systems];
  if (sorting.direction) {
    const sign = sorting.direction === "ascending" ? 1 : -1;
    rows.sort((one, other) => {
      const a = one[sorting.column], b = other[sorting.column];
      if (empty(a) || empty(b)) return empty(a) - empty(b); // missing values last, whichever way
      return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
    });
  }
  document.querySelector("#systems tbody").replaceChildren(...rows.map((row) => {
    const line = element("tr", row.on_front_energy === true ? { class: "optimal" } : {});
    for (const column of data.columns)
      line.append(element("td", isDoubtful(row, column) ? { title: row.doubt } : {}, marked(row, column)));
    return line;
  }));
}

drawScatter();
drawGrid();
drawTable();
