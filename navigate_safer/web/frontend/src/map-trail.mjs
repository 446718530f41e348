// The wearer's trail: line with direction arrows, points, accuracy circles, labels.

import {
  CirclesLayer,
  LocationsLayer,
  TextLayer,
  TracksLayer,
} from "@ministryofjustice/hmpps-electronic-monitoring-components/map/layers";
import Feature from "ol/Feature.js";
import Point from "ol/geom/Point.js";
import VectorLayer from "ol/layer/Vector.js";
import { fromLonLat } from "ol/proj.js";
import VectorSource from "ol/source/Vector.js";
import Fill from "ol/style/Fill.js";
import RegularShape from "ol/style/RegularShape.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import { isGap } from "./map-data.mjs";

export const COLOURS = { trail: "#1d70b8", alert: "#ca3535", circle: "#8a6100", ink: "#0b0c0c" };
const GAP_DASH = [3, 7];
const LABEL_FONT = "bold 14px arial, sans-serif";
const Z = { circles: 20, tracks: 30, points: 40, alert: 50, labels: 60 };

/** Adds the layers; gives what the check boxes switch, and the layers a point is picked from. */
export function trailLayers(emMap, trail) {
  const { positions } = trail;
  const quiet = positions.filter((position) => !position.inAlert);
  const circles = emMap.addLayer(circlesLayer(positions)).getPrimaryLayer();
  const tracks = trail.lines ? emMap.addLayer(tracksLayer(trail)).getPrimaryLayer() : null;
  const points = emMap.addLayer(pointsLayer(quiet));
  const alert = emMap.addLayer(alertLayer(positions.filter((position) => position.inAlert)));
  const labels = emMap.addLayer(labelsLayer(positions)).getPrimaryLayer();
  // Labels that would cover each other are left out until the map is closer.
  labels.setDeclutter(true);
  return {
    pointLayers: [alert, ...points.getLayers()],
    switches: [
      { name: "accuracy", text: "Accuracy circles (95 %)", set: (on) => circles.setVisible(on) },
      ...(tracks ? [direction(tracks)] : []),
      { name: "labels", text: "Point labels", set: (on) => labels.setVisible(on) },
    ],
  };
}

function direction(tracks) {
  const withArrows = tracks.getStyle();
  const lineOnly = (feature, resolution) => withArrows(feature, resolution).slice(0, 1);
  return {
    name: "direction",
    text: "Direction of travel",
    set: (on) => tracks.setStyle(on ? withArrows : lineOnly),
  };
}

const circlesLayer = (positions) =>
  new CirclesLayer({
    id: "accuracy",
    positions,
    visible: true,
    zIndex: Z.circles,
    style: { fill: null, stroke: { color: COLOURS.circle, width: 1.5, lineDash: [8, 6] } },
  });

const tracksLayer = (trail) =>
  new TracksLayer({
    id: "trail",
    positions: trail.positions,
    visible: true,
    zIndex: Z.tracks,
    style: { stroke: { color: COLOURS.trail } },
    segmentStyle: ({ positions: [one, other] }) => ({
      stroke: {
        color: one.inAlert && other.inAlert ? COLOURS.alert : COLOURS.trail,
        lineDash: isGap(trail, one, other) ? GAP_DASH : undefined,
      },
    }),
  });

// Drawn on the canvas, not by WebGL: it prints, and a point can be picked with some tolerance.
const pointsLayer = (positions) =>
  new LocationsLayer({
    id: "points",
    positions,
    renderer: "vector",
    zIndex: Z.points,
    style: { radius: 5, fill: COLOURS.trail, stroke: { color: "#ffffff", width: 1.5 } },
  });

const labelsLayer = (positions) =>
  new TextLayer({
    id: "labels",
    positions,
    textProperty: "label",
    visible: true,
    zIndex: Z.labels,
    style: { font: LABEL_FONT, fill: COLOURS.ink, stroke: { color: "#ffffff", width: 3 } },
  });

function alertLayer(positions) {
  const features = positions.map(
    (position) =>
      new Feature({
        ...position,
        geometry: new Point(fromLonLat([position.longitude, position.latitude])),
      }),
  );
  return new VectorLayer({
    properties: { id: "alert-points", title: "alert-points" },
    source: new VectorSource({ features }),
    zIndex: Z.alert,
    style: new Style({
      image: new RegularShape({
        points: 4,
        radius: 9,
        fill: new Fill({ color: COLOURS.alert }),
        stroke: new Stroke({ color: COLOURS.ink, width: 1.5 }),
      }),
    }),
  });
}
