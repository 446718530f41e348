"""Where a broker is and how to speak to it."""

import msgspec


class Broker(msgspec.Struct, frozen=True):
    """Where the broker is and how to speak to it. ``protocol`` is auto, 5 or 3.1.1.

    A broker that is silent for twice ``keepalive_s`` is taken for gone.
    """

    host: str
    port: int
    client_id: str
    protocol: str = "auto"
    username: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    keepalive_s: int = 30
