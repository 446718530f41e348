// Draws every <figure class="ns-chart" data-chart-src data-chart-kind="alcohol|battery|probability|survival">.

import { drawAlcohol } from "./alcohol-chart.mjs";
import { drawBattery } from "./battery-chart.mjs";
import { drawProbability } from "./probability-chart.mjs";
import { drawSurvival } from "./survival-chart.mjs";

const KINDS = { alcohol: drawAlcohol, battery: drawBattery, probability: drawProbability, survival: drawSurvival };
const FAILED = "The chart could not be loaded. The table on this page has the same readings.";
const EMPTY = "No readings in this period.";

async function start(figure) {
  const place = document.createElement("div");
  place.className = "ns-chart__drawing";
  figure.prepend(place);
  try {
    const draw = KINDS[figure.dataset.chartKind];
    if (!draw) throw new Error(`No chart is of the kind "${figure.dataset.chartKind}".`);
    const given = await fetchJson(figure.dataset.chartSrc);
    // A curve runs over days at risk and not over the clock.
    const data = figure.dataset.chartKind === "survival" ? given : readings(given);
    if (data.readings.length === 0) return say(place, EMPTY);
    keepDrawn(place, (width) => draw(data, width));
  } catch (error) {
    console.warn("chart:", error.message);
    say(place, FAILED).classList.add("govuk-error-message");
  }
  return null;
}

async function fetchJson(source) {
  const response = await fetch(source, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${source} answered ${response.status}`);
  return response.json();
}

const asDate = (text) => (text ? new Date(text) : null);

const spans = (list) =>
  (list ?? []).map((each) => ({ ...each, from: new Date(each.from), to: new Date(each.to) }));

function readings(data) {
  const dated = (data.readings ?? []).map((reading) => ({ ...reading, at: new Date(reading.at) }));
  dated.sort((one, other) => one.at - other.at);
  return {
    ...data,
    readings: dated,
    from: asDate(data.from) ?? dated[0]?.at,
    to: asDate(data.to) ?? dated.at(-1)?.at,
    bands: spans(data.bands),
    stretches: spans(data.stretches),
    charges: (data.charges ?? []).map((each) => ({ ...each, at: new Date(each.at) })),
    highlight: data.highlight && {
      from: asDate(data.highlight.from),
      to: asDate(data.highlight.to) ?? asDate(data.to) ?? dated.at(-1)?.at,
    },
  };
}

// Drawn again for each new width, so that text keeps its size on a phone.
function keepDrawn(place, draw) {
  let drawnWidth = 0;
  const redraw = () => {
    const width = Math.floor(place.clientWidth);
    if (width === 0 || width === drawnWidth) return;
    drawnWidth = width;
    place.replaceChildren(...draw(width));
  };
  new ResizeObserver(() => requestAnimationFrame(redraw)).observe(place);
  redraw();
}

function say(place, text) {
  const paragraph = document.createElement("p");
  paragraph.className = "govuk-body";
  paragraph.textContent = text;
  place.replaceChildren(paragraph);
  return paragraph;
}

for (const figure of document.querySelectorAll("figure.ns-chart[data-chart-src]")) start(figure);
