"""Values as people read them: times in London, kinds in words."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Flask

from navigate_safer.people.days import day_of, end_of, span
from navigate_safer.web import auth
from zones.schedule import WEEK as SEVEN

LONDON = ZoneInfo("Europe/London")

KINDS = {
    "exclusion_breach": "Inside an exclusion zone",
    "curfew_breach": "Away from the curfew address",
    "restriction_breach": "Outside the restriction zone",
    "distance_breach": "Too near a protected person",
    "alcohol_threshold": "Alcohol measured above the limit",
    "alcohol_confirmed": "Drinking confirmed by the rule",
    "strap_tamper": "Strap or case tampered with",
    "contact_suspect": "Alcohol monitor may be covered or off",
    "contact_lost": "Alcohol monitor covered or taken off",
    "sensor_fault": "Alcohol monitor faulty",
    "base_station_moved": "Base station moved",
    "not_charged": "Tag not charged",
    "upload_missed": "Alcohol monitor not heard for two days",
    "curfew_event": "The tag itself reports an absence from curfew",
    "zone_event": "The tag itself reports an exclusion zone",
    "battery_event": "The tag itself reports a low battery",
    "battery_low": "Battery low",
    "battery_critical": "Battery nearly empty",
    "silence": "Device is silent",
    "position_unknown": "No position that can tell",
    "protected_silence": "A protected person's device is silent",
    "early_warning_1": "Near the edge of a zone",
    "early_warning_2": "Nearing a zone, second ring",
    "early_warning_3": "Nearing a zone, outer ring",
    "compound": "Alcohol, and near a zone or a session missed",
    "excused_stay": "Stay that was allowed",
    "exclusion_approach": "Coming near an exclusion zone",
}
CONDITIONS = {
    "exclusion_zone": "Exclusion zone",
    "curfew": "Curfew",
    "restriction_zone": "Restriction zone",
    "distance": "Keep away from a person",
    "alcohol_abstinence": "No alcohol",
    "alcohol_level": "Alcohol limit",
    "tag_care": "Wear and charge the tag",
}
# Of a drinking episode; none of them says that somebody was sober.
VERDICTS = {
    "confirmed": "Drinking confirmed",
    "review": "For review",
    "not_confirmed": "Not confirmed",
    "undetermined": "Cannot be told",
}
# Of the alcohol monitor.
STRETCHES = {
    "suspect": "Perhaps covered or off",
    "lost": "Covered or taken off",
    "fault": "Sensor faulty",
    "gap": "No readings",
    "charging": "On charge",
}
# Of a whole day under a condition about alcohol.
DAY_STATES = {
    "compliant": "kept",
    "breach": "in breach",
    "review": "for review",
    "unknown": "unknown",
}
MOVES = {
    "opened": "Alert opened",
    "told": "Officer told",
    "not_told": "Officer not reached",
    "nobody_to_tell": "Nobody to tell",
    "tell_failed": "Could not be told",
    "silenced": "Not told under a silence",
    "grouped": "Told as part of its gateway's failure",
    "considered": "Other causes considered",
    "joined": "Told as part of a case alert",
    "parted": "Told by itself again",
    "no_longer_held": "No longer held back",
    "worse": "Has become worse",
    "step": "Step done",
    "step_undone": "Step taken back",
    "acknowledge": "Acknowledged",
    "expire": "Acknowledgement expired",
    "note": "Note",
    "resolve": "Resolved",
    "reopen": "Reopened",
    "end": "Condition kept again",
    "amend": "Amended",
    "withdraw": "Withdrawn",
}
# Why a wearer was told, or was not.
WEARER_VERDICTS = {
    "told": "Told",
    "too_late": "Not told: too late to be of use",
    "excused": "Not told: an officer had allowed it",
    "silenced": "Not told: under a silence",
    "quiet_hours": "Not told: in the quiet hours",
    "told_lately": "Not told: told of the same within half an hour",
    "most_a_day": "Not told: the most of a day had been reached",
    "stopped": "Not told: the wearer has replied STOP",
    "no_way": "Not told: no verified number, and no other way",
}
WEEK = tuple(day.value for day in SEVEN)
SOURCES = {1: "GPS", 4: "RF beacon", 5: "mobile network", 6: "WiFi"}


def install(app: Flask) -> None:
    """Make the filters and what every page shows."""
    app.jinja_env.filters.update(
        moment=moment,
        clock_time=clock_time,
        day=day,
        when=when,
        due_at=due_at,
        london_day=day_of,
        iso=lambda at: at.isoformat() if at else "",
        ago=ago,
        wall_ago=wall_ago,
        span=span,
        seconds=seconds,
        hours=hours,
        absence_code=lambda code: f"{code.value} {code.words}",
        kind=lambda value: KINDS.get(value, in_words(value)),
        condition=lambda value: CONDITIONS.get(value, in_words(value)),
        verdict=lambda value: VERDICTS[value],
        stretch=lambda value: STRETCHES[value],
        wearer_verdict=lambda value: WEARER_VERDICTS[value],
        day_state=lambda value: DAY_STATES[value],
        move=lambda value: MOVES.get(value, in_words(value)),
        source=lambda value: SOURCES.get(value, "unknown"),
        in_words=in_words,
        days=days,
    )


def seconds(value: float) -> str:
    """A delay: 0.3 s, 45 s, 12 min, 5 hours, 17 days."""
    if value < 0:
        return "sent by a clock that is ahead"
    if value < 10:
        return f"{value:.1f} s"
    if value >= 7_200:
        return span(timedelta(seconds=value))
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def in_words(value: str) -> str:
    """An identifier as words: community_order -> Community order."""
    return value.replace("_", " ").capitalize()


def days(names: list[str]) -> str:
    """Days of a schedule: every day, Mon to Fri, or Thu, Fri, Sat."""
    places = sorted(WEEK.index(name) for name in names if name in WEEK)
    if not places:
        return "Bank holidays"
    if len(places) < len(names):
        return f"{days([WEEK[place] for place in places])} and bank holidays"
    if len(places) == len(WEEK):
        return "Every day"
    if len(places) > 2 and places[-1] - places[0] == len(places) - 1:
        return f"{WEEK[places[0]]} to {WEEK[places[-1]]}".title().replace(" To ", " to ")
    return ", ".join(WEEK[place].title() for place in places)


def moment(at: datetime | None) -> str:
    """Date and time in London, to the second: 22 November 2026, 14:03:05."""
    if at is None:
        return "never"
    local = at.astimezone(LONDON)
    return f"{local.day} {local:%B %Y, %H:%M:%S}"


def clock_time(at: datetime | None) -> str:
    """Time of day in London, with the day when it is not today."""
    if at is None:
        return "never"
    local, today = at.astimezone(LONDON), auth.now().astimezone(LONDON).date()
    return f"{local:%H:%M:%S}" if local.date() == today else f"{local.day} {local:%b %H:%M:%S}"


def when(at: datetime) -> str:
    """A meeting's day and time in London: Thu 26 Nov 2026, 18:30."""
    local = at.astimezone(LONDON)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def day(at: date | datetime | None) -> str:
    """A day in London: 22 November 2026."""
    if at is None:
        return "no date"
    local = at.astimezone(LONDON).date() if isinstance(at, datetime) else at
    return f"{local.day} {local:%B %Y}"


def due_at(at: datetime) -> str:
    """When something is due: the day alone where it is due by the end of it."""
    whole_day = at == end_of(day_of(at))
    return day(at) if whole_day else clock_time(at)


def ago(at: datetime | None) -> str:
    """How long ago, in words."""
    return "never" if at is None else f"{span(auth.now() - at)} ago"


def wall_ago(at: datetime | None) -> str:
    """How long ago in real time, for signs of life of processes."""
    return "never" if at is None else f"{span(auth.service().wall_clock() - at)} ago"


def hours(length: timedelta) -> str:
    """A duration as hours and minutes: 0 min, 45 min, 7 h 05."""
    minutes = round(length.total_seconds() / 60)
    if minutes == 0 and length:
        return "under 1 min"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d}"
