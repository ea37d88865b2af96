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

const isNarrow = window.matchMedia("(max-width: 40rem)"); // as in the style
let frame; // of the axes, in the units of the drawing, which is `width` by `height`
const scatter = document.getElementById("scatter");
const tooltip = document.getElementById("tooltip");
const MOST_NAMED = 40; // systems in the scatter; of more of them, the table is folded
const MOST_NAMED_NARROW = 12;
const MOST_LISTED = 20; // in a sentence
const families = [...new Set(data.systems.filter((row) => row.family !== "reference").map((row) => row.model))];

// A reference system belongs where its cost on the device of the others is an axis; it competes where MOS is none.
function belongs(row, x, y) {
  const isMeasured = (column) => data.doubtful.includes(column) && typeof row[column] === "number";
  return row.family !== "reference" || (!row.elsewhere && (isMeasured(x) || isMeasured(y)));
}

// Three seeds of one system would be three tries: the first competes.
const competes = (row, x, y) => belongs(row, x, y) && !row.replicate_of && (row.family !== "reference" || ![x, y].includes("mos"));

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
  return ticks.length > 1 ? ticks : linearTicks(10 ** low, 10 ** high);
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
    return drawn("text", { x, y: y + size * 0.7, "text-anchor": "middle", "font-size": 2 * size, ...attributes }, kind.replaceAll("$", ""));
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
    "4,1,0": ring(8, [1.4, 0.55]),
    "3,1,180": ring(6, [1.4, 0.55]).map(([dx, dy]) => [dx, -dy]),
  }[String(kind)];
  return corners ? drawn("polygon", { points: points(corners), ...attributes }) : drawn("circle", { cx: x, cy: y, r: size, ...attributes });
}

const isNumber = (row) => String(row.marker).startsWith("$"); // of a model beyond the shapes

const markBox = ({ x, y, reach = 9 }) => ({ left: x - reach, right: x + reach, top: y - reach, bottom: y + reach });
const covered = (one, other) =>
  Math.max(0, Math.min(one.right, other.right) - Math.max(one.left, other.left)) * Math.max(0, Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top));

// Labels in the order of the systems, each where it covers least of the marks and of the labels before it.
function placeLabels(labels, taken) {
  const boxes = [...taken, ...labels.map(markBox)], written = [];
  for (const { text, x, y } of labels) {
    const width = text.getComputedTextLength() + 4, height = 16;
    let best = null;
    for (const distance of [0, 9, 18, 30, 45])
      for (const [across, down] of [[1, -1], [-1, -1], [1, 1], [-1, 1], [1, 0], [-1, 0], [0, -1], [0, 1]]) {
        const middle = [x + across * (10 + distance + width / 2), y + down * (across ? 9 + distance : 20 + distance)];
        const box = { left: middle[0] - width / 2, right: middle[0] + width / 2, top: middle[1] - height / 2, bottom: middle[1] + height / 2 };
        const outside = box.left < frame.left || box.right > Math.min(frame.right + 20, frame.width) || box.top < 0 || box.bottom > frame.bottom;
        const unread = 10 * written.reduce((sum, other) => sum + covered(box, other), 0); // two names in one place
        const cost = boxes.reduce((sum, other) => sum + covered(box, other), unread + 2 * distance + (outside ? 1e4 : 0));
        if (!best || cost < best.cost) best = { cost, box };
      }
    written.push(best.box);
    text.setAttribute("x", (best.box.left + best.box.right) / 2);
    text.setAttribute("y", best.box.bottom - 4);
  }
}

// The ends of a 95 % interval, or the value itself where there is none; one down to zero has no end on a logarithmic axis.
function ends(row, column, kind) {
  const half = row[`${column}_ci95`];
  if (typeof half !== "number") return [row[column], row[column]];
  const below = row[column] - half; // a cost or a distance is never negative, however wide its interval is
  const low = columns.get(column).direction === "min" && row[column] >= 0 ? Math.max(below, 0) : below;
  return [kind === "log" ? Math.max(low, row[column] / 2) : low, row[column] + half];
}

// Names in a sentence; of many, the first ones and how many more there are.
function listed(rows) {
  const names = rows.slice(0, MOST_LISTED).map((row) => row.label).join(", ");
  return rows.length > MOST_LISTED ? `${names} and ${rows.length - MOST_LISTED} more` : names;
}

