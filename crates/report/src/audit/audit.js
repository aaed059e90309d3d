// The review of labels: listen to an utterance, decide on its label, go on to the next, save.
//
// All that is shown comes from the JSON in the page and is set as text, never as markup. Decisions are
// kept in the browser under the audit's digest, so that another audit begins with those alone that its
// runs had read. Nothing is sent anywhere.
"use strict";

const data = JSON.parse(document.getElementById("audit-data").textContent);
const STORE = `ambivox-audit-${data.digest}`;
const SVG = "http://www.w3.org/2000/svg";
const WAVE = { width: 600, height: 120 };

const at = (id) => document.getElementById(id);
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const rows = [...document.querySelectorAll("tr[data-entry]")]; // rows[i] is that of entries[i]
const audio = at("audio");
let decisions = load(); // by utterance: { label, comment }, the label null where only a comment is typed
let chosen = 0; // index of the utterance in the panel
const made = []; // the changes of this visit, as { index, before }, the latest last

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
  remember();
  change({ label, comment: at("comment").value });
  const { id } = data.entries[chosen];
  at("last").textContent = `${id}: ${wordOf(data.entries[chosen])}.`;
  step(1);
}

function remember() {
  made.push({ index: chosen, before: decisions.get(data.entries[chosen].id) });
}

// Takes back the latest change, whichever utterance it was of, and shows that one.
function undo() {
  const { index, before } = made.pop() ?? {};
  if (index === undefined) return;
  chosen = index;
  change(before ?? { label: null, comment: "" });
  at("last").textContent = `The last decision on ${data.entries[index].id} is undone.`;
  choose(index);
}

// What was typed stays.
function clear() {
  const entry = data.entries[chosen];
  if (at("clear").disabled) return;
  remember();
  change({ label: null, comment: entry.earlier ? "" : at("comment").value });
  at("last").textContent = `${entry.id}: decision cleared.`;
  choose(chosen);
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
  if (decision === null) return isAlone(entry) ? "comment only" : "";
  if (decision !== entry.earlier) return decision.label === entry.label ? "kept" : `changed to ${decision.label}`;
  return decision.label === decision.given ? "kept earlier" : `changed earlier from ${decision.given || "no label"}`;
}

