"""``python -m navigate_safer`` is the ``navigate-safer`` command."""

from navigate_safer.cli import main

main()
