// Tables whose headings sort them. A click on a heading with `data-column` sorts every group of rows
// by that column, the next turns the order round, a third restores it. Without this script the tables
// are in the order in which they were written.
"use strict";

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("th[data-column]")];
  const bodies = [...table.tBodies].map((body) => ({ body, units: unitsOf(body) }));
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(heads, head, bodies));
  }
}

// Rows that move together: a row and the `spread` rows below it. A row that heads its group stays.
function unitsOf(body) {
  const units = [];
  for (const row of body.rows) {
    if (row.cells[0].scope === "rowgroup") continue;
    if (row.classList.contains("spread")) units.at(-1).push(row);
    else units.push([row]);
  }
  return units;
}

function sort(heads, head, bodies) {
  const column = Number(head.dataset.column);
  const numeric = !head.classList.contains("text") && bodies.some(({ units }) => units.some(([row]) => !Number.isNaN(number(row, column))));
  const first = numeric ? "descending" : "ascending";
  const second = numeric ? "ascending" : "descending";
  const order = { [first]: second, [second]: null }[head.getAttribute("aria-sort")] ?? null;
  const next = head.hasAttribute("aria-sort") ? order : first;
  for (const other of heads) other.removeAttribute("aria-sort");
  if (next) head.setAttribute("aria-sort", next);
  const compare = numeric ? byNumber(column, next) : byText(column, next);
  for (const { body, units } of bodies) {
    const sorted = next ? [...units].sort(compare) : units;
    body.append(...sorted.flat());
  }
}

function text(row, column) {
  const cell = row.cells[column];
  return cell.dataset.value ?? cell.textContent.trim();
}

function number(row, column) {
  return Number.parseFloat(text(row, column).replace("−", "-").replaceAll("\u202f", ""));
}

// What is no number comes last in either order.
function byNumber(column, order) {
  const sign = order === "descending" ? -1 : 1;
  return ([a], [b]) => {
    const [x, y] = [number(a, column), number(b, column)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return sign * (x - y);
  };
}

function byText(column, order) {
  const sign = order === "descending" ? -1 : 1;
  return ([a], [b]) => sign * text(a, column).localeCompare(text(b, column), "en", { numeric: true });
}
