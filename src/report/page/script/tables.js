// What a reader can do with a table: sort it by a column, and leave only the rows that hold some words.

// Sections with fewer rows than this need no filter.
const LEAST_ROWS = 6;
// To base units, so that 900 µs come before 1 ms.
const UNITS = { ns: 1e-9, "µs": 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600, d: 86400, "%": 0.01, points: 0.01 };
const NUMBER = /^[✓✗?≤≥<~±\s]*(?:better: |worse: )?(-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)(?:\s*±\s*<?[\d.,]+)?\s*([a-zµ%/×]*)(?=$|[\s(,;])(.*)$/;

// A cell as a number; null: it says nothing; undefined: it is no number.
function measured(text) {
  if (text === "" || text === "–" || text === "none") return text === "none" ? 0 : null;
  const found = NUMBER.exec(text);
  if (!found) return undefined;
  const [, number, unit, rest] = found;
  const size = Number(number.replaceAll(",", "")) * (UNITS[unit.replace(/\/s$/, "")] ?? 1);
  return /\bless$/.test(rest) ? -size : size;
}

function textOf(cell) {
  return cell ? cell.textContent.trim() : "";
}

// By number where all cells of a column are numbers, else as words; what says nothing comes last in both ways.
function inOrder(rows, column, isFalling) {
  const texts = rows.map((row) => textOf(row.cells[column]));
  const numbers = texts.map(measured);
  const areNumbers = numbers.every((number) => number !== undefined);
  const keys = areNumbers ? numbers : texts.map((text) => text || null);
  const compare = areNumbers ? (one, other) => one - other : new Intl.Collator("en", { numeric: true }).compare;
  const order = rows.map((_, i) => i);
  order.sort((i, j) => {
    if (keys[i] === null || keys[j] === null) return (keys[i] === null) - (keys[j] === null) || i - j;
    const by = compare(keys[i], keys[j]);
    return (isFalling ? -by : by) || i - j;
  });
  return order.map((i) => rows[i]);
}

function makeSortable(table) {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  if (rows.length < 2) return;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const made = button({ class: "sort" }, ...head.childNodes);
    head.append(made);
    made.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const next = { ascending: "descending", descending: null }[before] ?? (before === null ? "ascending" : null);
      for (const other of heads) other.removeAttribute("aria-sort");
      if (next) head.setAttribute("aria-sort", next);
      body.append(...(next ? inOrder(rows, column, next === "descending") : rows));
    });
  });
}

// One box for all tables of a section.
function makeFilter(section, tables) {
  const rows = tables.flatMap((table) => [...table.tBodies[0].rows]);
  if (rows.length < LEAST_ROWS) return;
  const box = element("input", { type: "search", autocomplete: "off", spellcheck: "false", placeholder: "words, such as a name" });
  const count = element("output", {});
  const label = element("label", {}, "Only rows with ", box);
  const after = section.querySelector(":scope > .lead") ?? section.querySelector("h2");
  after.after(element("div", { class: "filter" }, label, count));
  box.addEventListener("input", () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (row) => words.every((word) => row.textContent.toLowerCase().includes(word));
    for (const row of rows) row.classList.toggle("out", !holds(row));
    for (const table of tables) showOrHide(table);
    const left = rows.filter((row) => !row.classList.contains("out")).length;
    count.textContent = words.length > 0 ? `${left} of ${rows.length} rows` : "";
  });
}

// A table without rows goes, with its heading and its notes.
function showOrHide(table) {
  const isOut = [...table.tBodies[0].rows].every((row) => row.classList.contains("out"));
  const whole = table.closest(".scroll") ?? table;
  whole.classList.toggle("out", isOut);
  const heading = whole.previousElementSibling;
  if (heading?.tagName === "H3") heading.classList.toggle("out", isOut);
  for (let note = whole.nextElementSibling; note?.matches(".under"); note = note.nextElementSibling) {
    note.classList.toggle("out", isOut);
  }
}

for (const section of document.querySelectorAll("main > section")) {
  const tables = [...section.querySelectorAll(".scroll > table, table.verdicts")].filter((table) => !table.closest(".account"));
  tables.forEach(makeSortable);
  makeFilter(section, tables.filter((table) => !table.closest("figure")));
}
document.documentElement.classList.add("enlivened");
