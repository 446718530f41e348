// The probability of breach at each fix, with the threshold from which an officer is told.

import * as Plot from "@observablehq/plot";
import { fullTime } from "./london.mjs";
import { COLOURS, drawing, highlightMarks, withGaps } from "./plotting.mjs";

const HEIGHT = 260;
const FULL = 100;
const percent = (reading) => (reading.probability == null ? NaN : FULL * reading.probability);

/** One SVG element in a list, for a width in pixels. */
export function drawProbability(data, width) {
  const threshold = FULL * data.threshold;
  const known = data.readings.filter((reading) => reading.probability != null);
  return [
    drawing(width, label(data, known), data, {
      height: HEIGHT,
      y: { domain: [0, FULL], label: "Chance of breach (%)", labelArrow: "none", grid: true, ticks: 5 },
      marks: [
        ...highlightMarks(data.highlight, FULL, data),
        ...thresholdMarks(threshold, data),
        Plot.lineY(withGaps(data.readings, data.gap_s), {
          x: "at",
          y: percent,
          stroke: COLOURS.line,
          strokeWidth: 2,
        }),
        // The shape says it without colour: a square is at or above the threshold, a cross a doubt.
        Plot.dot(known, {
          x: "at",
          y: percent,
          r: 4,
          symbol: (r) => (percent(r) >= threshold ? "square" : "circle"),
          fill: (r) => (percent(r) >= threshold ? COLOURS.limit : COLOURS.line),
        }),
        Plot.dot(known.filter((r) => r.doubts.length > 0), {
          x: "at",
          y: percent,
          r: 8,
          symbol: "times",
          stroke: COLOURS.text,
          strokeWidth: 2,
        }),
        Plot.ruleY([0]),
      ],
    }),
  ];
}

function thresholdMarks(threshold, { to }) {
  return [
    Plot.ruleY([threshold], { stroke: COLOURS.limit, strokeWidth: 2, strokeDasharray: "6 4" }),
    Plot.text([threshold], {
      x: to,
      y: (value) => value,
      text: (value) => `Told from ${Math.round(value)} %`,
      textAnchor: "end",
      dy: -9,
      fill: COLOURS.limit,
      stroke: "white",
      strokeWidth: 4,
    }),
  ];
}

function label({ readings, threshold }, known) {
  const [first, last] = [readings[0], readings.at(-1)];
  const highest = Math.max(0, ...known.map(percent));
  const above = known.filter((reading) => reading.probability >= threshold).length;
  return (
    `Chance of breach from ${fullTime(first.at)} to ${fullTime(last.at)}: highest ` +
    `${highest.toFixed(1)} %, ${above} of ${known.length} fixes at or above the ` +
    `${Math.round(FULL * threshold)} % from which an officer is told.`
  );
}
