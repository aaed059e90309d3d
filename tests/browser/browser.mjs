// The report and the audit in a real browser: nothing is loaded, nothing complains, nothing is out of
// reach of people who do not see or do not point; nothing runs off the page at any width; tables sort, audio
// plays, decisions are made by keys, undone and saved, and both pages print.
//
//   node browser.mjs MODULES REPORT AUDIT OUT
//   node browser.mjs MODULES REPORT AUDIT OUT again
//
// MODULES is the folder whose node_modules has what package.json names; OUT gets the screenshots, the
// printed pages, and the file of corrections that the page saved. The second form is for the audit of
// runs that have read that file.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, report, audit, out] = process.argv.slice(2, 6).map((path) => resolve(path));
const again = process.argv[6] === "again";
const require = createRequire(join(modules, "package.json"));
const { chromium } = require("playwright-core");
const axe = await readFile(require.resolve("axe-core/axe.min.js"), "utf8");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const DESKTOP = { viewport: { width: 1440, height: 1000 } };
const LOOKS = {
  desktop: DESKTOP,
  dark: { ...DESKTOP, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

const browser = await chromium.launch({
  executablePath: process.env.AMBIVOX_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

// Opens a page that must neither complain nor ask for anything but itself.
async function open(file, look) {
  const context = await browser.newContext({ ...look, acceptDownloads: true });
  const page = await context.newPage();
  const faults = [];
  const address = pathToFileURL(file).href;
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("request", (request) => {
    // What the page made itself has an address too.
    if (request.url() !== address && !request.url().startsWith("blob:")) faults.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  return { page, faults, close: () => context.close() };
}

async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate((values) => globalThis.axe.run({ runOnly: { type: "tag", values } }), RULES);
  const told = violations.map(({ id, help, nodes }) => `${id}: ${help}\n  ${nodes.map((node) => node.html).join("\n  ")}`);
  assert.deepEqual(told, [], `${name}: axe-core`);
  assert.ok(passes.length > 10, `${name}: only ${passes.length} rules apply`);
}

const numbers = (texts) => texts.map(Number.parseFloat).filter((value) => !Number.isNaN(value));
const falls = (values) => values.every((value, at) => at === 0 || values[at - 1] >= value);

async function sorts(page) {
  const group = page.locator("#table-2 tbody").first();
  // Behind the method's name and WA.
  const ua = async () => numbers(await group.locator("tr:not(.spread) td:nth-child(3)").allTextContents());
  const before = await ua();
  const head = page.locator("#table-2 thead th", { hasText: /^UA$/ });
  const button = head.getByRole("button");
  await button.click();
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  assert.ok(falls(await ua()), `falling: ${await ua()}`);
  assert.ok((await group.locator("tr").first().locator("th").getAttribute("scope")) === "rowgroup", "its heading stays");
  await button.press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  assert.ok(falls((await ua()).reverse()), `rising: ${await ua()}`);
  await button.click();
  assert.deepEqual(await ua(), before, "as it was written");
}

const shown = (page) => page.locator("tr[data-entry]:visible");
const column = (page, number) => shown(page).locator(`td:nth-child(${number})`).allTextContents();

async function filters(page, entries) {
  const all = entries.length;
  const { label, speaker, id } = entries[0];
  await page.locator("#by-label").selectOption(label);
  await page.locator("#by-speaker").selectOption(speaker);
  const matching = entries.filter((entry) => entry.label === label && entry.speaker === speaker);
  assert.ok(matching.length < all, "a choice");
  assert.equal(await shown(page).count(), matching.length);
  assert.equal(await page.locator("#count").textContent(), `${matching.length} of ${all} utterances`);
  await page.locator("#by-label").selectOption("");
  await page.locator("#by-speaker").selectOption("");
  await page.getByRole("searchbox").fill(id);
  assert.ok((await shown(page).count()) >= 1 && (await shown(page).count()) < all);
  await page.getByRole("searchbox").fill("");
  await page.getByLabel("only where another").check();
  assert.ok(!(await column(page, 4)).includes(""), "every one has a suggestion");
  await page.getByLabel("only where another").uncheck();
  const weight = page.getByRole("button", { name: "Sample weight" });
  await weight.click();
  assert.ok(falls(numbers(await column(page, 9))), "by weight");
  await weight.click();
  await weight.click();
  assert.equal(await shown(page).first().getAttribute("data-entry"), "0", "as it was ranked");
}

// The page opens on the most suspect label, its audio ready, and says everything about it.
async function opens(page, data) {
  const [entry] = data.entries;
  assert.equal(await page.locator("tr[aria-current]").getAttribute("data-entry"), "0");
  assert.equal(await page.locator("#detail-place").textContent(), `Suspect 1 of ${data.entries.length}: ${entry.id}`);
  const suggested = data.classes[entry.suggestion];
  const labels = suggested === entry.label ? `given ${entry.label}, no other label suggested` : `given ${entry.label} → suggested ${suggested}`;
  assert.equal(await page.locator("#detail-labels").textContent(), labels);
  assert.match(entry.reason, /^(\S+ has the same recording .*\. )?Given .*[^.]\.$/, "a sentence");
  assert.equal(await page.locator("#detail-reason").textContent(), entry.reason);
  await page.waitForFunction(() => document.getElementById("audio").readyState >= HTMLMediaElement.HAVE_CURRENT_DATA);
  assert.ok(await page.locator("#play").isEnabled());
  for (const drawn of [".wave", ".attention-line"]) assert.equal(await page.locator(`#wave ${drawn}`).count(), 1, drawn);
  const lines = await page.locator("#classes tr").evaluateAll((rows) => rows.map((row) => [row.textContent, row.querySelectorAll("td.share:not([hidden])").length]));
  const voted = entry.votes.some((count) => count > 0);
  assert.ok(lines.every(([text, bars], at) => text.includes(data.classes[at]) && bars === (voted ? 3 : 2)), "bars beside every class");
  assert.equal(await progress(page), `0 of ${data.entries.length} reviewed`);
}

// All of the review by keys: on and back, decide, undo, clear.
async function keys(page, data) {
  const all = data.entries.length;
  const current = () => page.locator("tr[aria-current]").getAttribute("data-entry");
  const decided = (index) => page.locator(`tr[data-entry="${index}"] .decision`).textContent();
  const press = async (key, index, reviewed) => {
    await page.keyboard.press(key);
    assert.equal(await current(), String(index), `after ${key}`);
    assert.equal(await progress(page), `${reviewed} of ${all} reviewed`, `after ${key}`);
    assert.equal(await page.locator("#bar").evaluate((bar) => bar.value), reviewed);
  };
  await press("k", 0, 0);
  await press("j", 1, 0);
  await press("k", 0, 0);
  assert.ok(await page.locator("#undo").isDisabled(), "nothing to undo");
  await press("r", 1, 1);
  assert.equal(await decided(0), "kept");
  const other = data.classes.findIndex((name) => name !== data.entries[1].label);
  await press(String(other + 1), 2, 2);
  assert.equal(await decided(1), `changed to ${data.classes[other]}`);
  assert.match(await page.locator("#last").textContent(), new RegExp(`${data.entries[1].id}: changed to`));
  await press("j", 3, 2);
  await press("u", 1, 1);
  assert.equal(await decided(1), "", "the last decision is undone, and its utterance shown");
  await press("u", 0, 0);
  assert.equal(await decided(0), "");
  await press("u", 0, 0);
  await press("r", 1, 1);
  await press("k", 0, 1);
  await press("x", 0, 0);
  await press("u", 0, 1);
  assert.equal(await decided(0), "kept", "clearing can be undone");
  await press("u", 0, 0);
}

async function plays(page) {
  await shown(page).first().getByRole("button").click();
  const now = () => page.evaluate(() => document.getElementById("audio").currentTime);
  const cursor = () => page.locator("#cursor").getAttribute("transform");
  const [began, stood] = [await now(), await cursor()];
  assert.equal(began, 0);
  await page.locator("#play").click();
  await page.waitForFunction(() => document.getElementById("audio").currentTime > 0.1, undefined, { timeout: 10_000 });
  assert.notEqual(await cursor(), stood, "the cursor moves");
  await page.waitForFunction(() => document.getElementById("audio").paused, undefined, { timeout: 20_000 });
  await page.locator("#seek").fill("0.2");
  assert.ok(Math.abs((await now()) - 0.2) < 0.02, "the slider moves the sound");
}

const progress = (page) => page.locator("#progress").textContent();

// A comment without a decision stays, is no decision, and is not in the file.
async function comments(page, data) {
  const all = data.entries.length;
  const choose = (index) => page.locator(`tr[data-entry="${index}"]`).getByRole("button").click();
  const text = page.getByLabel("Comment");
  await choose(2);
  assert.ok(!(await page.locator("#comment-alone").isVisible()));
  await text.fill("whose voice?");
  assert.ok(await page.locator("#comment-alone").isVisible(), "it is said beside it");
  assert.equal(await progress(page), `0 of ${all} reviewed; 1 comment without a decision`);
  assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled(), "nothing to save");
  await choose(3);
  assert.equal(await text.inputValue(), "");
  await page.reload();
  await choose(2);
  assert.equal(await text.inputValue(), "whose voice?", "kept");
  await text.fill("");
  assert.equal(await progress(page), `0 of ${all} reviewed`);
}

const WIDTHS = [1440, 1200, 768, 390];

// Nothing runs off the page but within a frame that scrolls, and a frame's first column stays where it is.
async function fits(page, name) {
  let frames = 0;
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    const { beyond, moved, scrolled } = await page.evaluate(measured);
    assert.deepEqual(beyond, [], `${name} at ${width}: beyond the page`);
    assert.deepEqual(moved, [], `${name} at ${width}: first columns that move`);
    frames += scrolled;
  }
  assert.ok(frames > 0, `${name}: no frame was narrow enough to scroll`);
}

// Runs in the page.
function measured() {
  const width = document.documentElement.clientWidth;
  const scrolls = (element) => element !== null && (["auto", "scroll"].includes(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  const outside = ({ left, right, width: own }) => own > 0 && (left < -1 || right > width + 1);
  const elements = [...document.querySelectorAll("body *")].filter((element) => !element.ownerSVGElement);
  const beyond = elements.filter((element) => outside(element.getBoundingClientRect()) && !scrolls(element.parentElement));
  const moved = [];
  const frames = [...document.querySelectorAll(".scroll")].filter((frame) => frame.scrollWidth > frame.clientWidth);
  for (const frame of frames) {
    const firsts = [...frame.querySelectorAll("tbody th[scope=row], tfoot th[scope=row], th.corner")].slice(0, 20);
    frame.scrollLeft = frame.scrollWidth;
    const edge = frame.getBoundingClientRect();
    // Where it stays, it leaves room for another column beside it.
    const stays = (cell) => Math.abs(cell.left - edge.left) < 1 && cell.right < edge.right - 40;
    if (firsts.length === 0 || !firsts.every((cell) => stays(cell.getBoundingClientRect()))) moved.push(frame.getAttribute("aria-label"));
    frame.scrollLeft = 0;
  }
  if (document.documentElement.scrollWidth > width) beyond.push(document.documentElement);
  return { beyond: beyond.map((element) => element.outerHTML.slice(0, 120)), moved, scrolled: frames.length };
}

// As of 50 folds and 12 classes: five times as many rows, and three times as many columns.
function grow() {
  for (const row of document.querySelectorAll("tbody tr")) {
    const cells = [...row.querySelectorAll("td:not([colspan])")].slice(-12);
    for (let times = 1; times < 3; times += 1) row.append(...cells.map((cell) => cell.cloneNode(true)));
    if (cells.length > 0) for (let times = 1; times < 5; times += 1) row.after(row.cloneNode(true));
  }
}

// On paper there are no controls, and nothing is wider than the sheet.
async function prints(page, name) {
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 718, height: 1000 });
  const wide = await page.evaluate(() => {
    const beyond = (box) => box.width > 0 && box.right > document.documentElement.clientWidth + 1;
    return [...document.querySelectorAll("table, svg, pre, p")].filter((element) => beyond(element.getBoundingClientRect())).map((element) => element.outerHTML.slice(0, 120));
  });
  assert.deepEqual(wide, [], `${name}: beyond the sheet`);
  assert.deepEqual(await page.locator("nav:visible, select:visible, input:visible, audio:visible, progress:visible, #review:visible").all(), [], `${name}: controls`);
  await page.pdf({ path: join(out, `${name}.pdf`), format: "A4", margin: { top: "15mm", bottom: "15mm", left: "10mm", right: "10mm" } });
}

async function decides(page, data) {
  const suggested = data.entries.findIndex((entry) => entry.label !== data.classes[entry.suggestion]);
  const kept = suggested === 0 ? 1 : 0;
  const choose = (index) => page.locator(`tr[data-entry="${index}"]`).getByRole("button").click();
  await choose(suggested);
  await page.getByLabel("Comment").fill('=clear, "to me"');
  await page.locator("#detail-labels").focus();
  await page.getByLabel("Keyboard shortcuts").uncheck();
  await page.keyboard.press("a");
  const all = data.entries.length;
  assert.equal(await progress(page), `0 of ${all} reviewed; 1 comment without a decision`, "keys are off");
  await page.getByLabel("Keyboard shortcuts").check();
  await page.keyboard.press("a");
  await choose(kept);
  await page.getByRole("button", { name: "Keep" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "detail-labels", "the focus stays in the panel");
  await page.reload();
  assert.equal(await progress(page), `2 of ${all} reviewed`, "kept");
  await page.locator("#by-decision").selectOption("yes");
  assert.equal(await shown(page).count(), 2);
  return [suggested, kept];
}

async function saved(page, name) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save" }).click()]);
  assert.equal(download.suggestedFilename(), "corrections.csv");
  const file = join(out, name);
  await download.saveAs(file);
  return readFile(file, "utf8");
}

async function saves(page, data, [suggested, kept]) {
  const text = await saved(page, "corrections.csv");
  const [changed, same] = [data.entries[suggested], data.entries[kept]];
  const lines = [
    `${changed.id},${changed.label},${data.classes[changed.suggestion]},accept,"'=clear, ""to me"""`,
    `${same.id},${same.label},${same.label},reject,`,
  ];
  if (kept < suggested) lines.reverse();
  const expected = ["utterance_id,given,label,decision,comment", ...lines, ""].join("\n");
  assert.equal(text, expected);
}

// What the runs had read is decided already, and saved again with whatever is added.
async function carriesOn(page, data) {
  const all = data.entries.length;
  const before = (await readFile(join(out, "corrections.csv"), "utf8")).split("\n");
  assert.equal(await progress(page), `2 of ${all} reviewed`);
  const same = (await saved(page, "carried.csv")).split("\n");
  assert.deepEqual(same.toSorted(), before.toSorted(), "the same rows, in the order of the ranking");
  const index = data.entries.findIndex((entry) => entry.earlier?.decision === "accept");
  const changed = data.entries[index];
  const row = page.locator(`tr[data-entry="${index}"]`);
  assert.equal(await row.locator(".decision").textContent(), `changed earlier from ${changed.earlier.given}`);
  await row.getByRole("button").click();
  assert.equal(await page.getByLabel("Comment").inputValue(), '=clear, "to me"');
  const fresh = data.entries.findIndex((entry) => !entry.earlier);
  await page.locator(`tr[data-entry="${fresh}"]`).getByRole("button").click();
  await page.getByRole("button", { name: "Keep" }).click();
  const { id, label } = data.entries[fresh];
  const more = (await saved(page, "carried.csv")).split("\n");
  assert.deepEqual(more.toSorted(), [...before, `${id},${label},${label},reject,`].toSorted());
  // To the label before, which is a decision too.
  await row.getByRole("button").click();
  await page.getByRole("button", { name: `Change to ${changed.original}` }).click();
  const back = await saved(page, "carried.csv");
  assert.ok(back.includes(`${changed.id},${changed.original},${changed.original},reject,"'=clear, ""to me"""`), back);
}

async function first() {
  for (const [look, options] of Object.entries(LOOKS)) {
    for (const [name, file] of Object.entries({ report, audit })) {
      const { page, faults, close } = await open(file, options);
      await accessible(page, `${name}, ${look}`);
      await page.screenshot({ path: join(out, `${name}-${look}.png`), fullPage: name === "report" });
      if (name === "report") await sorts(page);
      if (look === "dark") await prints(page, name);
      if (look === "desktop") await fits(page, name);
      if (look === "desktop" && name === "report") {
        await page.evaluate(grow);
        await fits(page, "a large report");
      }
      assert.deepEqual(faults, [], `${name}, ${look}`);
      await close();
    }
  }
  const { page, faults, close } = await open(audit, DESKTOP);
  const data = JSON.parse(await page.locator("#audit-data").textContent());
  await opens(page, data);
  await keys(page, data);
  await filters(page, data.entries);
  await comments(page, data);
  await plays(page);
  await saves(page, data, await decides(page, data));
  assert.deepEqual(faults, []);
  await close();
  console.log(`browser: ${browser.version()}, report and audit hold, light, dark, on a phone and printed`);
}

async function second() {
  const { page, faults, close } = await open(audit, DESKTOP);
  const data = JSON.parse(await page.locator("#audit-data").textContent());
  await accessible(page, "audit, again");
  await carriesOn(page, data);
  assert.deepEqual(faults, []);
  await close();
  console.log("browser: the audit of corrected labels carries on what was decided");
}

try {
  await (again ? second() : first());
} finally {
  await browser.close();
}
