"use strict";

// Numbers in words, and the names along an axis: as the page itself writes them.

// A value with its unit, to three significant digits.
function told(value, measure) {
  const { unit, factor } = inUnit(Math.abs(value), measure);
  const scaled = value * factor;
  return `${digits(scaled, scaled === Math.round(scaled) && Math.abs(scaled) < 1e6 ? 0 : 2 - magnitude(scaled))}${unit}`;
}

// A point in simulated time, to a thousandth of its unit.
function instant(seconds) {
  const { unit, factor } = inUnit(Math.abs(seconds), "seconds");
  return `${digits(seconds * factor, 3).replace(/\.?0+$/, "")}${unit}`;
}

function inUnit(size, measure) {
  if (measure === "seconds") return secondsIn(size === 0 ? 1 : size);
  return { per_second: { unit: " /s", factor: 1 }, share: { unit: " %", factor: 100 }, erlang: { unit: " erl", factor: 1 } }[
    measure
  ] ?? { unit: "", factor: 1 };
}

function secondsIn(size) {
  const units = [[1, " s"], [1e-3, " ms"], [1e-6, " µs"], [0, " ns"]];
  const [least, unit] = units.find(([least]) => size >= least);
  return { unit, factor: 1 / (least || 1e-9) };
}

// With so many places after the point; thousands set apart, and less than none rounds to tens, hundreds, ….
function digits(value, places) {
  const step = 10 ** Math.max(0, -places);
  const text = (Math.round(value / step) * step).toFixed(0);
  const [whole, rest] = (places > 0 ? value.toFixed(Math.min(places, 12)) : text).split(".");
  const grouped = Math.abs(value) < 1e4 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return rest ? `${grouped}.${rest}` : grouped;
}

function magnitude(value) {
  return value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)) + 1e-12);
}

// The least of 1, 2, 5 times a power of ten that is not below a value.
function roundUp(value) {
  const power = 10 ** magnitude(value);
  return ([1, 2, 5].find((digit) => digit * power >= value * (1 - 1e-9)) ?? 10) * power;
}

// The least step of a clock that is not below so many seconds: 1-2-5 to ten seconds and from a day on.
function clockStep(seconds) {
  const clock = [10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
  if (seconds <= 5) return roundUp(seconds);
  return clock.find((step) => step >= seconds) ?? roundUp(seconds / 86400) * 86400;
}

// Places within a stretch of an axis that have room for a name, with their names, and the unit that the title tells.
function ticks(x, [from, to], most) {
  if ("time" in Object(x.names)) return clockTicks(from, to, most);
  if (x.names === "nines") return { named: nineTicks(from, to, most), unit: "%" };
  if ("given" in Object(x.names)) {
    return { named: x.names.given.filter(([place]) => place >= from && place <= to), unit: "" };
  }
  const step = roundUp((to - from) / most);
  const { unit, factor } = inUnit(to, x.names.measured);
  const name = (value) => `${digits(value * factor, Math.max(0, -magnitude(step * factor)))}${unit}`;
  return { named: every(step, from, to).map((value) => [value, name(value)]), unit: "" };
}

function clockTicks(from, to, most) {
  const step = clockStep((to - from) / most);
  const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [0, "ns"]];
  // Seconds are kept for what is a part of one, as long as whole seconds are on the axis.
  const [least, unit] = units.find(([least]) => step >= least || (least === 1 && to >= 2));
  const seconds = least || 1e-9;
  const places = Math.max(0, -magnitude(step / seconds));
  return { named: every(step, from, to).map((at) => [at, digits(at / seconds, places)]), unit };
}

function every(step, from, to) {
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * step);
}

// The finest set of shares that has room: 90, 99, 99.9; then with a half between two; then with every tenth.
function nineTicks(from, to, most) {
  const sets = [[1], [1, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]].map((parts) => {
    const shares = [];
    for (let nines = 0; nines <= 6; nines += 1) {
      for (const part of parts) {
        const share = 1 - part * 10 ** -nines;
        if (share > 0) shares.push([placeOf(share, "nines"), `${Number((100 * share).toFixed(Math.max(0, nines - 1)))}`]);
      }
    }
    return shares.filter(([place]) => place >= from && place <= to).sort(([one], [other]) => one - other);
  });
  const fitting = sets.filter((set) => set.length <= most);
  return fitting.at(-1) ?? sets[0];
}

// Where a value lies on an axis.
function placeOf(value, scale) {
  if (scale === "logarithm") return Math.log10(Math.max(value, Number.MIN_VALUE));
  if (scale === "nines") return value >= 1 ? Number.MAX_VALUE : -Math.log10(1 - value);
  return value;
}

// An element with attributes and what is in it; texts stay texts.
function element(name, attributes, ...content) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...content);
  return made;
}

function drawn(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function button(attributes, ...content) {
  return element("button", { type: "button", ...attributes }, ...content);
}
