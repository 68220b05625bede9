// Reads report pages as a person would, in Chromium: zooms, points, switches lines off, sorts, filters, prints, with a mouse,
// with a keyboard, with a finger, and without the script; and checks after each step that the page did what was meant.
//
//   node .ci/page/read.mjs [--into DIR] FILE.html...
//
// With --into, pictures of what was seen and the printed pages go there. The browser is /usr/bin/chromium, or what CHROMIUM
// names.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const words = process.argv.slice(2);
const into = words[0] === "--into" ? words.splice(0, 2)[1] : null;
if (words.length === 0) {
  console.error("usage: node read.mjs [--into DIR] FILE.html...");
  process.exit(2);
}
if (into) mkdirSync(into, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});
let complaints = 0;
try {
  for (const file of words) {
    const reader = new Reader(file);
    await reader.read();
    for (const complaint of reader.complaints) console.error(`${file}: ${complaint}`);
    complaints += reader.complaints.length;
    console.log(`${file}: ${reader.complaints.length === 0 ? "good" : `${reader.complaints.length} complaints`} (${reader.done.join(", ")})`);
  }
} finally {
  await browser.close();
}
process.exitCode = complaints === 0 ? 0 : 1;

function Reader(file) {
  const url = pathToFileURL(resolve(file)).href;
  const name = basename(file, ".html");
  const complaints = [];
  const done = [];
  Object.assign(this, { complaints, done, read });
  let page;

  async function read() {
    await withMouse();
    await withKeyboard();
    await withFinger();
    await onPaper();
    await withoutScript();
    await strangers();
  }

  function must(is, said) {
    if (!is) complaints.push(said);
  }

  async function open(options, work) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, offline: true, ...options });
    page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
    page.on("request", (request) => must(request.url() === url, `fetches ${request.url()}`));
    await page.goto(url, { waitUntil: "load" });
    await work();
    await context.close();
  }

  async function picture(of) {
    if (into) await page.screenshot({ path: join(into, `${name}-${of}.png`) });
  }

  // The charts that can be read, with what the page says they hold.
  async function liveCharts() {
    return page.$$eval("figure.chart:has(> script.live)", (figures) =>
      figures.map((figure) => ({ id: figure.id, data: JSON.parse(figure.querySelector("script.live").textContent) })),
    );
  }

  // A chart as it is seen now.
  async function seen(id) {
    return page.$eval(`[id="${id}"]`, (figure) => {
      const shows = (node) => node.getClientRects().length > 0;
      const svg = [...figure.querySelectorAll(".drawing > svg")].find(shows);
      const box = svg.getBoundingClientRect();
      const texts = (selector) => [...svg.querySelectorAll(selector)].filter(shows).map((node) => node.textContent);
      const reading = figure.querySelector(".reading");
      return {
        box: { x: box.x, y: box.y, width: box.width, height: box.height },
        units: svg.viewBox.baseVal.width,
        isWide: svg.classList.contains("wide"),
        isZoomed: svg.classList.contains("zoomed"),
        names: texts("text.tick.across, g.live text.tick"),
        lines: [...svg.querySelectorAll(":is(polyline, path, circle):is([class^=s], [class^=d])")].filter(shows).length,
        ofFirst: [...svg.querySelectorAll(".s0, .d0, .a0")].filter(shows).length,
        reading: reading && shows(reading) ? { head: [...reading.querySelectorAll("strong")].map((line) => line.textContent).join("; "), values: [...reading.querySelectorAll("div")].map((line) => line.textContent), box: reading.getBoundingClientRect().toJSON() } : null,
        figure: figure.getBoundingClientRect().toJSON(),
        cursor: svg.querySelectorAll("path.cursor").length,
        dots: [...svg.querySelectorAll("circle.read")].map((dot) => [dot.cx.baseVal.value, dot.cy.baseVal.value]),
      };
    });
  }

  // Where a share of a chart's plot is on the screen.
  function at({ box, units, isWide }, data, share) {
    const [left, top, right, bottom] = data[isWide ? "wide" : "narrow"].area;
    const scale = box.width / units;
    return { x: box.x + (left + share * (right - left)) * scale, y: box.y + ((top + bottom) / 2) * scale };
  }

  async function show(id) {
    await page.$eval(`[id="${id}"]`, (figure) => figure.scrollIntoView({ block: "center" }));
    return seen(id);
  }

  async function withMouse() {
    await open({}, async () => {
      const charts = await liveCharts();
      for (const chart of chosen(charts)) await useChart(chart, charts);
      await useTables();
    });
  }

  // The first of each kind, and the first with a shaded stretch.
  function chosen(charts) {
    const kind = ({ data }) => (typeof data.x.names === "string" ? data.x.names : Object.keys(data.x.names)[0]);
    const first = new Map();
    for (const chart of charts) {
      if (!first.has(kind(chart))) first.set(kind(chart), chart);
      if (chart.data.lanes.length > 0 && !first.has("lanes")) first.set("lanes", chart);
      if (chart.data.traces.length > 1 && chart.data.reads === "lines" && !first.has("several")) first.set("several", chart);
    }
    return new Set(first.values());
  }

  async function useChart({ id, data }, charts) {
    const say = (is, said) => must(is, `${id}: ${said}`);
    const whole = await show(id);

    await page.mouse.move(at(whole, data, 0.5).x, at(whole, data, 0.5).y);
    const pointed = await seen(id);
    say(pointed.reading, "nothing is read where it is pointed at");
    if (pointed.reading) {
      const { reading, figure } = pointed;
      say(reading.values.length === (data.reads === "points" ? 1 : data.traces.length), "not all lines are read");
      say(reading.values.some((value) => /\d/.test(value)), `no number: ${reading.values}`);
      say(reading.box.left >= figure.left - 1 && reading.box.right <= figure.right + 1, "values leave the figure");
      say(isRight(data, pointed, 0.5, data[pointed.isWide ? "wide" : "narrow"].x), `read ${reading.head} ${reading.values}`);
      done.push(`${id}: pointed`);
    }
    await picture(`pointed-${id}`);
    await underLane(id, data, say);

    const [from, to] = [at(whole, data, 0.3), at(whole, data, 0.6)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move((from.x + to.x) / 2, to.y, { steps: 4 });
    await picture(`dragged-${id}`);
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await page.mouse.up();
    const zoomed = await seen(id);
    say(zoomed.isZoomed, "a drag does not zoom");
    say(zoomed.names.join() !== whole.names.join() && zoomed.names.length > 0, `names are ${zoomed.names}`);
    say(zoomed.lines > 0, "nothing is drawn in the stretch");
    await readZoomed(zoomed, id, data, say);
    await picture(`zoomed-${id}`);
    if ("time" in Object(data.x.names)) {
      const others = charts.filter((other) => other.id !== id && "time" in Object(other.data.x.names));
      for (const other of others.slice(0, 2)) must((await seen(other.id)).isZoomed, `${other.id} does not zoom with ${id}`);
    }
    await page.click(`[id="${id}"] .tools button:nth-child(3)`);
    const again = await seen(id);
    say(!again.isZoomed && again.names.join() === whole.names.join() && again.lines === whole.lines, "not all is shown again");
    await page.click(`[id="${id}"] .tools button:nth-child(1)`);
    say((await seen(id)).isZoomed, "+ does not zoom in");
    await page.click(`[id="${id}"] .tools button:nth-child(2)`);
    say(!(await seen(id)).isZoomed, "− does not zoom out again");
    done.push(`${id}: zoomed`);
    await switchOff(id, data, say);
  }

  // The value that is read is that of the point which is nearest, by the page's own data.
  // Of every line: what is written, and where its dot is.
  function isRight(data, { reading, dots, isWide }, share, [from, to]) {
    if (data.reads === "points") return true;
    const goal = from + share * (to - from);
    const all = data.traces.flatMap(({ x }) => x).filter((it) => it >= from && it <= to);
    const nearest = all.reduce((best, it) => (Math.abs(it - goal) < Math.abs(best - goal) ? it : best));
    const [left, top, right, bottom] = data[isWide ? "wide" : "narrow"].area;
    const across = left + ((nearest - from) / (to - from)) * (right - left);
    const upward = (value) => {
      const height = data.y.scale === "logarithm" ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value;
      return bottom - ((Math.max(data.y.from, Math.min(data.y.to, height)) - data.y.from) / (data.y.to - data.y.from)) * (bottom - top);
    };
    const isThere = (x, y) => dots.some(([cx, cy]) => Math.abs(cx - x) <= 4 && Math.abs(cy - y) <= 4);
    return data.traces.every(({ x, y, told }, line) => {
      const point = data.x.names === "nines" ? x.findIndex((it) => it >= nearest) : x.indexOf(nearest);
      const text = reading.values[line].split(": ").at(-1);
      if (point < 0 || y[point] === null) return text === "–";
      if (!isThere(across, upward(y[point]))) return false;
      if (told) return text === told[point];
      const factor = { ns: 1e-9, "µs": 1e-6, ms: 1e-3, "%": 0.01 }[text.split(" ").at(-1)] ?? 1;
      const value = Number.parseFloat(text.replaceAll(",", "")) * factor;
      return Math.abs(value - y[point]) <= 0.006 * Math.abs(y[point]);
    });
  }

  // What is read in a stretch is what is there, by the page's own data.
  async function readZoomed(zoomed, id, data, say) {
    if ("given" in Object(data.x.names) || data.reads === "points") return;
    const [least, most] = data[zoomed.isWide ? "wide" : "narrow"].x;
    const range = [0.3, 0.6].map((share) => least + share * (most - least));
    for (const share of [0.25, 0.8]) {
      const place = at(zoomed, data, share);
      await page.mouse.move(place.x, place.y);
      const found = await seen(id);
      say(found.reading && isRight(data, found, share, range), `in a stretch: ${found.reading?.head} ${found.reading?.values}`);
    }
  }

  async function underLane(id, data, say) {
    const lane = data.lanes.at(-1);
    if (!lane) return;
    const whole = await show(id);
    const [from, to] = data[whole.isWide ? "wide" : "narrow"].x;
    const middle = (lane.spans[0][0] + lane.spans[0][1]) / 2;
    const place = at(whole, data, (middle - from) / (to - from));
    await page.mouse.move(place.x, place.y);
    const { reading } = await seen(id);
    say(reading?.head.includes(lane.name), `${lane.name} is not named: ${reading?.head}`);
    done.push(`${id}: ${lane.name}`);
  }

  async function switchOff(id, data, say) {
    const first = page.locator(`[id="${id}"] .legend button`).first();
    if ((await first.count()) === 0 || data.traces.length < 2) return;
    const before = await show(id);
    await first.click();
    const off = await seen(id);
    say((await first.getAttribute("aria-pressed")) === "false", "its button stays pressed");
    say(before.ofFirst > 0 && off.ofFirst === 0, "the line that was switched off shows");
    const middle = at(off, data, 0.5);
    await page.mouse.move(middle.x, middle.y);
    say((await seen(id)).reading?.values.length === data.traces.length - 1, "it is read all the same");
    await page.click(`[id="${id}"] .tools button:nth-child(1)`);
    say((await seen(id)).ofFirst === 0, "it shows when zoomed");
    await page.click(`[id="${id}"] .tools button:nth-child(3)`);
    await picture(`off-${id}`);
    await first.click();
    say((await seen(id)).ofFirst === before.ofFirst, "it does not come back");
    done.push(`${id}: switched`);
  }

  async function useTables() {
    const sorted = await page.evaluate(() => {
      const complaints = [];
      let count = 0;
      const say = (is, said, table) => is || complaints.push(`${table.closest("section").getAttribute("aria-labelledby")}: ${said}`);
      const number = (text) => {
        const unit = text.match(/(?:^|[\d. ])(ns|µs|ms|s|%)(?: |\/|\)|$)/)?.[1];
        const factor = { ns: 1e-9, "µs": 1e-6, ms: 1e-3, "%": 0.01 }[unit] ?? 1;
        return Number.parseFloat(text.replace(/^[^\d-]*/, "").replaceAll(",", "")) * factor;
      };
      const all = [...document.querySelectorAll("main > section :is(.scroll > table, table.verdicts)")].filter((table) => !table.closest(".account"));
      for (const table of all) {
        say(table.tBodies[0].rows.length < 2 || table.querySelector("button.sort"), "a table that cannot be sorted", table);
      }
      for (const section of document.querySelectorAll("main > section")) {
        const rows = all.filter((table) => section.contains(table) && !table.closest("figure")).reduce((sum, table) => sum + table.tBodies[0].rows.length, 0);
        if (rows >= 6 && !section.querySelector(".filter input")) complaints.push(`${section.getAttribute("aria-labelledby")}: ${rows} rows and no filter`);
      }
      for (const table of document.querySelectorAll("main > section table:has(button.sort)")) {
        const original = [...table.tBodies[0].rows];
        table.querySelectorAll("button.sort").forEach((button, column) => {
          const head = button.closest("th");
          const texts = () => [...table.tBodies[0].rows].map((row) => row.cells[column].textContent.trim()).filter((text) => text && text !== "–");
          button.click();
          say(head.getAttribute("aria-sort") === "ascending", "a click does not sort", table);
          const up = texts();
          button.click();
          say(head.getAttribute("aria-sort") === "descending", "a second click does not turn it", table);
          const down = texts();
          if (up.every((text) => /^[✓ ]*-?[\d][\d,.]*(e-?\d+)?( ± <?[\d.,]+)?( (ns|µs|ms|s|%|\/s))?( \(.*)?$/.test(text))) {
            const numbers = up.map(number);
            say(numbers.every((it, i) => i === 0 || it >= numbers[i - 1]), `${head.textContent} is not in order: ${up}`, table);
            say(new Set(up).size < 2 || down.map(number)[0] === Math.max(...numbers), `${head.textContent} is not turned: ${down}`, table);
            count += 1;
          }
          button.click();
          say([...table.tBodies[0].rows].every((row, i) => row === original[i]), "a third click does not restore it", table);
        });
      }
      return { complaints, count };
    });
    complaints.push(...sorted.complaints);
    if (sorted.count > 0) done.push(`${sorted.count} columns of numbers sorted`);
    const boxes = page.locator(".filter input");
    for (let i = 0; i < (await boxes.count()); i += 1) await useFilter(boxes.nth(i));
    await picture("tables");
  }

  async function useFilter(box) {
    const rows = () =>
      box.evaluate((input) => {
        const all = [...input.closest("section").querySelectorAll(":is(.scroll > table, table.verdicts) > tbody > tr")].filter((row) => !row.closest("figure, .account"));
        const shown = all.filter((row) => row.getClientRects().length > 0);
        return { all: all.length, shown: shown.map((row) => row.textContent), first: all.at(-1).cells[0].textContent.trim(), told: input.closest(".filter").querySelector("output").textContent };
      });
    const before = await rows();
    must(before.shown.length === before.all, "rows are missing before anything is filtered");
    await box.fill(before.first.toUpperCase());
    const after = await rows();
    const holds = (text) => before.first.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
    must(after.shown.length > 0 && after.shown.every(holds), `a filter leaves rows without ${before.first}`);
    must(after.told === `${after.shown.length} of ${before.all} rows`, `it tells ${after.told}`);
    await box.fill("no row holds this");
    must((await rows()).shown.length === 0, "a filter that nothing passes leaves rows");
    await box.fill("");
    must((await rows()).shown.length === before.all, "an empty filter leaves rows out");
    done.push(`${before.all} rows filtered`);
  }

  async function withKeyboard() {
    await open({ reducedMotion: "reduce", colorScheme: "dark" }, async () => {
      const [chart] = await liveCharts();
      if (!chart) return;
      const { id } = chart;
      const handle = page.locator(`[id="${id}"] [role=slider]`);
      await show(id);
      await handle.focus();
      await page.keyboard.press("End");
      const last = await handle.getAttribute("aria-valuetext");
      await page.keyboard.press("ArrowLeft");
      const before = await handle.getAttribute("aria-valuetext");
      must(/\d/.test(last) && last !== before, `arrows do not move: ${last}`);
      must((await seen(id)).reading, "the keyboard reads nothing");
      await page.keyboard.press("+");
      must((await seen(id)).isZoomed, "+ does not zoom");
      await picture("keyboard");
      await page.keyboard.press("Home");
      must((await seen(id)).reading, "what is read is not shown where it lies outside");
      await page.keyboard.press("0");
      must(!(await seen(id)).isZoomed, "0 does not show all");
      await page.keyboard.press("Escape");
      must(!(await seen(id)).reading, "Escape does not end reading");
      done.push("keyboard");
    });
  }

  async function withFinger() {
    await open({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async () => {
      const [chart] = await liveCharts();
      if (!chart) return;
      const { id, data } = chart;
      const whole = await show(id);
      const { x, y } = at(whole, data, 0.4);
      await page.touchscreen.tap(x, y);
      must((await seen(id)).reading, "a touch reads nothing");
      await picture("touched");
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
      must(!wide, "scrolls sideways on a phone");
      done.push("finger");
    });
  }

  // What was done on the screen does not show on paper: light, whole, without controls.
  async function onPaper() {
    await open({ colorScheme: "dark" }, async () => {
      const charts = await liveCharts();
      for (const { id } of charts.slice(0, 2)) {
        const off = page.locator(`[id="${id}"] .legend button`).first();
        if ((await off.count()) > 0) await off.click();
        await page.click(`[id="${id}"] .tools button:nth-child(1)`);
      }
      const boxes = page.locator(".filter input");
      for (let i = 0; i < (await boxes.count()); i += 1) await boxes.nth(i).fill("no row holds this");
      await page.emulateMedia({ media: "print" });
      complaints.push(...(await page.evaluate(inspectPaper)));
      const pdf = await page.pdf({ format: "A4", printBackground: true, margin: { top: "12mm", bottom: "12mm", left: "12mm", right: "12mm" } });
      if (into) writeFileSync(join(into, `${name}.pdf`), pdf);
      must(pdf.length > 10_000, "the printed page is empty");
      done.push("printed");
    });
  }

  async function withoutScript() {
    await open({ javaScriptEnabled: false }, async () => {
      must((await page.locator("button, .filter, .tools").count()) === 0, "controls that do nothing without the script");
      const drawings = page.locator("figure.chart .drawing > svg.wide");
      for (let i = 0; i < (await drawings.count()); i += 1) must(await drawings.nth(i).isVisible(), "a chart needs the script");
      done.push("no script");
    });
  }

  // A script that is not the page's own does not run.
  async function strangers() {
    await open({}, async () => {
      const ran = await page.evaluate(() => {
        const stranger = document.createElement("script");
        stranger.textContent = "window.stranger = true";
        document.body.append(stranger);
        const mark = document.createElement("div");
        mark.innerHTML = "<button onclick='window.stranger = true'></button>";
        document.body.append(mark);
        mark.firstChild.click();
        return window.stranger === true;
      }).catch(() => false);
      must(!ran, "a script runs that is not the page's own");
    });
  }
}

// Runs in the page; returns complaints.
function inspectPaper() {
  const complaints = [];
  const shows = (node) => node.getClientRects().length > 0;
  const ground = getComputedStyle(document.body).backgroundColor;
  if (ground !== "rgb(255, 255, 255)") complaints.push(`paper is ${ground}`);
  for (const control of document.querySelectorAll(".tools, .filter, .hint, .reading, .handle")) {
    if (shows(control)) complaints.push(`${control.className} is printed`);
  }
  for (const figure of document.querySelectorAll("figure.chart:has(> script.live)")) {
    const svg = [...figure.querySelectorAll(".drawing > svg")].filter(shows);
    if (svg.length !== 1) complaints.push(`${figure.id}: ${svg.length} drawings are printed`);
    else {
      const own = [...svg[0].children].filter((node) => /^[sad]\d$/.test(node.getAttribute("class")));
      if (own.length === 0 || !own.every(shows)) complaints.push(`${figure.id}: a line is not printed`);
      if ([...svg[0].querySelectorAll("g.live *")].some(shows)) complaints.push(`${figure.id}: a stretch is printed over the whole`);
    }
    if (getComputedStyle(figure).breakInside !== "avoid") complaints.push(`${figure.id}: may be cut by the end of a page`);
  }
  for (const row of document.querySelectorAll("main table tr")) {
    if (!shows(row) && !row.closest("details, thead")) complaints.push(`a row is not printed: ${row.textContent.slice(0, 40)}`);
  }
  for (const scrolled of document.querySelectorAll(".scroll")) {
    if (shows(scrolled) && getComputedStyle(scrolled).overflowX !== "visible") complaints.push("a table is cut off on paper");
  }
  return [...new Set(complaints)].slice(0, 10);
}