function drawScatter() {
  const x = document.getElementById("x-column").value, y = document.getElementById("y-column").value;
  const xScale = document.getElementById("x-scale").value, yScale = document.getElementById("y-scale").value;
  const usable = (value, kind) => typeof value === "number" && (kind !== "log" || value > 0);
  const rows = data.systems.filter((row) => competes(row, x, y) && usable(row[x], xScale) && usable(row[y], yScale));
  // A system that has one of the values is a tick on its axis.
  const only = (has, kind, lacks, other) => data.systems.filter((row) => belongs(row, x, y) && usable(row[has], kind) && !usable(row[lacks], other));
  const below = only(x, xScale, y, yScale), beside = only(y, yScale, x, xScale);
  frame = isNarrow.matches ? { left: 52, right: 378, top: 14, bottom: 350, width: 390, height: 400 } : { left: 76, right: 836, top: 18, bottom: 420, width: 860, height: 480 };
  scatter.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
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
  scatter.append(drawn("text", { x: 14, y: (frame.top + frame.bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${(frame.top + frame.bottom) / 2})` }, columns.get(y).label));

  const line = (members) => members.map((row) => `${horizontal.place(row[x])},${vertical.place(row[y])}`).join(" ");
  const isMany = rows.length > MOST_NAMED, namesAll = rows.length <= (isNarrow.matches ? MOST_NAMED_NARROW : MOST_NAMED);
  for (const family of isMany ? [] : families) {
    const members = rows.filter((row) => row.model === family);
    if (members.length > 1) scatter.append(drawn("polyline", { class: "family", points: line(members) }));
  }
  const optimal = rows.filter((row) => !rows.some((other) => dominates(other, row, x, y)));
  const ordered = [...optimal].sort((one, other) => one[x] - other[x]);
  const steps = ordered.flatMap((row, index) => (index ? [[row[x], ordered[index - 1][y]], [row[x], row[y]]] : [[row[x], row[y]]]));
  scatter.append(drawn("polyline", { class: "front", points: steps.map(([a, b]) => `${horizontal.place(a)},${vertical.place(b)}`).join(" ") }));

  const ticks = [];
  for (const row of below) {
    const place = horizontal.place(row[x]);
    ticks.push(drawTick(row, x, [place, place, frame.bottom, frame.bottom - 14], below.length <= 8));
  }
  for (const row of beside) {
    const place = vertical.place(row[y]);
    ticks.push(drawTick(row, y, [frame.left, frame.left + 14, place, place], beside.length <= 8));
  }

  const labels = [], others = []; // of many systems, the optimal ones alone are named
  for (const row of rows) {
    const place = [horizontal.place(row[x]), vertical.place(row[y])];
    const group = drawn("g", { class: "system", tabindex: 0, role: "button", "data-system": row.system, "aria-label": `${row.label}: ${columns.get(x).label} ${shown(row[x])}, ${columns.get(y).label} ${shown(row[y])}` });
    const [left, right] = ends(row, x, xScale).map(horizontal.place), [low, high] = ends(row, y, yScale).map(vertical.place);
    const isPlain = isMany && !optimal.includes(row);
    if (!isPlain && left !== right) group.append(drawn("line", { class: "interval", x1: left, x2: right, y1: place[1], y2: place[1] }));
    if (!isPlain && low !== high) group.append(drawn("line", { class: "interval", x1: place[0], x2: place[0], y1: low, y2: high }));
    if (optimal.includes(row)) group.append(drawn("circle", { class: "ring", cx: place[0], cy: place[1], r: isMany ? 9 : 13 }));
    const isDot = isMany && isNumber(row); // a number cannot be read among hundreds
    const look = { class: isPlain ? "mark plain" : "mark", fill: isDot ? "none" : row.colour, stroke: "#33404d" };
    group.append(mark(isDot ? "o" : row.marker, place[0], place[1], isMany ? (isNarrow.matches ? 3 : 4) : 7, look));
    const doubtful = [x, y].some((name) => isDoubtful(row, columns.get(name)));
    if (namesAll || optimal.includes(row)) {
      const text = drawn("text", { class: "name", "text-anchor": "middle" }, row.label + (doubtful ? data.doubtMark : ""));
      group.append(text);
      labels.push({ text, x: place[0], y: place[1] });
    } else others.push({ x: place[0], y: place[1], reach: isPlain ? 4 : 7 });
    answer(group, row, place);
    scatter.append(group);
  }
  const taken = [...labels, ...others].map(markBox);
  nameTicks(ticks.filter(Boolean), taken);
  placeLabels(labels, taken.slice(labels.length));
  fade();
  if (!namesAll) drawLegend(rows, isMany);
  document.getElementById("legend").hidden = namesAll;
  document.getElementById("scatter-summary").textContent =
    [
      `Pareto optimal among ${rows.length} ${rows.length === 1 ? "system" : "systems"}: ${listed(ordered)}.`,
      ...[[below, y], [beside, x]].filter(([ticks]) => ticks.length).map(([ticks, lacking]) =>
        `Ticks on the axis are without ${columns.get(lacking).label}: ${listed(ticks)}.`),
    ].join(" ");
}

// Where not every system is named: what the markers of the models are.
function drawLegend(rows, isMany) {
  const models = new Map(rows.map((row) => [row.modelLabel, row]));
  const signs = [...models].filter(([, row]) => !isMany || !isNumber(row)).map(([name, row]) => [name, row.marker, row.colour]);
  if (signs.length < models.size) signs.push([`${models.size - signs.length} other models`, "o", "none"]);
  document.getElementById("legend").replaceChildren(...signs.map(([name, kind, fill]) => {
    const line = element("li"), sign = drawn("svg", { viewBox: "-7 -7 14 14", "aria-hidden": "true" });
    sign.append(mark(kind, 0, 0, 5, { fill, stroke: "#33404d" }));
    line.append(sign, name);
    return line;
  }));
}

function drawTick(row, column, [x1, x2, y1, y2], isNamed) {
  const group = drawn("g", { class: "tick", tabindex: 0, role: "button", "data-system": row.system, "aria-label": `${row.label}: ${columns.get(column).label} ${shown(row[column])}` });
  group.append(drawn("line", { x1, x2, y1, y2 }));
  answer(group, row, [x2, y2]);
  scatter.append(group);
  return isNamed ? { group, label: row.label, x: x2, y: y2, upright: x1 === x2 } : null;
}

// A tick has its name beside it where that covers no mark and no other name; the sentence below names all of them.
function nameTicks(ticks, taken) {
  for (const { group, label, x, y, upright } of ticks) {
    const text = drawn("text", upright ? { transform: `rotate(-90 ${x + 4} ${y - 4})`, x: x + 4, y: y - 4 } : { x: x + 4, y: y + 4 }, label);
    group.append(text);
    const length = text.getComputedTextLength();
    const box = upright ? { left: x - 7, right: x + 7, top: y - 6 - length, bottom: y } : { left: x, right: x + 6 + length, top: y - 7, bottom: y + 7 };
    if (taken.some((other) => covered(box, other) > 0)) text.remove();
    else taken.push(box);
  }
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
    if (event.key === "Escape") tooltip.hidden = true;
  });
}

function showTooltip(row, place) {
  tooltip.replaceChildren(element("strong", {}, row.label));
  const axes = [document.getElementById("x-column").value, document.getElementById("y-column").value];
  const told = [...new Set([...axes.map((name) => columns.get(name)), ...data.columns.filter((column) => column.main && column.name !== "system")])];
  const table = element("table");
  for (const column of told) {
    const value = marked(row, column);
    if (value === "") continue;
    const line = element("tr");
    line.append(element("td", {}, column.label), element("td", {}, value));
    table.append(line);
  }
  tooltip.append(table);
  if (row.doubt) tooltip.append(element("p", {}, `${data.doubtMark} ${row.doubt}`));
  tooltip.hidden = false;
  if (!isNarrow.matches) placeTooltip(place); // else it stands below the plot
}

// Beside the system, never on it, within the plot, where it covers least of the other systems and of the names.
function placeTooltip(place) {
  const box = scatter.getBoundingClientRect();
  const [x, y] = place.map((value) => (value * box.width) / frame.width), gap = 18;
  const width = tooltip.offsetWidth, height = tooltip.offsetHeight;
  const taken = [...scatter.querySelectorAll(".mark, .name")].map((each) => each.getBoundingClientRect())
    .map((each) => ({ left: each.left - box.left, right: each.right - box.left, top: each.top - box.top, bottom: each.bottom - box.top }));
  const within = (top) => Math.max(0, Math.min(top, box.height - height));
  const corners = [
    ...[x + gap, x - gap - width].flatMap((left) => [y - 30, y - height / 2, y - height + 30].map((top) => [left, within(top)])),
    ...[y + gap, y - gap - height].map((top) => [Math.max(0, Math.min(x - width / 2, box.width - width)), top]),
  ];
  let best = null;
  for (const [left, top] of corners) {
    const own = { left, right: left + width, top, bottom: top + height };
    const outside = left < 0 || own.right > box.width || top < 0 || own.bottom > box.height;
    const cost = taken.reduce((sum, other) => sum + covered(own, other), outside ? 1e9 : 0);
    if (!best || cost < best.cost) best = { cost, left: Math.max(0, left), top };
  }
  tooltip.style.left = `${best.left}px`;
  tooltip.style.top = `${best.top}px`;
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

const players = new Map(); // "system/clip" -> { audio, clip, system, picture }
let current = null;
const MOST_PRELOADED = 300; // sounds
const MOST_HEARD = 40; // systems side by side
const rowOf = new Map(data.systems.map((row) => [row.system, row]));

function playerOf(system, clip) {
  const key = `${system.system}/${clip}`, files = system.clips[clip];
  if (files && !players.has(key)) {
    const audio = element("audio", { src: files.sound, preload: data.audio.length * data.clips.length > MOST_PRELOADED ? "none" : "auto" });
    const player = { audio, clip, system, picture: files.picture };
    audio.addEventListener("ended", () => { if (current === player) stop(); });
    players.set(key, player);
  }
  return players.get(key);
}

// Of many systems, those that a reader looks for, or else the references and the optimal ones.
function heard() {
  if (data.audio.length <= MOST_HEARD) return data.audio;
  const matters = search.value.trim() ? isFound : (row) => row.family === "reference" || row.on_front_energy === true;
  return data.audio.filter((system) => matters(rowOf.get(system.system))).slice(0, MOST_HEARD);
}

function drawGrid() {
  const shownSystems = heard();
  document.getElementById("grid-note").textContent = shownSystems.length < data.audio.length
    ? `${shownSystems.length} of ${data.audio.length} systems; find others below, or play them in the plot.` : "";
  const head = element("tr");
  head.append(element("th", { scope: "col" }, "Clip"));
  for (const system of shownSystems) head.append(element("th", { scope: "col", title: system.note }, system.label));
  document.querySelector("#grid thead").replaceChildren(head);
  document.querySelector("#grid tbody").replaceChildren(...data.clips.map((clip) => {
    const line = element("tr");
    line.append(element("th", { scope: "row" }, clip));
    for (const system of shownSystems) {
      const cell = element("td"), player = playerOf(system, clip);
      if (player) {
        const button = element("button", { type: "button", "aria-label": `Play ${system.label}, ${clip}`, "aria-pressed": "false", "data-player": `${system.system}/${clip}` });
        button.append(element("img", { src: player.picture, alt: "", loading: "lazy" }));
        button.addEventListener("click", () => (current === player ? stop() : play(player)));
        cell.append(button);
      }
      line.append(cell);
    }
    return line;
  }));
  if (current) press(current, true);
}

// Show in the grid whether a sound is on, where the grid has its system.
function press(player, isOn) {
  const button = document.querySelector(`#grid [data-player="${CSS.escape(`${player.system.system}/${player.clip}`)}"]`);
  if (!button) return;
  button.classList.toggle("playing", isOn);
  button.setAttribute("aria-pressed", String(isOn));
}

function play(player) {
  const position = current && current.clip === player.clip ? current.audio.currentTime : 0;
  stop();
  current = player;
  player.audio.currentTime = position;
  press(player, true);
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
  press(current, false);
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
  const own = data.audio.find((candidate) => candidate.system === system);
  const clips = own ? [current ? current.clip : data.clips[0], ...Object.keys(own.clips)] : [];
  const clip = clips.find((candidate) => own.clips[candidate]);
  if (clip) play(playerOf(own, clip));
}

document.getElementById("stop").addEventListener("click", stop);

// ---------------------------------------------------------------- table

let sorting = { column: "system", direction: null };

const search = document.getElementById("filter"), allColumns = document.getElementById("all-columns"), allSystems = document.getElementById("all-systems");
const isLong = data.systems.length > MOST_NAMED;
// Of very many models, each of few systems, the table is folded by kind: GAN, flow, diffusion.
const fold = families.length > MOST_NAMED ? (row) => row.family || "others" : (row) => row.modelLabel;
const unfolded = new Set();
document.getElementById("unfold").hidden = !isLong;

// Whether a system is what a reader looks for: by its name, model, family or where its weights are from.
function isFound(row) {
  const words = search.value.trim().toLowerCase().split(/\s+/);
  const text = [row.label, row.system, row.family, row.weights, row.weights_source].filter(Boolean).join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

// What is not found is faded; of many systems, the tabulator stops at those that are named, or else at what is found.
function fade() {
  const found = new Set(data.systems.filter(isFound).map((row) => row.system));
  const marks = [...scatter.querySelectorAll("[data-system]")], isSearching = Boolean(search.value.trim());
  for (const mark of marks) {
    const isHit = found.has(mark.dataset.system);
    mark.classList.toggle("faded", !isHit);
    mark.setAttribute("tabindex", marks.length <= MOST_NAMED || (isSearching ? isHit : mark.querySelector(".name")) ? 0 : -1);
  }
}

search.addEventListener("input", () => { drawTable(); fade(); if (data.audio.length > MOST_HEARD) drawGrid(); });
for (const box of [allColumns, allSystems]) box.addEventListener("change", drawTable);
document.querySelector(".filter").addEventListener("submit", (event) => event.preventDefault());

function sorted(rows) {
  if (!sorting.direction) return rows;
  const empty = (value) => value === null || value === undefined || value === "";
  const sign = sorting.direction === "ascending" ? 1 : -1;
  return [...rows].sort((one, other) => {
    const a = one[sorting.column], b = other[sorting.column];
    if (empty(a) || empty(b)) return empty(a) - empty(b); // missing values last, whichever way
    return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  });
}

function drawTable() {
  const head = element("tr");
  const shownColumns = data.columns.filter((column) => column.main || allColumns.checked);
  for (const column of shownColumns) {
    const active = sorting.column === column.name && sorting.direction;
    const cell = element("th", { scope: "col", "aria-sort": active || "none" });
    const button = element("button", { type: "button" }, column.label);
    button.addEventListener("click", () => {
      sorting = { column: column.name, direction: active === "ascending" ? "descending" : "ascending" };
      drawTable();
      document.querySelectorAll("#systems th button")[shownColumns.indexOf(column)].focus();
    });
    cell.append(button);
    head.append(cell);
  }
  document.querySelector("#systems thead").replaceChildren(head);
  const rows = sorted(data.systems.filter(isFound));
  document.getElementById("found").textContent = rows.length < data.systems.length ? `${rows.length} of ${data.systems.length} systems` : "";
  const isFolded = isLong && !allSystems.checked && !search.value.trim();
  const lines = isFolded ? foldedLines(rows, shownColumns) : rows.map((row) => lineOf(row, shownColumns));
  document.querySelector("#systems tbody").replaceChildren(...lines);
}

function lineOf(row, shownColumns) {
  const line = element("tr", row.on_front_energy === true ? { class: "optimal" } : {});
  for (const column of shownColumns)
    line.append(element("td", isDoubtful(row, column) ? { title: row.doubt } : {}, column.name === "system" ? row.label : marked(row, column)));
  return line;
}

// A line per model that opens and shuts the lines of its systems, of which the optimal ones are always seen.
function foldedLines(rows, shownColumns) {
  const groups = new Map();
  for (const row of rows) groups.set(fold(row), [...(groups.get(fold(row)) || []), row]);
  return [...groups].flatMap(([name, members]) => {
    if (members.length === 1) return [lineOf(members[0], shownColumns)];
    const optimal = members.filter((row) => row.on_front_energy === true), isOpen = unfolded.has(name);
    const count = optimal.length ? `, ${optimal.length} Pareto optimal` : "";
    const button = element("button", { type: "button", "aria-expanded": String(isOpen) }, `${name}: ${members.length} systems${count}`);
    button.addEventListener("click", () => {
      if (isOpen) unfolded.delete(name); else unfolded.add(name);
      drawTable();
      [...document.querySelectorAll("#systems .family button")].find((other) => other.textContent === button.textContent).focus();
    });
    const line = element("tr", { class: "family" }), cell = element("td", { colspan: shownColumns.length });
    cell.append(button);
    line.append(cell);
    return [line, ...(isOpen ? members : optimal).map((row) => lineOf(row, shownColumns))];
  });
}

isNarrow.addEventListener("change", drawScatter);
drawScatter();
drawGrid();
drawTable();
