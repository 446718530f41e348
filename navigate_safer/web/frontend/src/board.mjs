// A board that keeps itself up to date: fetches its own HTML every few seconds.
//
// <div data-refresh-src="/alerts/board" data-refresh-s="5">…</div>
// Each open alert inside carries data-alert-id; new ones are announced, and the number of open
// ones stands before the page's title. A board that cannot be trusted to be current says so.

import { clockTime } from "./london.mjs";

const FETCH_LIMIT_MS = 10_000;
// Two missed turns and a little are a fault; one late answer is not.
const STALE_AFTER_TURNS = 2.5;
const CHECK_EVERY_MS = 1_000;
const EDITABLE = "input:not([type=checkbox]):not([type=radio]), select, textarea";

class SignedOut extends Error {}

/**
 * Starts the refresh of one element; its interval is data-refresh-s seconds.
 * onReplaced is called with the element each time its content is new.
 */
export function startBoard(element, onReplaced) {
  new Board(element, onReplaced).start();
}

class Board {
  constructor(element, onReplaced) {
    this.element = element;
    this.onReplaced = onReplaced;
    this.source = element.dataset.refreshSrc;
    this.everyMs = Number(element.dataset.refreshS) * 1000;
    this.pageTitle = document.title;
    this.served = null;
    this.alertIds = idsIn(element);
    this.currentAt = Date.now();
    this.paused = false;
    this.signedOut = false;
    this.failed = false;
    this.busy = false;
  }

  start() {
    if (!(this.everyMs > 0)) {
      throw new Error(`data-refresh-s must be a number of seconds above 0 on ${this.source}.`);
    }
    this.addControls();
    this.showTitle();
    this.showState();
    this.nextAt = Date.now() + this.everyMs;
    setInterval(() => this.tick(), CHECK_EVERY_MS);
    document.addEventListener("visibilitychange", () => {
      // Browsers slow the timers of hidden pages; whoever comes back must see the present.
      if (!document.hidden) this.refresh();
    });
  }

  addControls() {
    this.bar = make("div", "ns-board__bar");
    this.status = make("p", "govuk-body-s ns-board__status");
    this.button = make("button", "govuk-button govuk-button--secondary ns-board__button");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.togglePause());
    this.warning = make("div", "ns-board__warning");
    this.warning.setAttribute("role", "alert");
    this.news = make("div", "govuk-visually-hidden");
    this.news.setAttribute("aria-live", "polite");
    this.bar.append(this.status, this.button);
    this.element.before(this.bar, this.warning, this.news);
    if (!this.element.hasAttribute("tabindex")) this.element.tabIndex = -1;
  }

  tick() {
    if (!this.paused && !this.signedOut && Date.now() >= this.nextAt) this.refresh();
    this.showState();
  }

  togglePause() {
    this.paused = !this.paused;
    if (!this.paused) this.refresh();
    this.showState();
  }

  async refresh() {
    if (this.busy || this.paused || this.signedOut) return;
    this.busy = true;
    this.nextAt = Date.now() + this.everyMs;
    try {
      const text = await fetchFragment(this.source);
      this.failed = false;
      this.currentAt = Date.now();
      if (!this.paused) this.accept(text);
    } catch (error) {
      this.failed = true;
      this.signedOut = error instanceof SignedOut;
    } finally {
      this.busy = false;
      this.showState();
    }
  }

  accept(text) {
    if (text === this.served) return;
    const focused = this.focusedInside();
    // Whoever is typing in the board keeps what was typed; the next turn tries again.
    if (focused?.matches(EDITABLE)) return;
    this.served = text;
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    if (normal(fresh.innerHTML) !== normal(this.element.innerHTML)) {
      const key = focused && focusKey(focused);
      this.element.replaceChildren(...fresh.childNodes);
      this.onReplaced(this.element);
      if (key) this.restoreFocus(key);
    }
    this.announce();
  }

  focusedInside() {
    const active = document.activeElement;
    return active !== this.element && this.element.contains(active) ? active : null;
  }

  restoreFocus(key) {
    const candidates = this.element.querySelectorAll("a[href], button, input, summary, [tabindex]");
    const same = [...candidates].find((candidate) => focusKey(candidate) === key);
    (same ?? this.element).focus({ preventScroll: true });
  }

  announce() {
    const ids = idsIn(this.element);
    const added = [...ids].filter((id) => !this.alertIds.has(id)).length;
    this.alertIds = ids;
    this.showTitle();
    if (added > 0) {
      const noun = added === 1 ? "new alert" : "new alerts";
      this.news.textContent = `${added} ${noun}. ${ids.size} open.`;
    }
  }

  showTitle() {
    const open = this.alertIds.size;
    document.title = open > 0 ? `(${open}) ${this.pageTitle}` : this.pageTitle;
  }

  showState() {
    const at = clockTime(this.currentAt);
    setText(this.button, this.paused ? "Resume updates" : "Pause updates");
    this.button.hidden = this.signedOut;
    const state = this.paused ? `Updates paused at ${at}.` : `Updated at ${at}.`;
    setText(this.status, state);
    this.warn(this.warningText(at));
  }

  warningText(at) {
    if (this.signedOut) return `You are signed out. Not updated since ${at}.`;
    if (this.paused) return "New alerts do not appear here while updates are paused.";
    const stale = Date.now() - this.currentAt > this.everyMs * STALE_AFTER_TURNS + CHECK_EVERY_MS;
    return this.failed || stale ? `Not updated since ${at}. New alerts may be missing.` : "";
  }

  warn(text) {
    // A screen reader speaks each change of an alert, so an unchanged text is left alone.
    if (this.warning.textContent === text) return;
    this.warning.replaceChildren();
    if (text) this.warning.append(make("p", "govuk-body govuk-!-font-weight-bold", text));
    this.element.classList.toggle("ns-board--stale", text !== "");
  }
}

async function fetchFragment(source) {
  const response = await fetch(source, {
    headers: { Accept: "text/html", "X-Background-Refresh": "1" },
    cache: "no-store",
    // A redirect is the way to the sign-in page, which must not be drawn into the board.
    redirect: "manual",
    signal: AbortSignal.timeout(FETCH_LIMIT_MS),
  });
  if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) {
    throw new SignedOut();
  }
  if (!response.ok) throw new Error(`The board answered ${response.status}.`);
  return response.text();
}

function idsIn(element) {
  return new Set([...element.querySelectorAll("[data-alert-id]")].map((e) => e.dataset.alertId));
}

function focusKey(element) {
  const own = element.id || element.getAttribute("href") || element.getAttribute("name") || "";
  const row = element.closest("[data-alert-id]")?.dataset.alertId ?? "";
  return [element.tagName, own, row, normal(element.textContent)].join("|");
}

const normal = (text) => text.replace(/\s+/g, " ").trim();

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(tag, className, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
