// The review of labels: choose an utterance, listen, decide, save the decisions.
//
// All that is shown comes from the JSON in the page and is set as text, never as markup. Decisions are
// kept in the browser under the audit's digest, so that another audit begins with those alone that its
// runs had read. Nothing is sent anywhere.
"use strict";

const data = JSON.parse(document.getElementById("audit-data").textContent);
const STORE = `ambivox-audit-${data.digest}`;
const SVG = "http://www.w3.org/2000/svg";
const WAVE = { width: 600, wave: 110, attention: 60, gap: 14 };

const at = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const rows = [...document.querySelectorAll("tr[data-entry]")]; // rows[i] is that of entries[i]
const audio = at("audio");
let decisions = load(); // by utterance: { label, comment }, the label null where only a comment is typed
let chosen = null;

// --- decisions ---------------------------------------------------------------------------------

function load() {
  try {
    return new Map(Object.entries(JSON.parse(localStorage.getItem(STORE)) ?? {}));
  } catch {
    return new Map(); // Storage may be switched off, or hold what another program wrote.
  }
}

function keep() {
  try {
    localStorage.setItem(STORE, JSON.stringify(Object.fromEntries(decisions)));
  } catch {
    at("kept").textContent = "This browser keeps nothing: save before you leave.";
  }
}

// What a label means for an utterance: the words of corrections.csv.
function decisionOf(entry, label) {
  if (label === entry.original) return "reject";
  return label === data.classes[entry.suggestion] ? "accept" : "other";
}

// The decision that stands: the one made here, else the one that the runs had read.
function standing(entry) {
  const own = decisions.get(entry.id);
  if (own && own.label !== null) return own;
  return entry.earlier ?? null;
}

// A comment that nothing has been decided on.
function isAlone(entry) {
  return standing(entry) === null && Boolean(decisions.get(entry.id)?.comment);
}

function decide(label) {
  if (chosen === null) return;
  change({ label, comment: at("comment").value });
  step(1);
}

// What was typed stays.
function undo() {
  if (chosen === null) return;
  change({ label: null, comment: data.entries[chosen].earlier ? "" : at("comment").value });
  showChoices(data.entries[chosen]);
}

function comment() {
  change({ label: standing(data.entries[chosen])?.label ?? null, comment: at("comment").value });
}

function change(decision) {
  const { id } = data.entries[chosen];
  if (decision.label === null && decision.comment === "") decisions.delete(id);
  else decisions.set(id, decision);
  keep();
  showDecision(chosen);
  showProgress();
  at("comment-alone").hidden = !isAlone(data.entries[chosen]);
}

function showDecision(index) {
  const entry = data.entries[index];
  rows[index].querySelector(".decision").textContent = wordOf(entry);
  rows[index].classList.toggle("decided", standing(entry) !== null);
}

function wordOf(entry) {
  const decision = standing(entry);
  if (decision === null) return isAlone(entry) ? "only a comment" : "";
  if (decision !== entry.earlier) return decision.label === entry.label ? "kept" : `now ${decision.label}`;
  return decision.label === decision.given ? "kept before" : `was ${decision.given || "none"}`;
}

function showProgress() {
  const count = (test) => data.entries.filter(test).length;
  const alone = count(isAlone);
  const rest = alone === 0 ? "" : alone === 1 ? "; 1 comment without a decision" : `; ${alone} comments without a decision`;
  at("progress").textContent = `${count((entry) => standing(entry) !== null)} of ${data.entries.length} decided${rest}`;
  at("save").disabled = records().length === 0;
}

// Every decision, those that the runs had read among them, on utterances of other folds too: the file
// is whole by itself.
function records() {
  const decided = data.entries.filter((entry) => standing(entry) !== null);
  const others = data.others.map((other) => [other.id, other.given, other.label, other.decision, other.comment]);
  return [...decided.map(record), ...others];
}

function record(entry) {
  const { label, comment } = standing(entry);
  const { earlier } = entry;
  // Decided as it was before, it is the same decision.
  if (earlier && label === earlier.label) return [entry.id, earlier.given, label, earlier.decision, comment];
  return [entry.id, entry.original, label, decisionOf(entry, label), comment];
}

