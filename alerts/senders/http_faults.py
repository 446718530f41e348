"""What it means for a message when an HTTP call to a provider has no answer."""

from collections.abc import Iterator
from ssl import SSLCertVerificationError

import requests
from urllib3.exceptions import NewConnectionError

from alerts.delivery import Fault

_NEVER_CONNECTED = (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)
_WRONG_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)


def unanswered(problem: Exception) -> Fault:
    """Whether the provider can have taken it, by how the way there failed."""
    if isinstance(problem, _NEVER_CONNECTED):
        return Fault.NOT_SENT
    causes = list(_causes(problem))
    # A certificate is refused before anything is sent; so it will be for the next text.
    if any(isinstance(cause, (*_WRONG_ADDRESS, SSLCertVerificationError)) for cause in causes):
        return Fault.PROVIDER_UNUSABLE
    if any(isinstance(cause, NewConnectionError) for cause in causes):
        return Fault.NOT_SENT
    # Everything else may have happened after the request left: a read time-out while the body
    # of the answer arrives is a plain ConnectionError, just as a cut connection is.
    return Fault.AMBIGUOUS


def _causes(problem: object) -> Iterator[BaseException]:
    # requests keeps urllib3's error as the first argument, and that one its cause as "reason".
    if isinstance(problem, BaseException):
        yield problem
        for inner in (*problem.args, getattr(problem, "reason", None)):
            yield from _causes(inner)
