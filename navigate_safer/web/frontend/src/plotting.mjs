// What the charts share: the time axis, gaps, and a drawing that the content policy allows.

import * as Plot from "@observablehq/plot";
import { dayAndMonth, hourAndMinute, minuteOfDay } from "./london.mjs";

export const COLOURS = {
  line: "#1d70b8",
  text: "#0b0c0c",
  limit: "#ca3535",
  quiet: "#484949",
  band: "#fff7bf",
};
export const TEXT_SIZE = 14;

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const TICK_STEPS_MINUTES = [5, 10, 15, 30, 60, 120, 180, 360, 720];
const PIXELS_PER_TICK = 75;
// A stretch this many times the usual interval holds no reading: the line is broken there.
const GAP_OF_USUAL_INTERVAL = 2.5;

/** Instants where the London clock shows round times, few enough for the width in pixels. */
export function timeTicks(from, to, width) {
  const room = Math.max(2, Math.floor(width / PIXELS_PER_TICK));
  const spanMinutes = (to - from) / MINUTE_MS;
  const step = TICK_STEPS_MINUTES.find((minutes) => spanMinutes / minutes <= room);
  if (step) return roundTimes(from, to, (minute) => minute % step === 0);
  const midnights = roundTimes(from, to, (minute) => minute === 0);
  const every = Math.ceil(spanMinutes / DAY_MINUTES / room);
  return midnights.filter((_, index) => index % every === 0);
}

function roundTimes(from, to, isRound) {
  // Five minutes divide every step and every offset of London from UTC, so none is missed, and
  // the hour that a clock change repeats or skips needs no rule of its own.
  const grain = 5 * MINUTE_MS;
  const ticks = [];
  for (let at = Math.ceil(from / grain) * grain; at <= to; at += grain) {
    if (isRound(minuteOfDay(at))) ticks.push(new Date(at));
  }
  return ticks;
}

/** HH:MM, with the day under the first tick and under each midnight. */
export function tickText(at, index) {
  const needsDay = index === 0 || minuteOfDay(at) === 0;
  return needsDay ? `${hourAndMinute(at)}\n${dayAndMonth(at)}` : hourAndMinute(at);
}

/** The readings with an empty one inside each gap, so that no line bridges it. */
export function withGaps(readings, gapS) {
  const limit = gapS ? gapS * 1000 : usualInterval(readings) * GAP_OF_USUAL_INTERVAL;
  return readings.flatMap((reading, index) => {
    const next = readings[index + 1];
    if (!next || next.at - reading.at <= limit) return [reading];
    return [reading, { at: new Date((+reading.at + +next.at) / 2), gap: true }];
  });
}

function usualInterval(readings) {
  const intervals = readings.slice(1).map((reading, index) => reading.at - readings[index].at);
  intervals.sort((one, other) => one - other);
  return intervals[Math.floor(intervals.length / 2)] ?? Infinity;
}

// From here on, as a share of the drawing, words to the right of the edge would be cut off on a phone.
const LATE_SHARE = 0.5;

/** The shaded time of the alert, and its words; nothing without a highlight.

`span` is from when until when is drawn: late in it the words stand before the edge. */
export function highlightMarks(highlight, top, span) {
  if (!highlight) return [];
  const late = span && highlight.from - span.from > LATE_SHARE * (span.to - span.from);
  return [
    Plot.rectX([highlight], { x1: "from", x2: "to", fill: COLOURS.band, ariaHidden: "true" }),
    Plot.text([highlight], {
      x: "from",
      y: top,
      text: () => "Time of the alert",
      textAnchor: late ? "end" : "start",
      dx: late ? -4 : 4,
      dy: 10,
    }),
  ];
}

/** An SVG with a label; `options` are Observable Plot's. */
export function drawing(width, label, { from, to }, options) {
  const ticks = timeTicks(from, to, width);
  const svg = Plot.plot({
    width,
    className: "ns-plot",
    ariaLabel: label,
    marginLeft: 56,
    marginRight: 24,
    marginTop: 28,
    marginBottom: 44,
    style: { fontFamily: "inherit", fontSize: `${TEXT_SIZE}px`, color: COLOURS.text },
    ...options,
    x: { type: "utc", domain: [from, to], ticks, tickFormat: tickText, label: null },
  });
  svg.setAttribute("role", "img");
  // Plot writes its few rules as a style element, which the content policy forbids; they are in
  // app.css. Taking it out before the drawing joins the page breaks no policy.
  svg.querySelector("style")?.remove();
  // The label of the whole says it all; Plot's labels of its parts ("rule", "dot") say nothing.
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  return svg;
}
