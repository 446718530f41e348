// Keeps the state of commands to devices up to date: asks for it as JSON, in the page's own words.
//
// <div data-commands-src="/people/W-1/commands.json">, in it elements with data-command (the id)
// and data-live while something is waited for, each with a [data-said]; [data-news] is the
// aria-live region. Ages change at each turn and are not read out; a change of state is.

const LIVE_MS = 2_000;
const SETTLED_MS = 15_000;
const FETCH_LIMIT_MS = 10_000;
const STALE = "The state below is not up to date: the service does not answer.";
const SIGNED_OUT = "You are signed out. The state below is not up to date.";

/** Starts the refresh of one list of commands; nothing happens while the list is empty. */
export function startCommands(element) {
  if (element.querySelector("[data-command]")) new Commands(element).wait();
}

class Commands {
  constructor(element) {
    this.element = element;
    this.news = element.querySelector("[data-news]");
    this.states = new Map();
    this.faults = 0;
  }

  wait() {
    const live = this.element.querySelector("[data-live]") !== null;
    setTimeout(() => this.turn(), live ? LIVE_MS : SETTLED_MS);
  }

  async turn() {
    if (document.hidden) return this.wait();
    try {
      const response = await fetch(this.element.dataset.commandsSrc, {
        headers: { "X-Background-Refresh": "1" },
        cache: "no-store",
        signal: AbortSignal.timeout(FETCH_LIMIT_MS),
      });
      if (response.status === 401 || response.status === 403) return this.say(SIGNED_OUT);
      if (!response.ok) throw new Error(`The commands answered ${response.status}.`);
      for (const each of (await response.json()).commands) this.show(each);
      this.faults = 0;
    } catch {
      this.faults += 1;
      if (this.faults === 2) this.say(STALE);
    }
    this.wait();
  }

  show({ id, state, live, text }) {
    const item = this.element.querySelector(`[data-command="${CSS.escape(id)}"]`);
    if (!item) return;
    const said = item.querySelector("[data-said]");
    if (said.textContent !== text) said.textContent = text;
    item.toggleAttribute("data-live", live);
    const before = this.states.get(id);
    this.states.set(id, state);
    if (before !== undefined && before !== state) this.say(text);
  }

  say(text) {
    this.news.classList.toggle("govuk-visually-hidden", text !== STALE && text !== SIGNED_OUT);
    this.news.textContent = text;
  }
}
