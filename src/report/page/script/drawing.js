// Units of a drawing to a pixel, and the letters on it.
const GRID = 4;
const LETTER = 12 * GRID;
// A drag over less is a click.
const LEAST_DRAG = 6;

// One of the two drawings of a chart: what of it depends on the stretch that is shown, and where a pointer is on it.
class LiveDrawing {
  constructor(chart, svg) {
    this.chart = chart;
    this.svg = svg;
    this.plot = chart.data[svg.classList.contains("wide") ? "wide" : "narrow"];
    [this.left, this.top, this.right, this.bottom] = this.plot.area;
    this.layer = drawn("g", { class: "live" });
    this.cursor = drawn("g", { class: "live" });
    svg.append(this.layer, this.cursor);
  }

  // Places at the ends of the plot.
  range() {
    return this.chart.view ?? this.plot.x;
  }

  across(place) {
    const [from, to] = this.range();
    return this.left + ((place - from) / (to - from)) * (this.right - this.left);
  }

  up(height) {
    const { from, to } = this.chart.data.y;
    return this.bottom - ((height - from) / (to - from)) * (this.bottom - this.top);
  }

  placeAt(x) {
    const [from, to] = this.range();
    return from + ((x - this.left) / (this.right - this.left)) * (to - from);
  }

  // The stretch that is shown, over the drawing of the whole.
  draw() {
    const isZoomed = this.chart.view !== null;
    this.svg.classList.toggle("zoomed", isZoomed);
    this.layer.replaceChildren();
    if (!isZoomed) return;
    const id = `${this.svg.id}-clip`;
    const { left, top, right, bottom } = this;
    const clip = drawn("clipPath", { id });
    clip.append(drawn("rect", { x: left, y: top, width: right - left, height: bottom - top }));
    const plot = drawn("g", { "clip-path": `url(#${id})` });
    this.layer.append(clip, plot);
    this.drawLanes(plot);
    this.drawAxis();
    this.chart.traces.forEach((trace, series) => this.drawTrace(plot, trace, series));
  }

  drawLanes(plot) {
    const kept = (place) => Math.max(this.left, Math.min(this.right, this.across(place)));
    const taken = [];
    this.chart.data.lanes.forEach(({ name, fill, edge, spans }, lane) => {
      const [from, to] = this.range();
      const seen = spans.filter(([begin, end]) => begin < to && end > from);
      const top = this.plot.lanes[lane];
      for (const [begin, end] of seen) {
        const [x, width] = [kept(begin), Math.max(1.5 * GRID, kept(end) - kept(begin))];
        plot.append(drawn("rect", { class: fill, x, y: this.top, width, height: this.bottom - this.top }));
        this.layer.append(drawn("rect", { class: edge, x, y: top + 15 * GRID, width, height: 4 * GRID }));
      }
      if (seen.length > 0) this.name(name, (kept(seen[0][0]) + kept(seen[0][1])) / 2, top, taken);
    });
  }

  // The name of a lane, if it has room beside those that are there.
  name(name, middle, y, taken) {
    const text = this.letters("label", name, { y });
    const half = text.getComputedTextLength() / 2;
    const x = Math.max(this.left + half, Math.min(this.right - half, middle));
    text.setAttribute("x", x);
    const isFree = taken.every((it) => it.y !== y || x - half > it.to + 10 * GRID || x + half < it.from - 10 * GRID);
    if (isFree && 2 * half <= this.right - this.left) taken.push({ y, from: x - half, to: x + half });
    else text.remove();
  }

  letters(kind, text, attributes) {
    const made = drawn("text", { class: kind, "font-size": LETTER, dy: "0.76em", "text-anchor": "middle", ...attributes }, text);
    this.layer.append(made);
    return made;
  }

  drawAxis() {
    const { x } = this.chart.data;
    const most = this.svg.classList.contains("wide") ? 10 : 5;
    const { named, unit } = ticks(x, this.range(), most);
    let free = -Infinity;
    for (const [place, name] of named) {
      const at = this.across(place);
      const text = this.letters("tick", name, { x: at, y: this.bottom + 6 * GRID });
      const half = text.getComputedTextLength() / 2;
      if (at - half < free) {
        text.remove();
        continue;
      }
      free = at + half + 8 * GRID;
      this.layer.insertBefore(drawn("path", { class: "grid", "stroke-width": GRID, d: `M${at} ${this.top}V${this.bottom}` }), this.layer.firstChild);
    }
    const title = unit ? `${x.title}, ${unit}` : x.title;
    this.letters("label", title, { x: this.right, y: this.bottom + 24 * GRID, "text-anchor": "end" });
  }