function save() {
  // No text is a formula in a spreadsheet; what reads the file takes the mark off again.
  const guard = (cell) => (/^'*[=+\-@\t\r\n＝＋－＠][^]/.test(cell) ? `'${cell}` : cell);
  const quote = (cell) => (/[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const lines = [["utterance_id", "given", "label", "decision", "comment"], ...records()];
  const text = lines.map((cells) => `${cells.map(guard).map(quote).join(",")}\n`).join("");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = "corrections.csv";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// --- the list ----------------------------------------------------------------------------------

function filter() {
  const [label, speaker, decided] = ["by-label", "by-speaker", "by-decision"].map((id) => at(id).value);
  const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const [index, entry] of data.entries.entries()) {
    const own = `${entry.id} ${entry.path} ${entry.reason}`.toLowerCase();
    const show =
      (label === "" || entry.label === label) &&
      (speaker === "" || entry.speaker === speaker) &&
      (decided === "" || (standing(entry) !== null) === (decided === "yes")) &&
      (!at("differs").checked || entry.label !== data.classes[entry.suggestion]) &&
      words.every((word) => own.includes(word));
    rows[index].hidden = !show;
    shown += Number(show);
  }
  at("count").textContent = `${shown} of ${rows.length} utterances`;
}

// The next or previous row that is shown, in the table's present order.
function step(by) {
  const order = [...document.querySelectorAll("tr[data-entry]")];
  let place = order.findIndex((row) => Number(row.dataset.entry) === chosen);
  do place += by;
  while (order[place]?.hidden);
  if (order[place]) choose(Number(order[place].dataset.entry));
  else if (chosen !== null) choose(chosen);
}

// --- one utterance -----------------------------------------------------------------------------

function choose(index, focus = false) {
  const entry = data.entries[index];
  chosen = index;
  const row = rows[index];
  document.querySelector("tr.chosen")?.classList.remove("chosen");
  document.querySelector("tr[aria-current]")?.removeAttribute("aria-current");
  row.classList.add("chosen");
  row.setAttribute("aria-current", "true");
  at("nothing").hidden = true;
  at("utterance").hidden = false;
  at("detail-id").textContent = entry.id;
  at("detail-where").textContent = where(entry);
  at("detail-reason").textContent = entry.reason;
  showSound(entry);
  showClasses(entry);
  showChoices(entry);
  // In one column the utterance stands above the table.
  if (!matchMedia("(min-width: 75rem)").matches) at("detail").scrollIntoView();
  else if (!row.hidden) row.scrollIntoView({ block: "nearest" });
  if (focus) at("detail-id").focus({ preventScroll: true });
}

function where(entry) {
  const cut = entry.start_s === null && entry.end_s === null ? "" :
    `, ${(entry.start_s ?? 0).toFixed(2)} s to ${entry.end_s === null ? "the end" : `${entry.end_s.toFixed(2)} s`}`;
  const speaker = entry.speaker === "" ? "" : `, speaker ${entry.speaker}`;
  // Without a recording there is no more to say.
  const recording = entry.seconds === 0 ? "" : `, ${entry.seconds.toFixed(2)} s: ${entry.path}${cut}`;
  return `Rank ${entry.rank}${speaker}${recording}`;
}

function showClasses(entry) {
  const voted = entry.votes.some((count) => count > 0);
  at("votes-head").hidden = !voted;
  const lines = data.classes.map((name, index) => {
    const line = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    const marks = [name === entry.label && "given", index === entry.suggestion && "suggested"];
    head.textContent = [name, ...marks.filter(Boolean).map((mark) => `(${mark})`)].join(" ");
    const votes = document.createElement("td");
    votes.textContent = entry.votes[index];
    votes.hidden = !voted;
    line.append(head, votes, share(entry.learned[index]), share(entry.unheard[index]));
    return line;
  });
  at("classes").replaceChildren(...lines);
}

// A share as text with a bar behind it.
function share(value) {
  const cell = document.createElement("td");
  const bar = draw("rect", { class: "share", width: 100 * value, height: 10 });
  const svg = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(bar);
  cell.append(svg, percent(value));
  return cell;
}

function showChoices(entry) {
  const own = decisions.get(entry.id);
  const decision = standing(entry);
  at("comment").value = (decision ?? own)?.comment ?? "";
  at("comment-alone").hidden = !isAlone(entry);
  at("undo").disabled = decision === null || decision === entry.earlier;
  const choices = data.classes.map((name, index) => {
    const button = document.createElement("button");
    button.type = "button";
    const keys = [String(index + 1)];
    if (name === entry.label) keys.unshift("r");
    else if (index === entry.suggestion) keys.unshift("a");
    const words = { r: `Keep ${name}`, a: `Change to ${name}` };
    const key = document.createElement("kbd");
    key.textContent = keys.join(" ");
    button.append(words[keys[0]] ?? `To ${name}`, " ", key);
    button.setAttribute("aria-pressed", String(decision?.label === name));
    button.addEventListener("click", () => {
      decide(name);
      at("detail-id").focus();
    });
    return button;
  });
  at("choices").replaceChildren(...choices);
}

// --- sound -------------------------------------------------------------------------------------

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function draw(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function showSound(entry) {
  // Of an utterance without a recording there is nothing to show.
  if (entry.seconds === 0) return;
  audio.pause();
  if (audio.src) URL.revokeObjectURL(audio.src);
  const sound = entry.sound;
  if (sound) audio.src = URL.createObjectURL(new Blob([bytesOf(sound)], { type: "audio/wav" }));
  else {
    audio.removeAttribute("src");
    audio.load();
  }
  for (const id of ["play", "seek"]) at(id).disabled = !sound;
  at("silent").hidden = Boolean(sound);
  at("seek").max = entry.seconds;
  drawWave(entry);
  showTime();
}

// The waveform, the attention below it, and seconds below both, on one axis of time.
function drawWave(entry) {
  const svg = at("wave");
  const { width, wave, attention: depth, gap } = WAVE;
  const x = (seconds) => (width * seconds) / entry.seconds;
  const peaks = bytesOf(entry.wave);
  const columns = peaks.length / 2;
  const y = (value) => (wave * (255 - value)) / 255;
  const point = (column, value) => `${((column + 0.5) * width) / columns} ${y(value).toFixed(1)}`;
  const upper = Array.from({ length: columns }, (_, i) => point(i, peaks[2 * i + 1]));
  const lower = Array.from({ length: columns }, (_, i) => point(i, peaks[2 * i])).reverse();
  const parts = [draw("path", { class: "wave", d: `M${[...upper, ...lower].join("L")}Z` })];
  const frames = entry.attention ? bytesOf(entry.attention) : [];
  const floor = wave + gap + depth;
  let highest = "";
  if (frames.length > 0) {
    const time = (frame) => frame * data.step_s + data.frame_s / 2;
    const points = Array.from(frames, (value, i) => `${x(time(i)).toFixed(1)} ${(floor - (depth * value) / 255).toFixed(1)}`);
    const [from, to] = [x(time(0)), x(time(frames.length - 1))];
    parts.push(draw("path", { class: "attention", d: `M${from} ${floor}L${points.join("L")}L${to} ${floor}Z` }));
    highest = ` Attention is highest at ${time(frames.indexOf(255)).toFixed(2)} s.`;
  }
  parts.push(draw("path", { class: "axis", d: `M0 ${floor}H${width}` }), ...ticks(entry.seconds, x, floor));
  parts.push(draw("path", { class: "cursor", id: "cursor", d: `M0 0V${floor}` }));
  const title = draw("title", { id: "wave-title" }, `Waveform of ${entry.id}, ${entry.seconds.toFixed(2)} s.${highest}`);
  svg.replaceChildren(title, ...parts);
}

function ticks(seconds, x, floor) {
  const every = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60].find((step) => seconds / step <= 7) ?? 300;
  const marks = [];
  for (let n = 0; n * every < seconds; n += 1) {
    const text = String(Number((n * every).toFixed(1)));
    const end = n === 0 ? "start" : "middle";
    marks.push(draw("text", { class: "small", x: x(n * every), y: floor + 19, "text-anchor": end }, n === 0 ? `${text} s` : text));
  }
  return marks;
}

// The one call that is due while a sound plays.
let nextTime = 0;

function showTime() {
  const entry = data.entries[chosen];
  const now = Math.min(audio.currentTime || 0, entry.seconds);
  at("cursor").setAttribute("transform", `translate(${(WAVE.width * now) / entry.seconds} 0)`);
  at("seek").value = now;
  at("time").textContent = `${now.toFixed(1)} of ${entry.seconds.toFixed(1)} s`;
  at("play").firstChild.textContent = audio.paused ? "Play " : "Pause ";
  cancelAnimationFrame(nextTime);
  if (!audio.paused) nextTime = requestAnimationFrame(showTime);
}

function play() {
  if (at("play").disabled) return;
  if (audio.paused) audio.play();
  else audio.pause();
}

// --- keys --------------------------------------------------------------------------------------

const keys = {
  a: () => {
    const entry = data.entries[chosen];
    const suggestion = data.classes[entry.suggestion];
    if (suggestion !== entry.label) decide(suggestion);
  },
  r: () => decide(data.entries[chosen].label),
  u: undo,
  p: play,
};

function pressed(event) {
  const typing = event.target.matches("select, textarea, input:not([type=checkbox])");
  if (!at("keys").checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const label = data.classes[Number(event.key) - 1];
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "/") at("search").focus();
  else if (chosen !== null && label !== undefined) decide(label);
  else if (chosen !== null && Object.hasOwn(keys, event.key)) keys[event.key]();
  else return;
  event.preventDefault();
}

// --- begin -------------------------------------------------------------------------------------

for (const [index, row] of rows.entries()) {
  const name = row.querySelector("th");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "open";
  button.append(...name.childNodes);
  name.append(button);
  row.addEventListener("click", () => choose(index, true));
  showDecision(index);
}
for (const id of ["by-label", "by-speaker", "by-decision", "differs"]) at(id).addEventListener("change", filter);
at("search").addEventListener("input", filter);
at("save").addEventListener("click", save);
at("undo").addEventListener("click", undo);
at("comment").addEventListener("input", comment);
at("play").addEventListener("click", play);
at("previous").addEventListener("click", () => step(-1));
at("next").addEventListener("click", () => step(1));
at("seek").addEventListener("input", () => {
  audio.currentTime = at("seek").value;
  showTime();
});
at("wave").addEventListener("click", (event) => {
  const box = at("wave").getBoundingClientRect();
  audio.currentTime = ((event.clientX - box.left) / box.width) * data.entries[chosen].seconds;
  showTime();
});
for (const event of ["play", "pause", "ended", "timeupdate"]) audio.addEventListener(event, showTime);
document.addEventListener("keydown", pressed);
at("tools").hidden = false;
at("detail").hidden = false;
showProgress();
filter();
