// Opens a report page in Chromium and checks what no parser can see: that nothing is fetched, nothing
// complains, every chart shows, no letters lie on one another, the page never scrolls sideways, and
// letters stand out from their ground, on a desk and on a phone, in light and in dark.
//
//   node .ci/page/check.mjs FILE.html [SCREENSHOT_DIR]
//
// The browser is /usr/bin/chromium, or what CHROMIUM names.

import { mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const LEAST_CONTRAST = 4.5;
const LEAST_LETTER = 11;
const WIDTHS = [360, 768, 1280];

const [file, screenshots] = process.argv.slice(2);
if (!file) {
  console.error("usage: node check.mjs FILE.html [SCREENSHOT_DIR]");
  process.exit(2);
}
const url = pathToFileURL(resolve(file)).href;
if (screenshots) mkdirSync(screenshots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
  ],
});
const complaints = [];
try {
  for (const width of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) await visit(width, colorScheme);
  }
} finally {
  await browser.close();
}
for (const complaint of complaints) console.error(complaint);
console.log(complaints.length === 0 ? `${file}: good` : `${file}: ${complaints.length} complaints`);
process.exitCode = complaints.length === 0 ? 0 : 1;

async function visit(width, colorScheme) {
  const where = `${width} px, ${colorScheme}`;
  const say = (complaint) => complaints.push(`${where}: ${complaint}`);
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
  const page = await context.newPage();
  page.on("console", (message) => say(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => say(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url() !== url) say(`fetches ${request.url()}`);
  });
  await page.goto(url, { waitUntil: "load" });
  for (const complaint of await page.evaluate(inspect, { LEAST_CONTRAST, LEAST_LETTER })) say(complaint);
  if (screenshots) {
    const name = `${basename(file, ".html")}-${width}-${colorScheme}.png`;
    await page.screenshot({ path: join(screenshots, name), fullPage: true });
    if (width === WIDTHS.at(-1)) await cover(page, colorScheme);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  if (wide) say("scrolls sideways when all details are open");
  await context.close();
}

// A picture of the first charts, as a readme shows it.
async function cover(page, colorScheme) {
  const top = await page.evaluate(() => document.querySelector("#charts")?.getBoundingClientRect().top + scrollY);
  if (Number.isNaN(top)) return;
  const path = join(screenshots, `${basename(file, ".html")}-cover-${colorScheme}.png`);
  await page.screenshot({ path, fullPage: true, clip: { x: 0, y: top, width: WIDTHS.at(-1), height: 1640 } });
}

// Runs in the page; returns complaints.
function inspect({ LEAST_CONTRAST, LEAST_LETTER }) {
  const complaints = [];
  const short = (text) => JSON.stringify(text.trim().slice(0, 40));

  if (document.documentElement.scrollWidth > window.innerWidth) {
    complaints.push(`scrolls sideways: ${document.documentElement.scrollWidth} px wide`);
  }
  for (const figure of document.querySelectorAll("figure.chart")) inspectChart(figure);
  inspectContrast();
  return complaints;

  function inspectChart(figure) {
    const shown = [...figure.querySelectorAll(".drawing > svg")].filter((svg) => svg.getClientRects().length > 0);
    if (shown.length !== 1) {
      complaints.push(`${figure.id}: ${shown.length} drawings show`);
      return;
    }
    const svg = shown[0];
    const box = svg.getBoundingClientRect();
    if (box.width < 100 || box.height < 40) complaints.push(`${figure.id}: only ${box.width} × ${box.height} px`);
    const texts = [...svg.querySelectorAll("text")].map((text) => ({
      text: text.textContent,
      box: text.getBoundingClientRect(),
      size: parseFloat(getComputedStyle(text).fontSize) * svg.getScreenCTM().a,
    }));
    for (const { text, box: at, size } of texts) {
      if (size < LEAST_LETTER) complaints.push(`${figure.id}: ${short(text)} is ${size.toFixed(1)} px small`);
      const out = at.left < box.left - 1 || at.right > box.right + 1 || at.top < box.top - 1 || at.bottom > box.bottom + 1;
      if (out) complaints.push(`${figure.id}: ${short(text)} leaves the chart`);
    }
    // Boxes of letters include the room above and below them.
    const apart = (a, b) =>
      a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 3 || b.bottom <= a.top + 3;
    texts.forEach((one, i) => {
      for (const other of texts.slice(0, i)) {
        if (!apart(one.box, other.box)) complaints.push(`${figure.id}: ${short(one.text)} lies on ${short(other.text)}`);
      }
    });
    // The letters of a node stay within its box.
    const nodes = [...svg.querySelectorAll("rect.node")].map((rect) => rect.getBoundingClientRect());
    for (const { text, box: at } of texts) {
      const middle = { x: (at.left + at.right) / 2, y: (at.top + at.bottom) / 2 };
      const inside = (node) => node.left < middle.x && middle.x < node.right && node.top < middle.y && middle.y < node.bottom;
      const node = nodes.find(inside);
      if (node && (at.left < node.left + 2 || at.right > node.right - 2)) {
        complaints.push(`${figure.id}: ${short(text)} leaves its node`);
      }
    }
  }

  function inspectContrast() {
    const told = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      if (!walker.currentNode.data.trim() || element.closest("title, desc, style")) continue;
      if (element.getClientRects().length === 0) continue;
      const style = getComputedStyle(element);
      const letters = colour(element instanceof SVGElement ? style.fill : style.color);
      const contrast = ratio(letters, ground(element));
      if (contrast < LEAST_CONTRAST) {
        const complaint = `contrast ${contrast.toFixed(2)} of ${short(walker.currentNode.data)}`;
        const kind = `${element.tagName}.${element.getAttribute("class")}`;
        if (!told.has(kind)) complaints.push(`${complaint} (${kind})`);
        told.add(kind);
      }
    }
  }

  // The colour behind an element: of the node a letter of a drawing stands in, else of the nearest
  // ancestor that has one.
  function ground(element) {
    if (element instanceof SVGElement && element.ownerSVGElement) {
      const at = element.getBoundingClientRect();
      const middle = { x: (at.left + at.right) / 2, y: (at.top + at.bottom) / 2 };
      for (const rect of [...element.ownerSVGElement.querySelectorAll("rect.node, rect.halo")].reverse()) {
        const box = rect.getBoundingClientRect();
        if (box.left < middle.x && middle.x < box.right && box.top < middle.y && middle.y < box.bottom) {
          return colour(getComputedStyle(rect).fill);
        }
      }
    }
    for (let one = element; one; one = one.parentElement) {
      const found = colour(getComputedStyle(one).backgroundColor);
      if (found[3] > 0.99) return found;
    }
    return [255, 255, 255, 1];
  }

  function colour(text) {
    const numbers = text.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return numbers.length === 3 ? [...numbers, 1] : numbers;
  }

  // Relative luminance and contrast as the Web Content Accessibility Guidelines define them.
  function luminance([red, green, blue]) {
    const part = (value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
  }

  function ratio(one, other) {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  }
}
