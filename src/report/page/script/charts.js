// What a reader can do with a chart: zoom along its axis, read values off, switch a line off. The drawing of the page stays
// as it is; a stretch of it is drawn anew, over it. Charts over time show the same stretch.

class LiveChart {
  constructor(figure) {
    this.figure = figure;
    this.title = figure.querySelector("h3").textContent;
    this.data = JSON.parse(figure.querySelector("script.live").textContent);
    this.off = new Set();
    // Places at the ends of what is shown; null: the whole.
    this.view = null;
    // Position among the stops of what is read; null: nothing is.
    this.at = null;
    this.others = [];
    this.drawings = [...figure.querySelectorAll(".drawing > svg")].map((svg) => new LiveDrawing(this, svg));
    this.isOverTime = "time" in Object(this.data.x.names);
    const { traces, x, y, reads } = this.data;
    this.traces = traces.map((trace) => ({
      ...trace,
      places: trace.x,
      heights: trace.y.map((value) => (value === null ? null : Math.max(y.from, Math.min(y.to, placeOf(value, y.scale))))),
    }));
    const [from, to] = this.whole();
    const steps = this.isOverTime ? 2 * x.names.time : 0;
    // Room for a name of a share: from one tenth of a nine to the next are at most 0.31.
    const named = x.names === "nines" ? 0.31 : 0;
    this.narrowest = Math.min(to - from, Math.max((to - from) / 10_000, steps, named));
    this.readsPoints = reads === "points";
    this.addTools();
    this.addSwitches();
    this.addReading();
  }

  whole() {
    const { wide, narrow } = this.data;
    return [Math.min(wide.x[0], narrow.x[0]), Math.max(wide.x[1], narrow.x[1])];
  }

  // The drawing that the page shows.
  shown() {
    return this.drawings.find(({ svg }) => svg.getClientRects().length > 0) ?? this.drawings[0];
  }

  // Zoom

  addTools() {
    const tool = (sign, does, work) => {
      const made = button({ "aria-label": `${does}: ${this.title}`, title: does }, sign);
      made.addEventListener("click", work);
      return made;
    };
    this.closer = tool("+", "Zoom in", () => this.zoom(0.5));
    this.wider = tool("−", "Zoom out", () => this.zoom(2));
    this.all = tool("All", "Show all", () => this.look(null));
    this.figure.querySelector("h3").before(element("div", { class: "tools" }, this.closer, this.wider, this.all));
    this.markTools();
  }

  markTools() {
    const [from, to] = this.view ?? this.whole();
    // A control that does nothing keeps the keyboard where it is.
    const mark = (tool, isIdle) => tool.setAttribute("aria-disabled", String(isIdle));
    mark(this.closer, to - from <= this.narrowest * 1.001);
    mark(this.wider, this.view === null);
    mark(this.all, this.view === null);
  }

  // Shows so many times as much, about what is read or else the middle.
  zoom(times) {
    const [from, to] = this.view ?? this.whole();
    const read = this.at === null ? null : this.stops()[this.at].place;
    const about = read === null || read < from || read > to ? (from + to) / 2 : read;
    this.look([about - (about - from) * times, about + (to - about) * times]);
  }

  // Shows a stretch, in every chart over the same time.
  look(view) {
    for (const chart of [this, ...this.others]) chart.show(view);
  }

  show(view) {
    this.view = this.within(view);
    this.markTools();
    for (const drawing of this.drawings) drawing.draw();
    this.read(this.at);
  }

  // A stretch as the chart can show it; null where it is the whole.
  within(view) {
    if (view === null) return null;
    const [least, most] = this.whole();
    const [begin, end] = this.withName(view);
    const length = Math.max(this.narrowest, end - begin);
    if (length >= (most - least) * 0.999) return null;
    // As it was asked for: calculated anew, an end could miss the name that it lies on.
    if (length === end - begin && begin >= least && end <= most) return [begin, end];
    const middle = (begin + end) / 2;
    const from = Math.min(Math.max(least, middle - length / 2), most - length);
    return [from, from + length];
  }

