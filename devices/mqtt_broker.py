"""Where a broker is and how to speak to it."""

import msgspec


class Broker(msgspec.Struct, frozen=True):
    """Where the broker is and how to speak to it. ``protocol`` is auto, 5 or 3.1.1."""

    host: str
    port: int
    client_id: str
    protocol: str = "auto"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
