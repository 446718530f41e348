// What is known of one point: opened by a click, or by the buttons for the next and the last.

import Overlay from "ol/Overlay.js";
import { fromLonLat } from "ol/proj.js";
import { factsOf } from "./map-data.mjs";

const PICK_TOLERANCE_PX = 8;
const PAN_MS = 200;

/** The popup on a map, with its buttons and its spoken text in the panel under the map. */
export class PointPopup {
  constructor(map, trail, panel) {
    this.map = map;
    this.positions = trail.positions;
    this.current = null;
    this.element = make("div", "ns-popup");
    this.overlay = new Overlay({
      element: this.element,
      positioning: "bottom-center",
      offset: [0, -12],
      stopEvent: true,
      autoPan: { animation: { duration: PAN_MS }, margin: 12 },
    });
    map.addOverlay(this.overlay);
    if (this.positions.length > 0) this.addButtons(panel);
  }

  addButtons(panel) {
    const bar = make("div", "ns-map__steps");
    this.previous = stepButton("Previous point", () => this.show((this.current ?? 0) - 1));
    this.next = stepButton("Next point", () => this.show((this.current ?? -1) + 1));
    this.spoken = make("p", "govuk-body-s ns-map__spoken");
    this.spoken.setAttribute("role", "status");
    bar.append(this.previous, this.next, this.spoken);
    panel.append(bar);
  }

  /** Opens on clicks at points of these layers; Escape and clicks elsewhere close. */
  listen(layers) {
    const layerFilter = (layer) => layers.includes(layer);
    const options = { layerFilter, hitTolerance: PICK_TOLERANCE_PX };
    const indexAt = (pixel) =>
      this.map.forEachFeatureAtPixel(pixel, (feature) => feature.get("index"), options);
    this.map.on("singleclick", ({ pixel }) => {
      const index = indexAt(pixel);
      if (index === undefined) this.close();
      else this.show(index);
    });
    this.map.on("pointermove", ({ pixel, dragging }) => {
      if (dragging) return;
      const found = indexAt(pixel) !== undefined;
      this.map.getViewport().style.cursor = found ? "pointer" : "";
    });
    this.map.getTargetElement().addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
  }

  show(index) {
    const count = this.positions.length;
    this.current = (index + count) % count;
    const position = this.positions[this.current];
    const title = `Point ${this.current + 1} of ${count}`;
    const facts = factsOf(position);
    this.fill(title, facts);
    this.overlay.setPosition(fromLonLat([position.longitude, position.latitude]));
    this.spoken.textContent = `${title}. ${facts.map((fact) => fact.join(": ")).join(". ")}.`;
  }

  fill(title, facts) {
    const close = make("button", "ns-popup__close", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close point details");
    close.addEventListener("click", () => {
      this.close();
      this.map.getTargetElement().focus();
    });
    const list = make("dl", "ns-popup__facts");
    for (const [name, value] of facts) list.append(make("dt", "", name), make("dd", "", value));
    this.element.replaceChildren(make("p", "ns-popup__title", title), close, list);
  }

  close() {
    this.overlay.setPosition(undefined);
    if (this.spoken) this.spoken.textContent = "";
  }
}

function stepButton(text, onClick) {
  const button = make("button", "govuk-button govuk-button--secondary ns-map__step", text);
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}

// Text goes in as text only: a name from the database never becomes markup.
function make(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
