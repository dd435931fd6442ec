# SPDX-License-Identifier: Apache-2.0
"""HTTP requests that stay on HTTP and end: checked redirects, and a watchdog against servers that hardly send."""

import http.client
import socket
import string
import threading
import urllib.request
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import MOST_REDIRECTS, SLOWEST_DOWNLOAD

TIMEOUT = 30.0  # seconds without a byte


def address_problem(url: str) -> str:
    """Why a text is no address of a file on the web, or ''."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return "holds spaces or letters beyond ASCII: write them as %20 and the like"
    try:
        parts = urlsplit(url)
        usable = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        return "has no valid host and port"
    if parts.scheme not in ("http", "https"):
        return "is not http(s)"
    if parts.username is not None:
        return "holds a user name, which is not supported"
    if not usable or any(not 0 < len(label) < 64 for label in parts.hostname.rstrip(".").split(".")):
        return "has no valid host and port"
    return ""


class Watchdog:
    """Ends a connection over which less than SLOWEST_DOWNLOAD comes in a `period` [s]; as a context manager.

    received: the bytes so far, set by the reader. has_ended: whether the connection was ended.
    """

    def __init__(self, period: float):
        self.received = 0
        self.has_ended = False
        self._period = period
        self._sockets: list[socket.socket] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="download watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()

    def watch(self, connected: socket.socket) -> None:
        """Watch a connection instead of those before."""
        self._sockets.append(connected)

    def _watch(self) -> None:
        before = 0
        while not self._stop.wait(self._period):
            if self._sockets and self.received - before < SLOWEST_DOWNLOAD * self._period:
                self.has_ended = True
                for connected in self._sockets:
                    # Of the plain socket: that of TLS would change the object that the reader uses.
                    with suppress(OSError):
                        socket.socket.shutdown(connected, socket.SHUT_RDWR)
            before = self.received


def open_url(url: str, headers: dict[str, str], watchdog: Watchdog) -> http.client.HTTPResponse:
    """Send a GET request, through the proxies that the environment names.

    Raises urllib's and the socket's errors, and DownloadError for a redirect that leaves http(s), leads from https to
    http, or is one too many.
    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(url, headers),
        _Http(watchdog),
        _Https(watchdog),
    ):
        opener.add_handler(handler)
    return opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)


class _Redirects(urllib.request.BaseHandler):
    """Follows redirects within http(s), with the headers of the first request only."""

    def __init__(self, url: str, headers: dict[str, str]):
        self._url, self._headers = url, headers
        self._count = 0

    def http_error_302(self, request: Any, answer: Any, code: int, reason: str, headers: Any) -> Any:
        answer.close()
        place = headers.get("Location")
        if not place:
            raise DownloadError(f"{self._url}: HTTP {code} without an address to go to")
        try:
            # Servers send addresses with spaces and letters that have to be quoted.
            target = urljoin(request.full_url, quote(place, encoding="iso-8859-1", safe=string.punctuation))
        except ValueError:
            target = ""
        if problem := address_problem(target):
            raise DownloadError(f"{self._url}: redirects to {shown(target or place)!r}, which {problem}: refused")
        if request.type == "https" and urlsplit(target).scheme == "http":
            raise DownloadError(f"{self._url}: redirects from https to {shown(target)!r}: refused")
        self._count += 1
        if self._count > MOST_REDIRECTS:
            raise DownloadError(f"{self._url}: redirects more than {MOST_REDIRECTS} times: refused")
        following = urllib.request.Request(target, headers=self._headers)
        return self.parent.open(following, timeout=request.timeout)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _watched(kind: Any, watchdog: Watchdog) -> Any:
    class Connection(kind):
        def connect(self) -> None:
            super().connect()
            watchdog.watch(self.sock)

    return Connection


class _Http(urllib.request.HTTPHandler):
    def __init__(self, watchdog: Watchdog):
        super().__init__()
        self._connection = _watched(http.client.HTTPConnection, watchdog)

    def http_open(self, request: Any) -> Any:
        return self.do_open(self._connection, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, watchdog: Watchdog):
        super().__init__()
        self._connection = _watched(http.client.HTTPSConnection, watchdog)

    def https_open(self, request: Any) -> Any:
        return self.do_open(self._connection, request)