  // Where only some places have names, the stretch reaches as far as the nearest of them.
  withName([from, to]) {
    const places = (this.data.x.names.given ?? []).map(([place]) => place);
    if (places.length === 0 || places.some((place) => place >= from && place <= to)) return [from, to];
    const far = (place) => Math.abs(place - (from + to) / 2);
    const nearest = places.reduce((one, other) => (far(other) < far(one) ? other : one));
    return [Math.min(from, nearest), Math.max(to, nearest)];
  }

  // Lines on and off

  addSwitches() {
    const entries = [...this.figure.querySelectorAll(".legend > li")];
    entries.forEach((entry, series) => {
      const made = button({ "aria-pressed": "true", title: "Show or hide this line" }, ...entry.childNodes);
      made.addEventListener("click", () => {
        const isOff = !this.off.has(series);
        if (isOff) this.off.add(series);
        else this.off.delete(series);
        made.setAttribute("aria-pressed", String(!isOff));
        this.figure.classList.toggle(`off${series}`, isOff);
        this.read(this.at);
      });
      entry.append(made);
    });
  }

  // Values

  addReading() {
    this.box = element("div", { class: "reading", hidden: "" });
    this.handle = element("div", {
      class: "handle",
      role: "slider",
      tabindex: "0",
      "aria-label": `Values of ${this.title}`,
      "aria-orientation": "horizontal",
      "aria-valuemin": "0",
      "aria-valuemax": String(Math.max(0, this.stops().length - 1)),
      "aria-valuenow": "0",
      "aria-valuetext": "Arrows move along the axis",
    });
    this.handle.addEventListener("keydown", (event) => this.key(event));
    this.handle.addEventListener("blur", () => this.read(null));
    this.figure.querySelector(".drawing").append(this.handle);
    this.figure.append(this.box);
    for (const drawing of this.drawings) drawing.listen();
    document.addEventListener("pointerdown", (event) => {
      if (!this.figure.contains(event.target)) this.read(null);
    });
  }

  // Where something can be read, from left to right: a place, or of points each for itself.
  stops() {
    const visible = this.traces.map((trace, series) => ({ trace, series })).filter(({ series }) => !this.off.has(series));
    if (this.readsPoints) {
      const points = visible.flatMap(({ trace, series }) => trace.places.map((place, point) => ({ place, series, point })));
      return points.sort((one, other) => one.place - other.place);
    }
    const places = new Set(visible.flatMap(({ trace }) => trace.places));
    return [...places].sort((one, other) => one - other).map((place) => ({ place }));
  }

  key(event) {
    const stops = this.stops();
    if (event.ctrlKey || event.metaKey || event.altKey || stops.length === 0) return;
    const [from] = this.view ?? this.whole();
    const first = Math.max(0, stops.findIndex(({ place }) => place >= from));
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (move !== undefined) this.stop(this.at === null ? first : this.at + move, stops);
    else if (event.key === "Home") this.stop(0, stops);
    else if (event.key === "End") this.stop(stops.length - 1, stops);
    else if (event.key === "+" || event.key === "=") this.zoom(0.5);
    else if (event.key === "-") this.zoom(2);
    else if (event.key === "0") this.look(null);
    else if (event.key === "Escape") this.read(null);
    else return;
    event.preventDefault();
  }

  // Reads at a stop, and moves the stretch there if it is outside.
  stop(at, stops) {
    const stop = Math.max(0, Math.min(stops.length - 1, at));
    const { place } = stops[stop];
    this.at = stop;
    if (this.view && (place < this.view[0] || place > this.view[1])) {
      const half = (this.view[1] - this.view[0]) / 2;
      this.look([place - half, place + half]);
    } else this.read(stop);
  }

