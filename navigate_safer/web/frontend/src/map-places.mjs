// What does not move: ward outlines and zones, each with its name in words.

import {
  createEmpty,
  extend,
  getCenter,
  getHeight,
  getIntersection,
  getWidth,
  isEmpty,
} from "ol/extent.js";
import Feature from "ol/Feature.js";
import GeoJSON from "ol/format/GeoJSON.js";
import Point from "ol/geom/Point.js";
import { circular } from "ol/geom/Polygon.js";
import VectorLayer from "ol/layer/Vector.js";
import { transformExtent } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import Text from "ol/style/Text.js";

const LON_LAT = "EPSG:4326";
const MAP = "EPSG:3857";
const FORMAT = new GeoJSON({ dataProjection: LON_LAT, featureProjection: MAP });
const WARD_NAMES_FROM_M_PER_PIXEL = 60;
const Z = { wards: 1, zones: 10, zoneNames: 70 };
const HATCH_SPACING_PX = 9;
// Ground shown beyond the ends of an alert's trail, so that its points do not lie on the edge.
const TRAIL_WITH_MARGIN = 1.4;
// The least share of trail and zones together that a map of an alert shows: enough to see where
// in a large zone it was.
const LEAST_SHARE = 1 / 5;

/** How each kind of zone looks and is called; the words and the hatching say it without colour. */
export const ZONE_KINDS = {
  exclusion: { word: "Exclusion zone", colour: "#ca3535", dash: undefined, hatched: true },
  inclusion: { word: "Inclusion zone", colour: "#0f7a52", dash: [12, 5], hatched: false },
  place: { word: "Place asked about", colour: "#0b0c0c", dash: [8, 4], hatched: false },
  restriction: { word: "Restriction zone", colour: "#54319f", dash: [3, 5], hatched: false },
};
/** A ring is a sign of a zone, not a zone; its name is its distance. */
const WARNING = { word: "Early warning", colour: "#8a5f00", dash: [2, 6], hatched: false };
const UNKNOWN_KIND = { word: "Zone", colour: "#484949", dash: [2, 4], hatched: false };

const kindOf = (zone) =>
  zone.kind === "warning" ? WARNING : (ZONE_KINDS[zone.kind] ?? UNKNOWN_KIND);

/** Outlines of the wards with their names, a ground for a map without a base map. */
export function wardLayer(wards) {
  const style = new Style({
    fill: new Fill({ color: "rgba(255, 255, 255, 0.6)" }),
    stroke: new Stroke({ color: "#858686", width: 1 }),
    text: text("#484949", "13px arial, sans-serif"),
  });
  return new VectorLayer({
    properties: { id: "wards", title: "wards" },
    source: new VectorSource({ features: FORMAT.readFeatures(wards) }),
    zIndex: Z.wards,
    declutter: true,
    style: (feature, resolution) => {
      const near = resolution <= WARD_NAMES_FROM_M_PER_PIXEL;
      style.getText().setText(near ? (feature.get("name") ?? "") : "");
      return style;
    },
  });
}

/** Two layers: the zones' outlines with fill or hatching, and "Exclusion zone: name" over all. */
export function zoneLayers(zones) {
  return [
    layerOf("zones", Z.zones, zones, zoneShape),
    layerOf("zone-names", Z.zoneNames, zones, zoneName),
  ];
}

function layerOf(id, zIndex, zones, styleOf) {
  const features = zones.map((zone) => {
    const feature = new Feature(FORMAT.readGeometry(zone.geometry));
    feature.setStyle(styleOf(zone, feature.getGeometry()));
    return feature;
  });
  const source = new VectorSource({ features });
  return new VectorLayer({ properties: { id, title: id }, source, zIndex });
}

function zoneShape(zone) {
  const { colour, dash, hatched } = kindOf(zone);
  return new Style({
    fill: new Fill({ color: hatched ? hatching(colour) : `${colour}1f` }),
    stroke: new Stroke({ color: colour, width: 3, lineDash: dash }),
  });
}

// Above the zone's upper edge, where the trail inside the zone does not cross it.
function zoneName(zone, geometry) {
  const { word, colour } = kindOf(zone);
  const [west, , east, north] = geometry.getExtent();
  const words = text(colour, "bold 14px arial, sans-serif");
  words.setText(zone.name ? `${word}: ${zone.name}` : word);
  words.setTextBaseline("bottom");
  words.setOffsetY(-4);
  return new Style({ geometry: new Point([(west + east) / 2, north]), text: words });
}

function text(colour, font) {
  return new Text({
    font,
    fill: new Fill({ color: colour }),
    stroke: new Stroke({ color: "#ffffff", width: 4 }),
    overflow: true,
  });
}

function hatching(colour) {
  const tile = document.createElement("canvas");
  tile.width = HATCH_SPACING_PX;
  tile.height = HATCH_SPACING_PX;
  const pen = tile.getContext("2d");
  pen.fillStyle = `${colour}1a`;
  pen.fillRect(0, 0, HATCH_SPACING_PX, HATCH_SPACING_PX);
  pen.strokeStyle = `${colour}99`;
  pen.lineWidth = 1.5;
  // The stroke leaves the tile at two corners, so neighbours are drawn too for an even line.
  for (const shift of [-HATCH_SPACING_PX, 0, HATCH_SPACING_PX]) {
    pen.beginPath();
    pen.moveTo(shift - 1, HATCH_SPACING_PX + 1);
    pen.lineTo(shift + HATCH_SPACING_PX + 1, -1);
    pen.stroke();
  }
  return pen.createPattern(tile, "repeat");
}

/**
 * What to show first, EPSG:3857: the bounds given, else trail and zones, else wards, or null.
 * near: the trail is what matters, and of a zone much larger than it only the part about it.
 */
export function boundsOf(bounds, positions, zones, wards, near = false) {
  if (bounds) return transformExtent(bounds, LON_LAT, MAP);
  const extent = createEmpty();
  for (const { longitude, latitude, precision } of positions) {
    // The whole of an accuracy circle is shown: a lone rough fix must not look exact.
    extend(extent, circular([longitude, latitude], precision).transform(LON_LAT, MAP).getExtent());
  }
  const trail = extent.slice();
  for (const zone of zones) extend(extent, FORMAT.readGeometry(zone.geometry).getExtent());
  if (near && !isEmpty(trail)) return about(trail, extent);
  if (isEmpty(extent) && wards) {
    for (const ward of FORMAT.readFeatures(wards)) extend(extent, ward.getGeometry().getExtent());
  }
  return isEmpty(extent) ? null : extent;
}

// A view with the trail in its middle, within what trail and zones take together.
function about(trail, all) {
  const [x, y] = getCenter(trail);
  const half = (own, whole) => Math.max(own * TRAIL_WITH_MARGIN, whole * LEAST_SHARE) / 2;
  const halfWidth = half(getWidth(trail), getWidth(all));
  const halfHeight = half(getHeight(trail), getHeight(all));
  return getIntersection([x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight], all);
}
