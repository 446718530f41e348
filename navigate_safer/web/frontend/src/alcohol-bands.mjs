// Episodes with their verdicts, and times of which the readings tell nothing, as patterned bands with
// words: a print without colour, and an eye that sees none, tell them apart all the same.

import * as Plot from "@observablehq/plot";
import { fullTime } from "./london.mjs";
import { COLOURS } from "./plotting.mjs";

const SVG = "http://www.w3.org/2000/svg";
// The band of the episodes takes this share of the height, at the top.
const BAND_SHARE = 0.13;
// Below this share of the axis there is room for a number only; the table has the words.
const ROOM_FOR_WORDS = 0.09;
const BLIND = ["suspect", "lost", "fault", "gap"];

// What is drawn in a tile of 8 by 8, over what ground.
const PATTERNS = {
  confirmed: ["#f4cdc6", "M0 8L8 0M-2 2L2 -2M6 10L10 6", "#942514"],
  review: ["#fff2d3", "M0 2H8M0 6H8", "#6b4f00"],
  not_confirmed: ["#ffffff", "M4 0V8", "#6f777b"],
  undetermined: ["#eeefef", "M0 0L8 8M0 8L8 0", "#484949"],
  suspect: ["#ffffff", "M0 0L8 8M-2 6L2 10M6 -2L10 2", "#b1b4b6"],
  lost: ["#ffffff", "M0 0L8 8M0 8L8 0", "#6f777b"],
  fault: ["#ffffff", "M4 0V8M0 4H8", "#b1b4b6"],
  gap: ["#eeefef", "M2 4H5", "#6f777b"],
  charging: ["#cce2d8", "M0 4H8", "#0f7a52"],
};

const filled = (name) => `url(#ns-alcohol-${name})`;

/** The episodes, along the top of a chart whose axis ends at `top`. */
export function bandMarks({ bands, from, to }, top) {
  const shown = bands.map((band) => clipped(band, from, to)).filter(Boolean);
  const foot = top * (1 - BAND_SHARE);
  return [
    ...shown.map((band) =>
      Plot.rect([band], {
        x1: "from",
        x2: "to",
        y1: foot,
        y2: top,
        fill: filled(band.verdict),
        stroke: COLOURS.text,
      }),
    ),
    ...words(shown, from, to, (foot + top) / 2),
  ];
}

/** Times of which the readings tell nothing, from `least` to `most` of the axis. */
export function stretchMarks(data, least, most, { words: said = true, kinds = BLIND } = {}) {
  const { stretches, from, to } = data;
  const wanted = stretches.filter((each) => kinds.includes(each.kind));
  const shown = wanted.map((each) => clipped(each, from, to)).filter(Boolean);
  return [
    ...shown.map((each) =>
      Plot.rect([each], { x1: "from", x2: "to", y1: least, y2: most, fill: filled(each.kind) }),
    ),
    ...(said ? words(shown, from, to, least + (most - least) * 0.72) : []),
  ];
}

// Each has the number that it has in the table; one with room for them has its words too.
function words(shown, from, to, y) {
  const roomy = (each) => (each.to - each.from) / (to - from) >= ROOM_FOR_WORDS;
  return [
    Plot.text(shown, {
      x: (each) => new Date((+each.from + +each.to) / 2),
      y: () => y,
      text: (each) => (roomy(each) ? `${each.number} ${each.words}` : `${each.number}`),
      lineWidth: 9,
      fontWeight: "bold",
      fill: COLOURS.text,
      stroke: "white",
      strokeWidth: 5,
    }),
  ];
}

function clipped(span, from, to) {
  const [start, end] = [Math.max(span.from, from), Math.min(span.to, to)];
  // Of an episode of one reading there is still something to be seen.
  const least = (to - from) / 150;
  if (end < from || start > to) return null;
  return { ...span, from: new Date(start), to: new Date(Math.max(end, Math.min(start + least, +to))) };
}

/** The bands and stretches in words, for the label of the chart. */
export function stretchesLabel({ bands, stretches }) {
  const told = [...bands, ...stretches].map(
    ({ words: said, from, to }) => ` ${said} from ${fullTime(from)} to ${fullTime(to)}.`,
  );
  return told.join("");
}

/** The drawing with the patterns that its bands are filled with. */
export function withPatterns(svg) {
  const defs = document.createElementNS(SVG, "defs");
  for (const [name, [ground, lines, ink]] of Object.entries(PATTERNS)) {
    const pattern = element("pattern", { id: `ns-alcohol-${name}`, width: 8, height: 8 });
    pattern.setAttribute("patternUnits", "userSpaceOnUse");
    pattern.append(element("rect", { width: 8, height: 8, fill: ground }));
    pattern.append(element("path", { d: lines, stroke: ink, "stroke-width": 1, fill: "none" }));
    defs.append(pattern);
  }
  svg.prepend(defs);
  return svg;
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
