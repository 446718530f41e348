// How what is being drawn looks: outline, holes, and the metres about a point or a line.

import { getPointResolution } from "ol/proj.js";
import CircleShape from "ol/geom/Circle.js";
import { getCenter } from "ol/extent.js";
import Circle from "ol/style/Circle.js";
import Fill from "ol/style/Fill.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";

const COLOUR = "#1d70b8";
const HOLE = "#505a5f";
const MAP = "EPSG:3857";

/** Styles of a feature with so many metres about it. */
export function styleOf(feature, widthM) {
  const geometry = feature.getGeometry();
  const hole = feature.get("hole");
  const colour = hole ? HOLE : COLOUR;
  const stroke = new Stroke({ color: colour, width: 3, lineDash: hole ? [4, 6] : undefined });
  const fill = new Fill({ color: hole ? "rgba(255, 255, 255, 0.8)" : `${COLOUR}22` });
  const image = new Circle({ radius: 6, fill: new Fill({ color: colour }) });
  const styles = [new Style({ stroke, fill, image })];
  // Metres on the ground, as units of the map at this latitude.
  const units = widthM / getPointResolution(MAP, 1, getCenter(geometry.getExtent()));
  if (widthM > 0 && geometry.getType() === "Point") {
    const about = new CircleShape(geometry.getCoordinates(), units);
    styles.push(new Style({ geometry: about, stroke, fill }));
  }
  if (widthM > 0 && geometry.getType() === "LineString") {
    styles.push(...geometry.getCoordinates().map((corner) => aboutCorner(corner, units)));
  }
  return styles;
}

function aboutCorner(corner, units) {
  return new Style({
    geometry: new CircleShape(corner, units),
    stroke: new Stroke({ color: COLOUR, width: 1, lineDash: [4, 4] }),
  });
}
