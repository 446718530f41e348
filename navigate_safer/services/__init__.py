"""Units of work: the only code that commits."""
