"""Re-offending and outcomes, measured honestly: pure functions from counts and dates to figures.

One module a measure. A figure that cannot be estimated is ``None`` with a reason in words, never a
zero, an infinity or an error. Intervals are at 95 %. What cannot be true (negative days, more
custody than days) is refused with :class:`~navigate_safer.outcomes.refusal.BadOutcomeInput`.
Imports no framework and asks no clock; scipy and numpy are loaded by the modules that need them.
"""
