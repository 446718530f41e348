"""Thresholds of law, science and policy behind the measures, with their sources.

They are versioned together: a report names ``POLICY.version`` beside its figures. An area may set
its own with another instance.
"""

from statistics import NormalDist

import msgspec

CONFIDENCE = 0.95
TAIL = (1 - CONFIDENCE) / 2
# The normal quantile of every 95 % interval that rests on a normal approximation.
Z = NormalDist().inv_cdf(1 - TAIL)
# A year of a rate; leap days are not counted, so that a rate does not depend on the calendar.
DAYS_A_YEAR = 365


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults, each with its source.

    - ``follow_up_months``, ``waiting_months``: an offence within 12 months counts when it is
      proven within 6 months more (Ministry of Justice, proven reoffending statistics).
    - ``dash_high_ticks``, ``dash_medium_ticks``: 14 ticks of the 24 are high, 10 medium (SafeLives
      Dash as Plymouth and Southampton publish it).
    - ``escalation_incidents``: 3 incidents in 12 months are potential escalation, and such a case
      is referred as high risk (SafeLives' referral criteria; some areas use 5 incidents or
      3 crimes, hence a setting).
    - ``marac_repeat_months``: 12 months after the last referral (SafeLives).
    - ``warning_months``: 12 months that begin with the warning (Sentencing Act 2020, Schedule 10,
      paragraph 6).
    - ``hearing_hours``: 48 hours (Domestic Abuse Act 2021, section 29).
    - ``serial_years``, ``serial_victims``, ``serial_incidents``, ``serial_age``: two or more
      victims and more than one incident within 3 years, aged 16 or over (MATAC as the College of
      Policing and Cleveland describe it).
    - ``dispersion_alarm``: 1.5; above it the plain Poisson interval must not stand alone
      (the project's own).
    - ``least_people_with_events``: 30; where people differ, a change of fewer people is not told
      from chance. In simulated cohorts at dispersion 4, each period drawn anew, even the widest of
      the exact, robust and within-person intervals missed the truth in 10 % with 20 to 29 such
      people and in 5 to 7 % with more (the project's own; errors clustered on fewer than 20 to 50
      are known to come out too small: Cameron and Miller, Journal of Human Resources 50, 2015).
    - ``power_wanted``: 80 % is the custom of trials.
    - ``stale_records_days``: 31; records that end longer before the day asked about are said to be
      old (the project's own: extracts come monthly).
    """

    version: str = "2026-11.2"
    follow_up_months: int = 12
    waiting_months: int = 6
    dash_high_ticks: int = 14
    dash_medium_ticks: int = 10
    escalation_incidents: int = 3
    marac_repeat_months: int = 12
    warning_months: int = 12
    hearing_hours: int = 48
    serial_years: int = 3
    serial_victims: int = 2
    serial_incidents: int = 2
    serial_age: int = 16
    dispersion_alarm: float = 1.5
    least_people_with_events: int = 30
    power_wanted: float = 0.8
    stale_records_days: int = 31


POLICY = Policy()
