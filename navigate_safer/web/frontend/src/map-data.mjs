// The map's JSON as the layers need it: fixes in order of time, their gaps, the alert's part.

import { fullTime, clockTime } from "./london.mjs";

// The Ministry's guide to its own map: more than five minutes between points is missing data.
const DEFAULT_GAP_S = 300;

const SOURCES = {
  gps: "GPS",
  wifi: "Wi-Fi",
  lbs: "Mobile network (LBS)",
  rf: "Home unit (RF)",
};

/** { positions, gapS }: what <em-map>'s layers take, in order of time. */
export function readTrail(data) {
  const fixes = (data.fixes ?? []).map((fix) => ({ ...fix, time: Date.parse(fix.at) }));
  fixes.sort((one, other) => one.time - other.time);
  const from = data.highlight ? Date.parse(data.highlight.from) : Infinity;
  const until = data.highlight?.to ? Date.parse(data.highlight.to) : Infinity;
  return {
    gapS: data.gaps_s ?? DEFAULT_GAP_S,
    // Points of several people have no order that a line could show.
    lines: data.lines ?? true,
    positions: fixes.map((fix, index) => ({
      index,
      latitude: fix.lat,
      longitude: fix.lon,
      precision: fix.accuracy_m,
      timestamp: fix.at,
      time: fix.time,
      label: fix.label ?? clockTime(fix.time),
      source: fix.source,
      who: fix.who,
      speedKmh: fix.speed_kmh,
      doubts: fix.doubts ?? [],
      inAlert: fix.time >= from && fix.time <= until,
    })),
  };
}

/** Whether the stretch between two positions holds no fix for longer than the trail's gap. */
export const isGap = (trail, one, other) => other.time - one.time > trail.gapS * 1000;

/** Whether the trail has a gap anywhere. */
export const gapIsKnown = (trail) =>
  trail.lines &&
  trail.positions.some((position, i) => i > 0 && isGap(trail, trail.positions[i - 1], position));

// Zero is how devices write that they state none.
const accuracyOf = ({ precision }) =>
  precision > 0 ? `within ${Math.round(precision)} m (95 %)` : "not stated";

/** What is known of a point, as pairs of a name and a value. */
export function factsOf(position) {
  const facts = [
    ...(position.who ? [["Person", position.who]] : []),
    ["Time", fullTime(position.time)],
    ["Accuracy", accuracyOf(position)],
  ];
  if (position.speedKmh != null) facts.push(["Speed", `${position.speedKmh.toFixed(1)} km/h`]);
  facts.push(["Source", SOURCES[position.source] ?? position.source ?? "not known"]);
  for (const doubt of position.doubts) facts.push(["Doubt", doubt]);
  if (position.inAlert) facts.push(["Alert", "inside the time of the alert"]);
  return facts;
}