  drawTrace(plot, { places, heights, band }, series) {
    const { data, readsPoints } = this.chart;
    const scaled = (value) => this.up(Math.max(data.y.from, Math.min(data.y.to, placeOf(value, data.y.scale))));
    if (band) {
      const upper = band.map(([, most], i) => `${this.across(places[i])},${scaled(most)}`);
      const lower = band.map(([least], i) => `${this.across(places[i])},${scaled(least)}`);
      plot.append(drawn("polygon", { class: `a${series}`, points: [...upper, ...lower.reverse()].join(" ") }));
    }
    if (data.marked) {
      places.forEach((place, i) => {
        plot.append(drawn("circle", { class: `d${series}`, cx: this.across(place), cy: this.up(heights[i]), r: 3 * GRID }));
      });
    }
    if (readsPoints && series > 0) return;
    for (const piece of this.pieces(places, heights)) {
      const points = piece.map(([place, height]) => `${this.across(place)},${this.up(height)}`).join(" ");
      plot.append(drawn("polyline", { class: `s${series}`, "stroke-width": 2 * GRID, fill: "none", points }));
    }
  }

  // The unbroken pieces of a line; one of one bucket is as long as the bucket.
  pieces(places, heights) {
    const pieces = [[]];
    places.forEach((place, i) => {
      if (heights[i] === null) pieces.push([]);
      else pieces.at(-1).push([place, heights[i]]);
    });
    const half = this.chart.isOverTime ? this.chart.data.x.names.time / 2 : 0;
    const whole = ([[place, height]]) => [[place - half, height], [place + half, height]];
    return pieces.filter((piece) => piece.length > 0).map((piece) => (piece.length === 1 ? whole(piece) : piece));
  }

  // Marks what is read.
  point(place, values) {
    const x = this.across(place);
    this.cursor.append(drawn("path", { class: "cursor", "stroke-width": GRID, d: `M${x} ${this.top}V${this.bottom}` }));
    for (const { series, height } of values) {
      if (height === null) continue;
      this.cursor.append(drawn("circle", { class: `d${series} read`, cx: x, cy: this.up(height), r: 4 * GRID }));
    }
  }

  // Puts the box with the values beside what is read, within the figure.
  put(box, place) {
    const { chart, svg } = this;
    const [figure, own] = [chart.figure.getBoundingClientRect(), svg.getBoundingClientRect()];
    const scale = own.width / svg.viewBox.baseVal.width;
    const x = own.left - figure.left + this.across(place) * scale;
    const apart = 12;
    const isLeft = x > figure.width / 2;
    box.style.maxWidth = `${Math.min(320, (isLeft ? x : figure.width - x) - apart)}px`;
    box.style.left = `${isLeft ? Math.max(0, x - box.offsetWidth - apart) : x + apart}px`;
    box.style.top = `${own.top - figure.top + this.top * scale + 4}px`;
  }

  // Where a pointer is, in units of the drawing.
  pointer(event) {
    const own = this.svg.getBoundingClientRect();
    const scale = this.svg.viewBox.baseVal.width / own.width;
    return { x: (event.clientX - own.left) * scale, y: (event.clientY - own.top) * scale };
  }

  isInPlot({ x, y }) {
    return x >= this.left - GRID && x <= this.right + GRID && y >= this.top && y <= this.bottom;
  }

  listen() {
    const { chart, svg } = this;
    // Where a drag began.
    let begun = null;
    const mark = drawn("rect", { class: "chosen" });
    svg.addEventListener("pointerdown", (event) => {
      const at = this.pointer(event);
      if (event.button !== 0 || !this.isInPlot(at)) return;
      begun = at.x;
      svg.setPointerCapture(event.pointerId);
      chart.read(chart.nearest(this, at.x, at.y));
    });
    svg.addEventListener("pointermove", (event) => {
      const at = this.pointer(event);
      if (begun === null) {
        chart.read(this.isInPlot(at) ? chart.nearest(this, at.x, at.y) : null);
        return;
      }
      const [from, to] = this.ends(begun, at.x);
      const { top, bottom } = this;
      for (const [key, value] of Object.entries({ x: from, y: top, width: to - from, height: bottom - top })) {
        mark.setAttribute(key, value);
      }
      if (to - from > LEAST_DRAG * GRID) svg.append(mark);
      chart.read(chart.nearest(this, at.x, at.y));
    });
    const end = (event, isDone) => {
      if (begun === null) return;
      const [from, to] = this.ends(begun, this.pointer(event).x);
      begun = null;
      mark.remove();
      if (isDone && to - from > LEAST_DRAG * GRID) chart.look([this.placeAt(from), this.placeAt(to)]);
    };
    svg.addEventListener("pointerup", (event) => end(event, true));
    svg.addEventListener("pointercancel", (event) => end(event, false));
    svg.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse" && begun === null && document.activeElement !== chart.handle) chart.read(null);
    });
    svg.addEventListener("dblclick", () => chart.look(null));
  }

  // From left to right, within the plot.
  ends(one, other) {
    const kept = (x) => Math.max(this.left, Math.min(this.right, x));
    return [kept(Math.min(one, other)), kept(Math.max(one, other))];
  }
}
