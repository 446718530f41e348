"""A real mosquitto with the configuration that is shipped, on loopback, with or without TLS."""

import contextlib
import os
import pwd
import subprocess
from collections.abc import Iterator
from pathlib import Path

from navigate_safer.demo.servers import HOST, Mosquitto
from navigate_safer.deployment import writing

OPENSSL = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
# Directives that say who may come in; everything else of the shipped file stays as it is.
DOOR = (
    "cafile", "certfile", "keyfile", "tls_version", "require_certificate",
    "use_identity_as_username", "allow_anonymous", "acl_file",
)  # fmt: skip


class ShippedMosquitto(Mosquitto):
    """Reads the shipped file. ``certificates`` is a folder of :func:`make_certificates`."""

    def __init__(self, certificates: Path | None = None) -> None:
        self._certificates = certificates
        super().__init__()

    def kill(self) -> None:
        """End it as a power cut would: what it has not written is gone."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def _configuration(self) -> str:
        acl = self._folder / "mosquitto.acl"
        acl.write_text(writing.content("mosquitto.acl"), encoding="utf-8")
        changed = {
            "listener": f"{self.port} {HOST}",
            "persistence_location": f"{self._folder}/",
            "acl_file": str(acl),
        }
        if self._certificates is not None:
            changed |= {
                "cafile": str(self._certificates / "ca.pem"),
                "certfile": str(self._certificates / "broker.pem"),
                "keyfile": str(self._certificates / "broker.key"),
            }
        lines, seen = [], set()
        for line in writing.content("mosquitto.conf").splitlines():
            name = line.partition(" ")[0]
            seen.add(name)
            if self._certificates is None and name in DOOR:
                continue
            lines.append(f"{name} {changed[name]}" if name in changed else line)
        assert seen >= {*DOOR, *changed}, "the shipped file lacks what the test changes"
        if self._certificates is None:
            lines.append("allow_anonymous true")
        # Started by root, mosquitto would change to a user who may not write here.
        lines.append(f"user {pwd.getpwuid(os.getuid()).pw_name}")
        return "\n".join([*lines, ""])


def make_certificates(folder: Path, *names: str) -> None:
    """A certificate authority, ``ca.pem``, and signed by it ``<name>.pem`` with ``<name>.key``."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = ["-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=test ca"]
    _run([*OPENSSL, *authority, "-nodes", "-days", "2"])
    for name in names:
        signed = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-days", "2", "-nodes"]
        files = ["-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"]
        cn = "127.0.0.1" if name == "broker" else name
        extra = ["-subj", f"/CN={cn}", "-addext", "subjectAltName=IP:127.0.0.1"]
        _run([*OPENSSL, *signed, *files, *extra, "-addext", "basicConstraints=CA:FALSE"])


def _run(command: list[object]) -> None:
    done = subprocess.run([str(each) for each in command], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@contextlib.contextmanager
def shipped_broker(certificates: Path | None = None) -> Iterator[ShippedMosquitto]:
    """A broker for the length of a ``with``."""
    broker = ShippedMosquitto(certificates)
    try:
        yield broker
    finally:
        broker.stop()
