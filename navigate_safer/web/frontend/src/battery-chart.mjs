// The charge of a device over time.

import * as Plot from "@observablehq/plot";
import { fullTime } from "./london.mjs";
import { COLOURS, drawing, highlightMarks, withGaps } from "./plotting.mjs";

const HEIGHT = 240;
const FULL = 100;
const CHARGING_BAR_TOP = 6;

/** One SVG element in a list, for a width in pixels. */
export function drawBattery(data, width) {
  const low = data.low_percent;
  return [
    drawing(width, label(data), data, {
      height: HEIGHT,
      y: { domain: [0, FULL], label: "Charge (%)", labelArrow: "none", grid: true, ticks: 5 },
      marks: [
        ...highlightMarks(data.highlight, FULL, data),
        ...chargingMarks(data.readings),
        ...lowMarks(low, data),
        Plot.lineY(withGaps(data.readings, data.gap_s), {
          x: "at",
          y: "percent",
          stroke: COLOURS.line,
          strokeWidth: 2,
        }),
        Plot.dot(data.readings, {
          x: "at",
          y: "percent",
          r: 2.5,
          fill: (r) => (low != null && r.percent <= low ? COLOURS.limit : COLOURS.line),
        }),
        Plot.ruleY([0]),
      ],
    }),
  ];
}

function lowMarks(low, { to }) {
  if (low == null) return [];
  return [
    Plot.ruleY([low], { stroke: COLOURS.limit, strokeWidth: 2, strokeDasharray: "6 4" }),
    Plot.text([low], {
      x: to,
      y: (value) => value,
      text: (value) => `Low: ${value} %`,
      textAnchor: "end",
      dy: -9,
      fill: COLOURS.limit,
      stroke: "white",
      strokeWidth: 4,
    }),
  ];
}

function chargingMarks(readings) {
  const spans = chargingSpans(readings);
  return [
    Plot.rect(spans, { x1: "from", x2: "to", y1: 0, y2: CHARGING_BAR_TOP, fill: "#0f7a52" }),
    Plot.text(spans, {
      x: (span) => new Date((+span.from + +span.to) / 2),
      y: CHARGING_BAR_TOP,
      text: () => "On charge",
      dy: -8,
      fill: "#0f7a52",
      stroke: "white",
      strokeWidth: 4,
    }),
  ];
}

function chargingSpans(readings) {
  const spans = [];
  let open = null;
  for (const reading of readings) {
    if (reading.charging && !open) spans.push((open = { from: reading.at, to: reading.at }));
    if (open) open.to = reading.at;
    if (!reading.charging) open = null;
  }
  return spans.filter((span) => span.to > span.from);
}

function label({ readings, low_percent: low }) {
  const last = readings.at(-1);
  const least = Math.min(...readings.map((reading) => reading.percent));
  const compared = low == null ? "" : ` Low is ${low} %.`;
  return (
    `Battery charge from ${fullTime(readings[0].at)} to ${fullTime(last.at)}: ` +
    `lowest ${least} %, last ${last.percent} %.${compared}`
  );
}
