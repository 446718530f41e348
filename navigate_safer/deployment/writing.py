"""Write the shipped files into a folder, and change nothing that somebody has edited."""

from importlib.resources import files
from pathlib import Path

# Name of each file, and what it is for.
FILES = {
    "mosquitto.conf": "the broker: certificates, and a queue that is kept on disk",
    "mosquitto.acl": "which topics a gateway may write and read",
    "prometheus.yml": "what Prometheus reads, and how often",
    "alert-rules.yml": "when Prometheus tells somebody",
    "grafana-dashboard.json": "the dashboard, to be imported into Grafana",
}


class InTheWay(Exception):
    """Files are there already; the message names them."""


def content(name: str) -> str:
    """The text of one shipped file."""
    return (files("navigate_safer.deployment") / "files" / name).read_text(encoding="utf-8")


def write(folder: Path, *, force: bool = False) -> list[Path]:
    """Write every file; all or none. Raises :class:`InTheWay` unless forced, and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in FILES}
    there = [name for name, path in paths.items() if path.exists()]
    if there and not force:
        raise InTheWay(", ".join(there))
    for name, path in paths.items():
        path.write_text(content(name), encoding="utf-8")
    return list(paths.values())
