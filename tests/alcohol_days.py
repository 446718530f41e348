"""Series of an alcohol monitor, written as levels; minutes count from the builders' START."""

from builders import at

from alerts.alcohol.series import Sample


def every(step, *levels, first=0, ir_v=None, temp_c=None):
    """A reading each ``step`` minutes."""
    return [Sample(at(first + step * n), level, ir_v, temp_c) for n, level in enumerate(levels)]


# A night's drinking: up within two hours, down within five; rates 0.018 and 0.012 g/dl/h.
DRINKING = (0.0, 0.006, 0.015, 0.024, 0.033, 0.040, 0.045, 0.043, 0.038, 0.033, 0.028, 0.022,
            0.017, 0.011, 0.006, 0.0, 0.0)  # fmt: skip
# Hand sanitiser at the ankle: up in one step, gone in two.
SPILL = (0.0, 0.0, 0.21, 0.06, 0.004, 0.0)