function showProgress() {
  const all = data.entries.length;
  const count = (test) => data.entries.filter(test).length;
  const [reviewed, alone] = [count((entry) => standing(entry) !== null), count(isAlone)];
  const rest = alone === 0 ? "" : alone === 1 ? "; 1 comment without a decision" : `; ${alone} comments without a decision`;
  at("progress").textContent = `${reviewed} of ${all} reviewed${rest}`;
  Object.assign(at("bar"), { max: all, value: reviewed });
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

// The next or previous row that is shown, in the table's present order; at either end it stays.
function step(by) {
  const order = [...document.querySelectorAll("tr[data-entry]")];
  let place = order.findIndex((row) => Number(row.dataset.entry) === chosen);
  do place += by;
  while (order[place]?.hidden);
  choose(order[place] ? Number(order[place].dataset.entry) : chosen);
}

// --- one utterance -----------------------------------------------------------------------------

// Brings what was chosen into view, and the focus to the panel if that is asked for.
function choose(index, focus = false) {
  show(index);
  rows[index].scrollIntoView({ block: "nearest" });
  const { top, bottom } = at("review").getBoundingClientRect();
  if (top > innerHeight / 2 || bottom < innerHeight / 4) at("review").scrollIntoView();
  if (focus) at("detail-labels").focus({ preventScroll: true });
}

function show(index) {
  const entry = data.entries[index];
  chosen = index;
  document.querySelector("tr[aria-current]")?.removeAttribute("aria-current");
  rows[index].setAttribute("aria-current", "true");
  at("detail-place").textContent = `Suspect ${entry.rank} of ${rows.length}: ${entry.id}`;
  showLabels(entry);
  at("detail-reason").textContent = entry.reason;
  at("detail-where").textContent = where(entry);
  showAudio(entry);
  showDecided(entry);
}

// `given anger → suggested happiness`, the small words read aloud too.
function showLabels(entry) {
  const word = (text) => Object.assign(document.createElement("small"), { textContent: text });
  const suggested = data.classes[entry.suggestion];
  const rest = suggested === entry.label ? [word(", no other label suggested")] : [" → ", word("suggested "), suggested];
  at("detail-labels").replaceChildren(word("given "), entry.label, ...rest);
}

function where(entry) {
  const cut = entry.start_s === null && entry.end_s === null ? "" :
    `, from ${(entry.start_s ?? 0).toFixed(2)} s to ${entry.end_s === null ? "the end" : `${entry.end_s.toFixed(2)} s`}`;
  const speaker = entry.speaker === "" ? [] : [`Speaker ${entry.speaker}`];
  // Without a recording there is no more to say.
  const recording = entry.seconds === 0 ? [] : [`${entry.seconds.toFixed(2)} s`, `${entry.path}${cut}`];
  return [...speaker, ...recording].join("; ");
}

function showDecided(entry) {
  const own = decisions.get(entry.id);
  const decision = standing(entry);
  at("comment").value = (decision ?? own)?.comment ?? "";
  at("comment-alone").hidden = !isAlone(entry);
  at("undo").disabled = made.length === 0;
  at("clear").disabled = decision === null || decision === entry.earlier;
  const votes = entry.votes.reduce((sum, count) => sum + count, 0);
  at("votes-head").hidden = votes === 0;
  const focused = at("classes").contains(document.activeElement);
  at("classes").replaceChildren(...data.classes.map((name, index) => {
    const line = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.append(choice(entry, name, index, decision));
    const voted = share(votes && entry.votes[index] / votes, `${entry.votes[index]} of ${votes}`);
    voted.hidden = votes === 0;
    line.append(head, voted, ...[entry.learned, entry.out_of_fold].map((shares) => share(shares[index], percent(shares[index]))));
    return line;
  }));
  // The button that had the focus is gone.
  if (focused) at("detail-labels").focus({ preventScroll: true });
}

// The button that decides for a class, with its keys.
function choice(entry, name, index, decision) {
  const given = name === entry.label;
  const suggested = !given && index === entry.suggestion;
  const button = document.createElement("button");
  button.type = "button";
  if (suggested) button.className = "suggested";
  button.append(`${given ? "Keep" : "Change to"} ${name} `);
  const keys = [given && "r", suggested && "a", index < 9 && String(index + 1)];
  for (const key of keys.filter(Boolean)) button.append(Object.assign(document.createElement("kbd"), { textContent: key }));
  button.setAttribute("aria-pressed", String(decision?.label === name));
  button.addEventListener("click", () => decide(name));
  return button;
}

// A share as text above its bar.
function share(value, text) {
  const cell = document.createElement("td");
  cell.className = "share";
  cell.style.setProperty("--share", value);
  cell.textContent = text;
  return cell;
}

// --- audio -------------------------------------------------------------------------------------

const bytesOf = (base64) => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

function draw(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

function showAudio(entry) {
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

// The waveform, the attention over it, and seconds below, on one axis of time.
function drawWave(entry) {
  const { width, height } = WAVE;
  const x = (seconds) => (width * seconds) / entry.seconds;
  const title = draw("title", { id: "wave-title" }, `Waveform of ${entry.id}, ${entry.seconds.toFixed(2)} s.${highest(entry)}`);
  const [area, line] = attention(entry, x);
  const parts = [...area, draw("path", { class: "wave", d: outline(bytesOf(entry.wave)) }), ...line];
  parts.push(draw("path", { class: "axis", d: `M0 ${height}H${width}` }), ...ticks(entry.seconds, x, height));
  parts.push(draw("path", { class: "cursor", id: "cursor", d: `M0 0V${height}` }));
  at("wave").replaceChildren(title, ...parts);
}

// Along the highest values and back along the lowest.
function outline(peaks) {
  const columns = peaks.length / 2;
  const y = (value) => (WAVE.height * (255 - value)) / 255;
  const point = (column, value) => `${((column + 0.5) * WAVE.width) / columns} ${y(value).toFixed(1)}`;
  const upper = Array.from({ length: columns }, (_, i) => point(i, peaks[2 * i + 1]));
  const lower = Array.from({ length: columns }, (_, i) => point(i, peaks[2 * i])).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
}

const timeOf = (frame) => frame * data.step_s + data.frame_s / 2;

// The area behind the waveform and the line over it; neither where nothing attends.
function attention(entry, x) {
  const frames = bytesOf(entry.attention);
  if (frames.length === 0) return [[], []];
  const floor = WAVE.height;
  // The line stays within the figure.
  const y = (value) => floor - ((floor - 2) * value) / 255;
  const line = Array.from(frames, (value, i) => `${x(timeOf(i)).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
  const ends = [x(timeOf(0)), x(timeOf(frames.length - 1))];
  const area = `M${ends[0]} ${floor}L${line}L${ends[1]} ${floor}Z`;
  return [[draw("path", { class: "attention", d: area })], [draw("path", { class: "attention-line", d: `M${line}` })]];
}

function highest(entry) {
  const frame = bytesOf(entry.attention).indexOf(255);
  return frame < 0 ? "" : ` Attention is highest at ${timeOf(frame).toFixed(2)} s.`;
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

// The one call that is due while audio plays.
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
  j: () => step(1),
  k: () => step(-1),
  "/": () => at("search").focus(),
  a: () => {
    const entry = data.entries[chosen];
    const suggestion = data.classes[entry.suggestion];
    if (suggestion !== entry.label) decide(suggestion);
  },
  r: () => decide(data.entries[chosen].label),
  u: undo,
  x: clear,
  p: play,
};

function pressed(event) {
  const typing = event.target.matches("select, textarea, input:not([type=checkbox], [type=range])");
  if (!at("keys").checked || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const label = data.classes[Number(event.key) - 1];
  if (label !== undefined) decide(label);
  else if (Object.hasOwn(keys, event.key)) keys[event.key]();
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
for (const [id, act] of Object.entries({ undo, clear })) {
  at(id).addEventListener("click", () => {
    act();
    // The button may have nothing left to do, and loses the focus then.
    at("detail-labels").focus({ preventScroll: true });
  });
}
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
for (const id of ["filters", "review"]) at(id).hidden = false;
showProgress();
filter();
// The first that nobody has reviewed; where all are, the first.
show(Math.max(0, data.entries.findIndex((entry) => standing(entry) === null)));
