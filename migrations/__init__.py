"""Alembic migrations; part of the wheel, run by ``navigate-safer migrate``."""