  // The stop that is nearest to a point of a drawing, in its units.
  nearest(drawing, x, y) {
    const [from, to] = drawing.range();
    let best = null;
    let least = Infinity;
    this.stops().forEach((stop, index) => {
      if (stop.place < from || stop.place > to) return;
      const across = drawing.across(stop.place) - x;
      const up = stop.point === undefined ? 0 : drawing.up(this.traces[stop.series].heights[stop.point]) - y;
      const distance = Math.hypot(across, up);
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  // Shows the values at a stop; null: none.
  read(at) {
    const stops = this.stops();
    this.at = at === null || at >= stops.length ? null : at;
    for (const drawing of this.drawings) drawing.cursor.replaceChildren();
    this.box.hidden = true;
    if (this.at === null) return;
    const stop = stops[this.at];
    const [from, to] = this.shown().range();
    if (stop.place < from || stop.place > to) return;
    const values = this.values(stop);
    for (const drawing of this.drawings) drawing.point(stop.place, values);
    const head = this.head(stop);
    const during = this.during(stop);
    const heads = [head, during].filter(Boolean).map((text) => element("strong", {}, text));
    this.box.replaceChildren(...heads, ...values.map((value) => this.line(value)));
    this.box.hidden = false;
    this.shown().put(this.box, stop.place);
    const said = values.map(({ name, text }) => (name ? `${name}: ${text}` : text));
    this.handle.setAttribute("aria-valuemax", String(stops.length - 1));
    this.handle.setAttribute("aria-valuenow", String(this.at));
    this.handle.setAttribute("aria-valuetext", [head, during, ...said].filter(Boolean).join("; "));
  }

  // What the lines that are on have at a stop.
  values(stop) {
    const value = (series, point) => {
      const { name, y, told: words, heights } = this.traces[series];
      const isThere = point >= 0 && point < y.length && y[point] !== null;
      const text = isThere ? words?.[point] ?? told(y[point], this.data.y.measure) : "–";
      return { series, name, text, height: isThere ? heights[point] : null };
    };
    if (this.readsPoints) return [{ ...value(stop.series, stop.point), name: "" }];
    const on = this.traces.map((_, series) => series).filter((series) => !this.off.has(series));
    return on.map((series) => value(series, this.pointAt(this.traces[series].places, stop.place)));
  }

  // A line is read at its own point there. A quantile is the least value that so many reach: the next point.
  pointAt(places, place) {
    return this.data.x.names === "nines" ? places.findIndex((it) => it >= place) : places.indexOf(place);
  }

  // Where it is read.
  head(stop) {
    const { names, title } = this.data.x;
    if (this.readsPoints) return "";
    if (names === "nines") return `${Number((100 * (1 - 10 ** -stop.place)).toFixed(4))} %`;
    if (!this.isOverTime) {
      const given = names.given?.find(([place]) => place === stop.place);
      return `${title} = ${given ? given[1] : stop.place}`;
    }
    const [from, to] = this.bucket(stop);
    return `${instant(from)} to ${instant(to)}`;
  }

  // In which shaded stretches that lies.
  during(stop) {
    const [from, to] = this.bucket(stop);
    const under = this.data.lanes.filter(({ spans }) => spans.some(([begin, end]) => begin < to && end >= from));
    return under.map(({ name }) => name).join(", ");
  }

  bucket({ place }) {
    const half = this.isOverTime ? this.data.x.names.time / 2 : 0;
    return [place - half, place + half];
  }

  line({ series, name, text }) {
    const swatch = this.figure.querySelectorAll(".legend svg.swatch")[series]?.cloneNode(true);
    const words = name && this.traces.length > 1 ? `${name}: ` : "";
    return element("div", {}, ...(swatch ? [swatch] : []), words, element("b", {}, text));
  }
}

function enliven() {
  const charts = [...document.querySelectorAll("figure.chart")]
    .filter((figure) => figure.querySelector("script.live"))
    .map((figure) => new LiveChart(figure));
  if (charts.length === 0) return;
  const overTime = charts.filter((chart) => chart.isOverTime);
  for (const chart of overTime) {
    const isSame = (other) => other !== chart && other.whole().join() === chart.whole().join();
    chart.others = overTime.filter(isSame);
  }
  const together = overTime.length > 1 ? " Charts over time zoom together." : "";
  const hint =
    "Point at a chart, or touch it, to read values; drag across it to zoom in. With the keyboard: arrows move, + and − " +
    "zoom, 0 shows all. The names below a chart switch its lines off and on. The vertical axis stays as it is, so that what " +
    `is shown can be held against the whole.${together}`;
  charts[0].figure.closest(".charts").before(element("p", { class: "lead hint" }, hint));
}

enliven();
