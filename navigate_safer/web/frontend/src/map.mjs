// Draws every <div class="ns-map" data-map-src data-map-label> with the Ministry's <em-map>.
//
// data-map-style names the style of the base map; without it /map/style.json.

import "@ministryofjustice/hmpps-electronic-monitoring-components/map";
import { addControls, addLegend, addPanel, addParagraph } from "./map-controls.mjs";
import { gapIsKnown, readTrail } from "./map-data.mjs";
import { trailLayers } from "./map-trail.mjs";
import { boundsOf, wardLayer, zoneLayers } from "./map-places.mjs";
import { PointPopup } from "./map-popup.mjs";
import shadowStyles from "./map-shadow.css";

const DEFAULT_STYLE = "/map/style.json";
const READY_LIMIT_MS = 15_000;
const FIT_PADDING_PX = 40;
const CLOSEST_ZOOM = 17;
const FAILED = "The map could not be loaded. The table on this page has the same points.";
const WARDS_ATTRIBUTION =
  "Ward outlines: Contains Ordnance Survey and Office for National Statistics data © Crown " +
  "copyright and database right 2016, Open Government Licence v3.";
const INSTRUCTIONS = "Select the map, then use the arrow keys to move it and + and − to zoom.";
const TABLE = " The table on this page has the same points.";
const NO_POINTS = "No points in this period.";

async function start(place, index) {
  const label = place.dataset.mapLabel || "Map";
  place.setAttribute("role", "region");
  place.setAttribute("aria-label", label);
  try {
    const styleUrl = place.dataset.mapStyle || DEFAULT_STYLE;
    const [data, style] = await Promise.all([fetchJson(place.dataset.mapSrc), fetchJson(styleUrl)]);
    const wards = data.wards ? await fetchJson(data.wards) : null;
    const emMap = await openMap(place, styleUrl);
    draw(place, emMap, { data, wards, style, index, label });
  } catch (error) {
    // No part of a broken map is left: half a trail is worse than none.
    console.warn("map:", error.message);
    place.replaceChildren();
    addParagraph(place, FAILED, "govuk-error-message");
  }
}

async function fetchJson(source) {
  const response = await fetch(source, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${source} answered ${response.status}`);
  return response.json();
}

function openMap(place, styleUrl) {
  const emMap = document.createElement("em-map");
  const settings = {
    renderer: "openlayers",
    "vector-url": styleUrl,
    "csp-nonce": document.querySelector("script[nonce]")?.nonce ?? "",
    // Its other scale writes style attributes, which the content policy forbids.
    "scale-control": "line",
    "rotate-control": "false",
  };
  for (const [name, value] of Object.entries(settings)) emMap.setAttribute(name, value);
  emMap.className = "ns-map__map";
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error("the map did not start")), READY_LIMIT_MS);
    emMap.addEventListener("map:ready", () => {
      clearTimeout(limit);
      // An attribute can be read by a style sheet's selectors, so the nonce does not stay in one.
      emMap.removeAttribute("csp-nonce");
      resolve(emMap);
    });
    place.append(emMap);
  });
}

function draw(place, emMap, { data, wards, style, index, label }) {
  const trail = readTrail(data);
  const zones = data.zones ?? [];
  const map = emMap.olMapInstance;
  makeUsable(emMap, map, label);
  if (wards) emMap.addLayer(wardLayer(wards));
  for (const layer of zoneLayers(zones)) emMap.addLayer(layer);
  const layers = trailLayers(emMap, trail);
  fit(map, boundsOf(data.bounds, trail.positions, zones, wards, Boolean(data.highlight)));
  const panel = addPanel(place);
  const popup = new PointPopup(map, trail, panel);
  popup.listen(layers.pointLayers);
  if (trail.positions.length > 0) addControls(panel, index, layers);
  addLegend(panel, { zones, trail, gaps: gapIsKnown(trail), wards: wards !== null });
  if (data.fixes?.length === 0) addParagraph(panel, NO_POINTS, "govuk-body");
  const table = trail.positions.length > 0 ? TABLE : "";
  addParagraph(panel, INSTRUCTIONS + table, "govuk-body-s ns-map__instructions");
  if (wards) addParagraph(panel, WARDS_ATTRIBUTION, "govuk-body-s ns-map__attribution");
  for (const line of attributions(style)) {
    addParagraph(panel, line, "govuk-body-s ns-map__attribution");
  }
  place.dataset.mapReady = "true";
}

function makeUsable(emMap, map, label) {
  const styles = new CSSStyleSheet();
  styles.replaceSync(shadowStyles);
  emMap.shadowRoot.adoptedStyleSheets = [styles];
  const target = map.getTargetElement();
  target.tabIndex = 0;
  // The application role lets arrow keys through to the map under a screen reader.
  target.setAttribute("role", "application");
  target.setAttribute("aria-label", `${label}: map`);
}

function fit(map, extent) {
  if (!extent) return;
  map.updateSize();
  map.getView().fit(extent, {
    padding: [FIT_PADDING_PX, FIT_PADDING_PX, FIT_PADDING_PX, FIT_PADDING_PX],
    maxZoom: CLOSEST_ZOOM,
  });
}

// A base map's own credit is often HTML; only its text is shown.
function attributions(style) {
  const credits = Object.values(style.sources ?? {}).map((source) => source.attribution ?? "");
  const parsed = credits.map((html) => new DOMParser().parseFromString(html, "text/html"));
  return [...new Set(parsed.map((page) => page.body.textContent.trim()))].filter(Boolean);
}

document.querySelectorAll(".ns-map[data-map-src]").forEach(start);
