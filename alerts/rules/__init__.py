"""Judgement, one file a kind of condition: ``step(state, reading, terms) -> (state, findings)``."""
