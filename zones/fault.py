"""What is wrong with a zone as it was drawn or written, and where."""


class ZoneFault(ValueError):
    """A zone that cannot be judged against; ``where`` is the place of the fault.

    The message may hold coordinates, because whoever draws the zone must find the fault. Show it
    to that person; never put it in a log.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what
