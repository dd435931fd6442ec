# SPDX-License-Identifier: Apache-2.0
"""Files from the web: interrupted downloads resume, and a file appears only when it is complete and checked."""

import errno
import hashlib
import http.client
import re
import shutil
import urllib.error
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from monodepth_ros.downloads.connection import Watchdog, address_problem, open_url
from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.downloads.part_file import PartFile, Version, strong
from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import LARGEST_DOWNLOAD, SLOWEST_DOWNLOAD, STALL
from monodepth_ros.version import __version__

CHUNK = 1 << 18
ATTEMPTS = 4  # per call; an attempt that receives nothing is the last
ENCODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}  # with zlib's window

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Expected:
    """What is known of a file. hash_name, digest: empty if unknown. size: exact [bytes], 0 if unknown. largest: more is
    refused. check: called with the complete file; raises DownloadError, with the reason alone, for a wrong one."""

    hash_name: str = ""
    digest: str = ""
    size: int = 0
    largest: int = LARGEST_DOWNLOAD
    check: Callable[[Path], None] = lambda path: None


class _Interrupted(Exception):
    """The connection ended early; another attempt may resume."""


class _Changed(Exception):
    """The part does not belong to the server's file; the next attempt begins anew."""


def download(
    url: str, path: Path, expected: Expected = Expected(), progress: Progress = lambda done, total: None
) -> str:
    """Download a file to `path`; returns its hash (expected.hash_name, or sha256).

    progress: called with the received and the total number of bytes (0 if unknown). An incomplete file has the suffix
    `.part`, and another call resumes it (HTTP Range) if the server's file has not changed. Raises DownloadError, in one
    line; a file that is not as expected is removed.
    """
    if problem := address_problem(url):
        raise DownloadError(f"{shown(url)!r} {problem}")
    try:
        with PartFile(path) as part:
            _receive_all(url, part, expected, progress)
            try:
                found = _check(url, part, expected)
            except DownloadError:
                part.remove()
                raise
            part.finish(path)
    except OSError as error:
        raise DownloadError(
            f"{path}.part: cannot be written ({one_line(error)}); free some space or set XDG_CACHE_HOME"
        ) from None
    return found


def _receive_all(url: str, part: PartFile, expected: Expected, progress: Progress) -> None:
    """Receive the file in as many attempts as it takes."""
    changes = 0
    for attempt in range(ATTEMPTS):
        before = part.size
        try:
            with Watchdog(STALL) as watchdog:
                _receive(url, part, expected, progress, watchdog)
            return
        except _Changed as error:
            part.restart()
            changes += 1
            if changes > 1:
                raise DownloadError(f"{url}: {error}; run the same command again") from None
        except _Interrupted as error:
            received = part.size
            again = f"after {received} bytes; run the same command again to resume"
            if watchdog.has_ended:
                raise DownloadError(
                    f"{url}: the server sends less than {SLOWEST_DOWNLOAD:.0f} bytes/s for {STALL:.0f} s: ended {again}"
                ) from None
            if attempt == ATTEMPTS - 1 or received <= before:
                raise DownloadError(f"{url}: interrupted ({one_line(error)}) {again}") from None
    raise DownloadError(f"{url}: not complete in {ATTEMPTS} attempts; run the same command again to resume")


def _receive(url: str, part: PartFile, expected: Expected, progress: Progress, watchdog: Watchdog) -> None:
    """Append to the part with one request, or restart it if the server's file has changed."""
    have, known = part.size, part.version()
    # Compressed transfers cannot be resumed, and weights do not get smaller.
    headers = {"User-Agent": f"monodepth_ros/{__version__}", "Accept-Encoding": "identity"}
    if have and known.validator:
        headers |= {"Range": f"bytes={have}-", "If-Range": known.validator}
    try:
        response = open_url(url, headers, watchdog)
    except urllib.error.HTTPError as error:
        with closing(error):
            if error.code != 416 or not have:
                raise DownloadError(_refusal(url, error)) from None
            if error.headers.get("Content-Range", "").replace(" ", "") == f"bytes*/{have}":
                return  # the part is complete
            raise _Changed("the server's file has changed") from None
    except urllib.error.URLError as error:
        reason = error.reason if isinstance(error.reason, BaseException) else error
        if have and isinstance(reason, (ConnectionResetError, TimeoutError)):
            raise _Interrupted(one_line(reason)) from None
        raise DownloadError(f"{url}: no connection ({one_line(reason)}); is this machine online?") from None
    except (http.client.HTTPException, OSError) as error:
        raise _Interrupted(one_line(error)) from None
    except DownloadError:
        raise
    except ValueError as error:  # such as a host name that has no form for the network
        raise DownloadError(f"{url}: not a usable address ({one_line(error)})") from None
    with response:
        body = _Body(url, response, have if "Range" in headers else 0)
        if body.start and known.validator and body.version.validator not in ("", known.validator):
            raise _Changed("the server's file has changed")
        if body.start and known.total and body.total and body.total != known.total:
            raise _Changed("the server's file has changed")
        limit = expected.size or expected.largest
        _check_size(url, part, body.total, limit)
        free = shutil.disk_usage(part.path.parent).free
        if body.total - body.start > free:
            text = f"{(body.total - body.start) / 1e6:.0f} MB are missing, {free / 1e6:.0f} MB are free"
            raise OSError(errno.ENOSPC, text)
        if not body.start:
            part.restart()
            part.write_version(body.version)
        progress(body.start, body.total)
        have = body.start
        for data in body.chunks(watchdog):
            have += len(data)
            _check_size(url, part, have, limit)
            part.write(data)
            progress(have, body.total)
        if body.total and have < body.total:
            raise _Interrupted(f"{body.total - have} bytes are missing")


