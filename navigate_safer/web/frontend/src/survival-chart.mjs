// Share of people without an event, by days at risk, with its interval and how many are watched.

import * as Plot from "@observablehq/plot";
import { COLOURS, TEXT_SIZE } from "./plotting.mjs";

const HEIGHT = 300;
const FULL = 100;
const WATCHED_EVERY_PX = 90;
const BAND = "#b8d4ec";

/** One SVG element in a list, for a width in pixels. */
export function drawSurvival(data, width) {
  const points = data.readings;
  const last = points.at(-1).day;
  const svg = Plot.plot({
    width,
    height: HEIGHT,
    className: "ns-plot",
    marginLeft: 56,
    marginRight: 24,
    marginTop: 28,
    marginBottom: 64,
    style: { fontFamily: "inherit", fontSize: `${TEXT_SIZE}px`, color: COLOURS.text },
    x: { domain: [0, last], label: null, ticks: watchedDays(last, width), tickFormat: watchedText(points) },
    y: { domain: [0, FULL], label: "Without one (%)", labelArrow: "none", grid: true, ticks: 5 },
    marks: [
      Plot.areaY(
        points.filter((point) => point.low != null),
        {
          x: "day",
          y1: (point) => FULL * point.low,
          y2: (point) => FULL * point.high,
          curve: "step-after",
          fill: BAND,
        },
      ),
      Plot.lineY(points, {
        x: "day",
        y: (point) => FULL * point.share,
        curve: "step-after",
        stroke: COLOURS.line,
        strokeWidth: 2,
      }),
      Plot.ruleY([0]),
    ],
  });
  svg.setAttribute("role", "img");
  svg.querySelector("style")?.remove();
  for (const part of svg.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  svg.setAttribute("aria-label", label(data.title, points));
  return [svg];
}

function watchedDays(last, width) {
  const room = Math.max(2, Math.floor(width / WATCHED_EVERY_PX));
  const step = [30, 60, 90, 180, 360].find((days) => last / days <= room) ?? 360;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, number) => number * step);
}

/** The day, and below it how many were still watched. */
const watchedText = (points) => (day) => {
  const next = points.find((point) => point.day >= day);
  return `${day} days\n${next ? next.at_risk : 0} people`;
};

function label(title, points) {
  const end = points.at(-1);
  return (
    `${title}: falls from 100 % of ${points[0].at_risk} people to ` +
    `${(FULL * end.share).toFixed(0)} % after ${Math.round(end.day)} days at risk, when ` +
    `${end.at_risk} are still watched.`
  );
}
