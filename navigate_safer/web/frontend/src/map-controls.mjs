// The panel under a map: check boxes, the key to the signs, notes.

import { ZONE_KINDS } from "./map-places.mjs";

/** The empty panel under the map. */
export function addPanel(place) {
  const panel = make("div", "ns-map__panel");
  place.append(panel);
  return panel;
}

/** A paragraph of text. */
export function addParagraph(parent, text, className) {
  parent.append(make("p", className, text));
}

/** A check box for each switch of the trail; all begin on. */
export function addControls(panel, index, { switches }) {
  const fieldset = make("fieldset", "govuk-fieldset ns-map__controls");
  fieldset.append(make("legend", "govuk-fieldset__legend govuk-fieldset__legend--s", "Show"));
  const boxes = make("div", "govuk-checkboxes govuk-checkboxes--small");
  for (const { name, text, set } of switches) boxes.append(checkbox(`map-${index}-${name}`, text, set));
  fieldset.append(boxes);
  panel.append(fieldset);
}

function checkbox(id, text, set) {
  const item = make("div", "govuk-checkboxes__item");
  const box = make("input", "govuk-checkboxes__input");
  box.type = "checkbox";
  box.id = id;
  box.checked = true;
  box.addEventListener("change", () => set(box.checked));
  const label = make("label", "govuk-label govuk-checkboxes__label", text);
  label.htmlFor = id;
  item.append(box, label);
  return item;
}

/** The key: only signs that are on this map. */
export function addLegend(panel, { zones, trail, gaps, wards }) {
  const signs = Object.entries(ZONE_KINDS)
    .filter(([kind]) => zones.some((zone) => zone.kind === kind))
    .map(([kind, { word }]) => [kind, word]);
  if (zones.some((zone) => zone.kind === "warning")) signs.push(["warning", "Early-warning ring"]);
  const points = trail.positions;
  if (points.some((point) => !point.inAlert)) signs.push(["point", "Point"]);
  if (points.some((point) => point.inAlert)) signs.push(["alert", "Point in the time of the alert"]);
  if (trail.lines && points.length > 1) signs.push(["line", "Order of points; not the route taken"]);
  if (gaps) signs.push(["gap", `No data for more than ${minutes(trail.gapS)}`]);
  if (wards) signs.push(["ward", "Ward"]);
  if (signs.length === 0) return;
  const list = make("ul", "govuk-list ns-map__key");
  list.setAttribute("aria-label", "Key to the map");
  for (const [sign, text] of signs) {
    const item = make("li", "", text);
    const swatch = make("span", `ns-sign ns-sign--${sign}`);
    swatch.setAttribute("aria-hidden", "true");
    item.prepend(swatch);
    list.append(item);
  }
  panel.append(list);
}

function minutes(seconds) {
  const count = Math.round(seconds / 60);
  return count === 1 ? "1 minute" : `${count} minutes`;
}

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}
