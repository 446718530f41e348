// Times as people in the courts read them: London wall time, whatever the browser's zone.

export const TIME_ZONE = "Europe/London";

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: TIME_ZONE,
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const minutes = new Intl.DateTimeFormat("en-GB", {
  timeZone: TIME_ZONE,
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const day = new Intl.DateTimeFormat("en-GB", {
  timeZone: TIME_ZONE,
  day: "numeric",
  month: "long",
  year: "numeric",
});
const shortDay = new Intl.DateTimeFormat("en-GB", {
  timeZone: TIME_ZONE,
  day: "numeric",
  month: "short",
});

/** HH:MM:SS in London. */
export const clockTime = (at) => clock.format(at);

/** HH:MM in London. */
export const hourAndMinute = (at) => minutes.format(at);

/** Such as 21 Nov. */
export const dayAndMonth = (at) => shortDay.format(at);

/** Such as 21 November 2026, 22:40:05. */
export const fullTime = (at) => `${day.format(at)}, ${clock.format(at)}`;

/** Minutes since midnight on the London clock. */
export function minuteOfDay(at) {
  const [hour, minute] = minutes.format(at).split(":").map(Number);
  return hour * 60 + minute;
}
