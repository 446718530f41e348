"""Rotas as calendars: out and in again, clock changes, repeats, files that make no sense."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from alerts import rota_ical
from alerts.rota import Layer, Rota, duties
from alerts.rota_ical import CalendarFault

NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)
WHO = {1: "Ada Bright", 2: "Cay Dunn"}


def event(**lines: str) -> bytes:
    body = {"UID": "one", "DTSTAMP": "20260301T000000Z", "SUMMARY": "Ada Bright", **lines}
    rows = "\r\n".join(
        f"{name.replace('_', ';TZID=Europe/London') if name.endswith('_') else name}:{text}"
        for name, text in body.items()
    )
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\n"
        f"{rows}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def three_a_day() -> bytes:
    """Three events a day for half a year."""
    begin, rest = b"BEGIN:VEVENT", b"END:VEVENT\r\n"
    one = event(DTSTART="20260327T130000Z", DTEND="20260327T140000Z", RRULE="FREQ=DAILY")
    start, end = one.index(begin), one.index(rest) + len(rest)
    copies = [one[start:end].replace(b"UID:one", b"UID:%d" % n) for n in range(3)]
    return one[:start] + b"".join(copies) + one[end:]


def test_what_goes_out_comes_in_again_over_both_clock_changes():
    layer = Layer(people=(1, 2), starts_on=date(2026, 3, 23), handover=time(9), turn_days=1)
    for start in (NOW, datetime(2026, 10, 23, 12, tzinfo=UTC)):
        found = duties(Rota(layers=(layer,)), start, start + timedelta(days=4))
        text = rota_ical.write("West", "west", found, WHO, start)
        back = rota_ical.read(text.encode(), "Europe/London", start)
        assert [(each.who, each.from_at, each.until_at) for each in back] == [
            (WHO[each.staff_id], each.start, each.end) for each in found
        ]


def test_a_gap_is_an_event_of_its_own():
    layer = Layer(people=(1,), starts_on=date(2026, 3, 30))
    found = duties(Rota(layers=(layer,)), NOW, NOW + timedelta(days=4))
    assert "NOBODY: gap in the rota" in rota_ical.write("West", "west", found, WHO, NOW)


@pytest.mark.parametrize(
    ("day", "hours", "utc"),
    [
        pytest.param("20260328", 13, "21:00", id="the clocks go forward: an hour less"),
        pytest.param("20261024", 15, "20:00", id="the clocks go back: an hour more"),
        pytest.param("20260401", 14, "20:00", id="a night like others"),
    ],
)
def test_local_times_stay_on_the_wall_when_the_clocks_change(day, hours, utc):
    next_day = f"{int(day) + 1}"
    text = event(DTSTART_=f"{day}T210000", DTEND_=f"{next_day}T110000")
    start = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    duty = rota_ical.read(text, "Europe/London", start)[0]
    assert duty.until_at - duty.from_at == timedelta(hours=hours)
    assert f"{duty.from_at:%H:%M}" == utc


def test_a_time_without_a_zone_and_a_whole_day_are_the_rota_s_own():
    floating = event(DTSTART="20260701T090000", DTEND="20260701T170000")
    assert rota_ical.read(floating, "Europe/London", NOW)[0].from_at.hour == 8
    whole = event(**{"DTSTART;VALUE=DATE": "20260329", "DTEND;VALUE=DATE": "20260330"})
    duty = rota_ical.read(whole, "Europe/London", NOW)[0]
    assert duty.until_at - duty.from_at == timedelta(hours=23)


def test_a_repeated_event_is_its_duties_one_by_one_on_the_wall():
    text = event(DTSTART_="20260327T180000", DTEND_="20260328T080000",
                 RRULE="FREQ=WEEKLY;COUNT=3")  # fmt: skip
    found = rota_ical.read(text, "Europe/London", NOW)
    assert [each.from_at.hour for each in found] == [18, 17, 17]
    assert len({each.source for each in found}) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(b"", "not an iCalendar file", id="nothing"),
        pytest.param(b"\xff\xfe\x00", "not an iCalendar file", id="bytes"),
        pytest.param(b"name,from,until\r\n", "not an iCalendar file", id="a table"),
        pytest.param(
            event(DTSTART="20260701T090000Z", DTEND="20260701T090001Z", RRULE="FREQ=SECONDLY"),
            "repeats more than daily",
            id="every second",
        ),
        pytest.param(
            event(DTSTART="20260701T090000Z", DTEND="20260701T090001Z",
                  RRULE="FREQ=DAILY;BYSECOND=1,2,3"),
            "repeats more than daily",
            id="some seconds of every day",
        ),
        pytest.param(three_a_day(), "bring in 500 at most", id="more duties than anybody has"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_be_taken_in_says_why(text, says):
    with pytest.raises(CalendarFault, match=says):
        rota_ical.read(text, "Europe/London", NOW)
