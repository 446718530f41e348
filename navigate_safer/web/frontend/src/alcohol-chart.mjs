// Transdermal alcohol over time with what was made of it, above the two signals that tell an
// obstructed sensor and the battery, all on one time axis.

import * as Plot from "@observablehq/plot";
import { fullTime, hourAndMinute } from "./london.mjs";
import { stretchMarks, bandMarks, stretchesLabel, withPatterns } from "./alcohol-bands.mjs";
import { COLOURS, drawing, highlightMarks, withGaps } from "./plotting.mjs";

const HEIGHT_ALCOHOL = 300;
const HEIGHT_SIGNAL = 170;
const HEIGHT_BATTERY = 130;
// So that a flat line at zero and its threshold do not fill the whole height.
const LEAST_TOP_G_DL = 0.04;
// Room above the highest reading for its label and for the words of the alert's time.
const HEADROOM = 1.35;
const DOT_RADIUS = 3;

const SIGNALS = [
  { field: "skin_temp_c", word: "Skin temperature", unit: "°C", margin: 0.5, format: ".1f" },
  { field: "ir_v", word: "Reflected infrared", unit: "V", margin: 0.1, format: ".2f" },
];

const has = (field) => (reading) => typeof reading[field] === "number";

/** SVG elements, the alcohol chart first, for a width in pixels. */
export function drawAlcohol(data, width) {
  const signals = SIGNALS.filter(({ field }) => data.readings.some(has(field)));
  const drawn = [alcohol(data, width), ...signals.map((one) => signalChart(data, width, one))];
  return data.charges.length > 1 ? [...drawn, batteryChart(data, width)] : drawn;
}

function alcohol(data, width) {
  const measured = data.readings.filter(has("tac_g_dl"));
  const threshold = data.threshold_g_dl;
  const peak = measured.reduce((top, r) => (!top || r.tac_g_dl > top.tac_g_dl ? r : top), null);
  const top = Math.max(LEAST_TOP_G_DL, threshold ?? 0, peak?.tac_g_dl ?? 0) * HEADROOM;
  const label = `${alcoholLabel(measured, threshold, peak)}${stretchesLabel(data)}`;
  const svg = drawing(width, label, data, {
    height: HEIGHT_ALCOHOL,
    y: {
      domain: [0, top],
      label: "Transdermal alcohol (g/dl)",
      labelArrow: "none",
      grid: true,
      tickFormat: ".2f",
      ticks: 5,
    },
    marks: [
      ...highlightMarks(data.highlight, top),
      ...stretchMarks(data, 0, top),
      ...bandMarks(data, top),
      ...thresholdMarks(threshold, data),
      Plot.lineY(withGaps(measured, data.gap_s), {
        x: "at",
        y: "tac_g_dl",
        stroke: COLOURS.line,
        strokeWidth: 2,
      }),
      // At or above the threshold a reading is a filled square, below it an open circle.
      Plot.dot(measured, {
        x: "at",
        y: "tac_g_dl",
        r: DOT_RADIUS,
        symbol: (r) => (isAbove(r, threshold) ? "square" : "circle"),
        fill: (r) => (isAbove(r, threshold) ? COLOURS.limit : "white"),
        stroke: (r) => (isAbove(r, threshold) ? COLOURS.limit : COLOURS.line),
      }),
      ...peakMarks(peak, threshold, data),
      Plot.ruleY([0]),
    ],
    symbol: { type: "identity" },
  });
  // The other charts of the figure are filled from these too.
  return withPatterns(svg);
}

// A reading at the threshold counts, as it does for the rule that raises the alert.
const isAbove = (reading, threshold) => threshold != null && reading.tac_g_dl >= threshold;

function thresholdMarks(threshold, { from }) {
  if (threshold == null) return [];
  return [
    Plot.ruleY([threshold], { stroke: COLOURS.limit, strokeWidth: 2, strokeDasharray: "6 4" }),
    Plot.text([threshold], {
      x: from,
      y: (value) => value,
      text: (value) => `Threshold ${value} g/dl`,
      textAnchor: "start",
      dx: 6,
      dy: -9,
      fill: COLOURS.limit,
      stroke: "white",
      strokeWidth: 4,
    }),
  ];
}

function peakMarks(peak, threshold, { from, to }) {
  if (!peak || !isAbove(peak, threshold)) return [];
  const share = (peak.at - from) / (to - from);
  const anchor = share < 0.2 ? "start" : share > 0.8 ? "end" : "middle";
  return [
    Plot.text([peak], {
      x: "at",
      y: "tac_g_dl",
      text: (r) => `${r.tac_g_dl.toFixed(3)} g/dl at ${hourAndMinute(r.at)}`,
      textAnchor: anchor,
      dy: -12,
      fontWeight: "bold",
      stroke: "white",
      strokeWidth: 4,
      fill: COLOURS.text,
    }),
  ];
}

function alcoholLabel(measured, threshold, peak) {
  if (!peak) return "Transdermal alcohol: no readings.";
  const above = measured.filter((reading) => isAbove(reading, threshold)).length;
  const compared =
    threshold == null ? "" : ` ${above} of them at or above the threshold of ${threshold} g/dl.`;
  return (
    `Transdermal alcohol from ${fullTime(measured[0].at)} to ${fullTime(measured.at(-1).at)}: ` +
    `${measured.length} readings.${compared} ` +
    `Highest ${peak.tac_g_dl.toFixed(3)} g/dl at ${fullTime(peak.at)}.`
  );
}

function signalChart(data, width, { field, word, unit, margin, format }) {
  const measured = data.readings.filter(has(field));
  const values = measured.map((reading) => reading[field]);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const label = `${word}: lowest ${least} ${unit}, highest ${most} ${unit}.`;
  return drawing(width, label, data, {
    height: HEIGHT_SIGNAL,
    y: {
      // The margin keeps a steady signal a steady line, whatever its last digit does.
      domain: [least - margin, most + margin],
      label: `${word} (${unit})`,
      labelArrow: "none",
      grid: true,
      ticks: 3,
      tickFormat: format,
    },
    marks: [
      ...stretchMarks(data, least - margin, most + margin, { words: false }),
      Plot.lineY(withGaps(measured, data.gap_s), {
        x: "at",
        y: field,
        stroke: COLOURS.quiet,
        strokeWidth: 2,
      }),
      Plot.dot(measured, { x: "at", y: field, r: 2, fill: COLOURS.quiet }),
    ],
  });
}

function batteryChart(data, width) {
  const least = Math.min(...data.charges.map((each) => each.percent));
  const label = `Battery of the monitor: lowest ${least} %, last ${data.charges.at(-1).percent} %.`;
  return drawing(width, label, data, {
    height: HEIGHT_BATTERY,
    y: { domain: [0, 100], label: "Battery (%)", labelArrow: "none", grid: true, ticks: 2 },
    marks: [
      ...stretchMarks(data, 0, 100, { kinds: ["charging"] }),
      Plot.lineY(data.charges, { x: "at", y: "percent", stroke: COLOURS.quiet, strokeWidth: 2 }),
    ],
  });
}
