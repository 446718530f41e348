"""Serve the pages with gunicorn: one process, several threads; more processes by its own tools."""

import os

from flask import Flask
from gunicorn.app.base import BaseApplication

from navigate_safer.web import create_app
from navigate_safer.wiring import Service

REQUEST_TIMEOUT_S = 30


class _Server(BaseApplication):
    def __init__(self, app: Flask, bind: str, threads: int) -> None:
        self._app = app
        self._bind, self._threads = bind, threads
        super().__init__()

    def load_config(self) -> None:
        settings = {
            "bind": self._bind,
            "workers": 1,
            "threads": self._threads,
            "worker_class": "gthread",
            "timeout": REQUEST_TIMEOUT_S,
            "graceful_timeout": 5,
            "loglevel": "warning",
            # Behind a proxy on this machine the scheme is the proxy's to say.
            "forwarded_allow_ips": "127.0.0.1",
            "proc_name": "navigate-safer-web",
            "worker_tmp_dir": "/dev/shm" if os.path.isdir("/dev/shm") else None,  # noqa: S108, PTH112
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def main(service: Service, *, threads: int) -> None:
    """Serve until a signal ends it."""
    settings = service.settings
    # Connections must not cross the fork of the server's worker.
    service.close()
    _Server(create_app(service), f"{settings.web_host}:{settings.web_port}", threads).run()