class _Body:
    """The body of an answer. start: where it belongs in the file; total: bytes of the whole file, 0 if unknown."""

    def __init__(self, url: str, response: http.client.HTTPResponse, asked: int):
        headers = response.headers
        kind = headers.get_content_type()
        if kind in ("text/html", "application/xhtml+xml"):
            raise DownloadError(f"{url}: answers with a web page ({kind}), not with a file: does it ask for a login?")
        self._response = response
        self._encoding = headers.get("Content-Encoding", "").strip().lower()
        if self._encoding in ("", "identity"):
            self._encoding = ""
        elif self._encoding not in ENCODINGS:
            raise DownloadError(f"{url}: comes compressed ({shown(self._encoding, 40)}), which was not asked for")
        length = _number(headers.get("Content-Length", "")) if not response.chunked else 0
        self.start, self.total = 0, length
        if response.status == 206:
            self.start, end, self.total = _content_range(headers.get("Content-Range", ""))
            if self.start != asked or (length and length != end - self.start + 1) or self._encoding:
                raise _Changed("the server sent another part than requested")
        elif response.status != 200:
            raise DownloadError(f"{url}: HTTP {response.status}: expected a file")
        validator = headers.get("ETag") or headers.get("Last-Modified") or ""
        self.version = Version(strong(validator), self.total)
        if self._encoding:
            self._compressed, self.total, self.version = length, 0, Version()

    def chunks(self, watchdog: Watchdog) -> Iterator[bytes]:
        """The content, decompressed. Raises _Interrupted."""
        expand = zlib.decompressobj(ENCODINGS[self._encoding]) if self._encoding else None
        received = 0
        while True:
            try:
                data = self._response.read1(CHUNK)
            except (http.client.HTTPException, OSError, ValueError) as error:
                raise _Interrupted(one_line(error)) from None
            received += len(data)
            watchdog.received += len(data)
            if not data:
                break
            if expand is None:
                yield data
                continue
            try:
                while data and not expand.eof:
                    yield expand.decompress(data, CHUNK)
                    data = expand.unconsumed_tail
            except zlib.error:
                raise _Interrupted(f"its {self._encoding} compression is damaged") from None
        if expand is None:
            return
        yield expand.flush()
        if not expand.eof or expand.unused_data or received < self._compressed:
            raise _Interrupted(f"its {self._encoding} compression ends early")


def _check(url: str, part: PartFile, expected: Expected) -> str:
    """The hash of the complete file. Raises DownloadError if it is not as expected."""
    found = _hash(part.path, expected.hash_name or "sha256")
    if (expected.digest and found != expected.digest) or (expected.size and part.size != expected.size):
        is_wrong = expected.digest and found != expected.digest
        raise DownloadError(
            f"{url}: refused and removed, because it is not the file in the catalogue: expected "
            + (f"{expected.hash_name} {expected.digest}, found {found}" if is_wrong else "")
            + ("" if is_wrong else f"{expected.size} bytes, found {part.size} bytes")
        )
    if not part.size:
        raise DownloadError(f"{url}: refused and removed: the file is empty")
    try:
        expected.check(part.path)
    except DownloadError as error:
        raise DownloadError(f"{url}: refused and removed: {error}") from None
    return found


def _refusal(url: str, error: urllib.error.HTTPError) -> str:
    hints = {
        401: "it asks for a login",
        403: "the server refuses it",
        404: "there is no such file",
        407: "the proxy asks for a login",
        410: "there is no such file",
    }
    hint = hints.get(error.code, "the server refuses it")
    if error.code in (429, 503) or error.code >= 500:
        wait = shown(error.headers.get("Retry-After") or "", 40)
        hint = f"the server cannot send it now; try again {f'in {wait} s' if wait.isdigit() else 'later'}"
    return f"{url}: HTTP {error.code} {shown(error.reason, 80)}: {hint}"


def _check_size(url: str, part: PartFile, size: int, limit: int) -> None:
    if size > limit:
        part.remove()
        raise DownloadError(f"{url}: {size} bytes, but at most {limit} were expected: not downloaded")


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


def _content_range(text: str) -> tuple[int, int, int]:
    """First and last byte and the whole size of a partial answer ("bytes 100-199/200"). Raises _Changed for another."""
    found = re.fullmatch(r"bytes\s+([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)", text.strip())
    if found is None:
        raise _Changed("the server sent a part that it does not name")
    start, end, total = int(found[1]), int(found[2]), _number(found[3])
    if end < start or (total and end >= total):
        raise _Changed("the server sent a part that cannot be")
    return start, end, total


def _hash(path: Path, name: str) -> str:
    digest = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
