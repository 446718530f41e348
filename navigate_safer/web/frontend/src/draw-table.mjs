// The table of coordinates, as zones/coordinates.py reads it, to features on the map and back.

import Feature from "ol/Feature.js";
import LineString from "ol/geom/LineString.js";
import Point from "ol/geom/Point.js";
import Polygon from "ol/geom/Polygon.js";
import { fromLonLat, toLonLat } from "ol/proj.js";

// A tenth of a metre; no more is known of what was drawn by hand.
const DIGITS = 6;
const POSITION = /^([+-]?[0-9.]+)\s*[,;\s]\s*([+-]?[0-9.]+)$/;

/** { features, fault }: what can be drawn of the text, and the first line that cannot be read. */
export function featuresOf(shape, text) {
  const parts = [];
  let fault = null;
  let fresh = true;
  let hole = false;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    const match = POSITION.exec(line);
    if (line === "") fresh = true;
    else if (line.toLowerCase() === "hole") fresh = hole = true;
    else if (!match) fault ??= `Line ${index + 1} is not a latitude and a longitude.`;
    else {
      if (fresh) parts.push({ hole, positions: [] });
      if (fresh) fresh = hole = false;
      parts.at(-1).positions.push(fromLonLat([Number(match[2]), Number(match[1])]));
    }
  }
  return { features: parts.flatMap((part) => drawn(shape, part)), fault };
}

function drawn(shape, { hole, positions }) {
  if (shape === "Point") return positions.map((position) => feature(new Point(position), hole));
  if (positions.length < 2) return [feature(new Point(positions[0]), hole)];
  if (shape === "LineString") return [feature(new LineString(positions), hole)];
  return [feature(new Polygon([[...positions, positions[0]]]), hole)];
}

function feature(geometry, hole) {
  const made = new Feature(geometry);
  made.set("hole", hole);
  return made;
}

/** The text of features in the order in which they were drawn. */
export function tableOf(features) {
  return features.map((each) => (each.get("hole") ? "hole\n" : "") + linesOf(each.getGeometry())).join("\n\n");
}

function linesOf(geometry) {
  const coordinates = geometry.getCoordinates();
  if (geometry.getType() === "Point") return line(coordinates);
  if (geometry.getType() === "LineString") return coordinates.map(line).join("\n");
  return coordinates[0].slice(0, -1).map(line).join("\n");
}

function line(position) {
  const [longitude, latitude] = toLonLat(position);
  return `${latitude.toFixed(DIGITS)}, ${longitude.toFixed(DIGITS)}`;
}
