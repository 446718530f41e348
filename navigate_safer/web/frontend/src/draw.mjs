// <div class="ns-draw" data-draw-wards data-draw-label>: a map beside the text area "coordinates".
//
// The text area is the one truth: what is drawn is written there, what is written is drawn. So
// everything that the mouse can do, the keyboard can do too.

import OlMap from "ol/Map.js";
import View from "ol/View.js";
import Draw from "ol/interaction/Draw.js";
import Modify from "ol/interaction/Modify.js";
import Snap from "ol/interaction/Snap.js";
import VectorLayer from "ol/layer/Vector.js";
import { fromLonLat } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import { featuresOf, tableOf } from "./draw-table.mjs";
import { addParagraph } from "./map-controls.mjs";
import { styleOf } from "./draw-style.mjs";
import { boundsOf, wardLayer } from "./map-places.mjs";
import { addButtons } from "./draw-controls.mjs";

const FIT_PADDING_PX = 40;
const CLOSEST_ZOOM = 17;
const FIRST_VIEW = { center: [-2.7, 53.2], zoom: 10 };
const FAILED = "The map could not be loaded. The coordinates below do the same.";
const HELP =
  "Draw: select the map for each corner, the last one twice. Drag a corner or an edge to move it; " +
  "Alt and select a corner to take it out. With the keyboard, write the coordinates below.";

async function start(place) {
  try {
    const answer = await fetch(place.dataset.drawWards, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`the outlines answered ${answer.status}`);
    new Drawing(place, await answer.json());
  } catch (error) {
    console.warn("drawing:", error.message);
    place.replaceChildren();
    addParagraph(place, FAILED, "govuk-error-message");
  }
}

class Drawing {
  constructor(place, wards) {
    this.form = place.closest("form");
    this.table = this.form.elements.coordinates;
    this.source = new VectorSource();
    this.map = this.open(place, wards);
    this.modify = new Modify({ source: this.source, snapToPointer: true });
    this.modify.on("modifyend", () => this.write());
    this.map.addInteraction(this.modify);
    this.snap = new Snap({ source: this.source });
    addButtons(place, {
      draw: () => this.begin(false),
      hole: () => this.begin(true),
      clear: () => this.clear(),
      nearer: () => this.map.getView().adjustZoom(1),
      further: () => this.map.getView().adjustZoom(-1),
    });
    this.said = addStatus(place);
    this.table.addEventListener("input", () => this.read());
    for (const name of ["shape", "radius_m", "buffer_m"]) this.listen(name);
    this.read();
    this.fit(wards);
    addParagraph(place, HELP, "govuk-body-s");
    place.dataset.drawReady = "true";
  }

  open(place, wards) {
    const target = document.createElement("div");
    target.className = "ns-draw__map";
    target.tabIndex = 0;
    target.setAttribute("role", "application");
    target.setAttribute("aria-label", place.dataset.drawLabel);
    place.append(target);
    const style = (feature) => styleOf(feature, this.widthM());
    const drawn = new VectorLayer({ source: this.source, style, zIndex: 10 });
    const view = new View({ ...FIRST_VIEW, center: fromLonLat(FIRST_VIEW.center) });
    return new OlMap({ target, view, controls: [], layers: [wardLayer(wards), drawn] });
  }

  listen(name) {
    const field = this.form.elements[name];
    const fields = field instanceof RadioNodeList ? [...field] : [field];
    for (const each of fields) each?.addEventListener("input", () => this.read());
  }

  shape() {
    return this.form.elements.shape.value || "Polygon";
  }

  // Metres about a point or a line; of an outline only what it is grown by.
  widthM() {
    const number = (name) => Number.parseFloat(this.form.elements[name]?.value) || 0;
    return (this.shape() === "Point" ? number("radius_m") : 0) + number("buffer_m");
  }

  begin(hole) {
    if (this.drawing) this.map.removeInteraction(this.drawing);
    this.drawing = new Draw({ source: this.source, type: this.shape() });
    this.drawing.on("drawend", ({ feature }) => {
      feature.set("hole", hole);
      this.map.removeInteraction(this.drawing);
      this.drawing = null;
      // The source takes the feature only after this event.
      queueMicrotask(() => this.write());
    });
    this.map.addInteraction(this.drawing);
    this.map.removeInteraction(this.snap);
    this.map.addInteraction(this.snap);
    this.said.textContent = hole ? "Drawing a hole." : "Drawing.";
  }

  clear() {
    this.source.clear();
    this.write();
  }

  write() {
    this.table.value = tableOf(this.source.getFeatures());
    this.say();
  }

  read() {
    const { features, fault } = featuresOf(this.shape(), this.table.value);
    this.source.clear();
    this.source.addFeatures(features);
    this.say(fault);
  }

  say(fault) {
    const count = this.source.getFeatures().length;
    this.said.textContent = fault ?? (count === 1 ? "1 part is drawn." : `${count} parts are drawn.`);
  }

  fit(wards) {
    const extent = this.source.getFeatures().length ? this.source.getExtent() : boundsOf(null, [], [], wards);
    if (!extent) return;
    const padding = Array(4).fill(FIT_PADDING_PX);
    this.map.getView().fit(extent, { padding, maxZoom: CLOSEST_ZOOM });
  }
}

function addStatus(place) {
  const said = document.createElement("p");
  said.className = "govuk-body-s";
  said.setAttribute("role", "status");
  place.append(said);
  return said;
}

document.querySelectorAll(".ns-draw").forEach(start);
