"""Reads the pages as a browser without scripts would: cookies, forms, and every link."""

import re
import urllib.error
import urllib.request
from collections import Counter
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin, urlsplit

from web.world import PASSWORD

PATIENCE_S = 60.0
# Some pages link to themselves as of a moment, or with another filter: that has no end.
OF_ONE_PATH = 4


class Reader:
    """Opens pages as a browser would, with cookies and without scripts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        data = None if form is None else urlencode(form).encode()
        try:
            with self.opener.open(urljoin(self.url, path), data, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as fault:
            with fault:
                return fault.code, ""

    def sign_in(self, account: str) -> None:
        _, page = self.open("/sign-in")
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        form = {"account": account, "password": PASSWORD, "csrf_token": token}
        status, page = self.open("/sign-in", form)
        assert status == 200
        assert "Sign out" in page

    def read_everything(self) -> dict[str, int]:
        """Every address of this site that a page, a style or a map names, and its status."""
        found: dict[str, int] = {}
        opened: Counter[str] = Counter()
        waiting = ["/", "/schema/telemetry/v1.json"]
        while waiting:
            path = waiting.pop()
            bare = urlsplit(path).path
            if path in found or opened[bare] == OF_ONE_PATH:
                continue
            opened[bare] += 1
            found[path], body = self.open(path)
            waiting += [each for each in _named_in(body) if each not in found]
        return found


def _named_in(body: str) -> list[str]:
    named = re.findall(r'(?:href|src|data-[a-z]+-src)="(/[^"#]*)"', body)
    named += re.findall(r"url\((/assets/[^)]+)\)", body)
    named += re.findall(r'"wards": ?"(/[^"]+)"', body)
    return [urlsplit(each).path + _query(each) for each in named]


def _query(address: str) -> str:
    query = urlsplit(address).query
    return f"?{query}" if query else ""
