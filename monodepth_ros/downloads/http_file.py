# SPDX-License-Identifier: Apache-2.0
"""Files from the web: interrupted downloads resume, and a file appears only when it is complete and checked."""

import errno
import hashlib
import http.client
import os
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.version import __version__

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 4  # per call; an attempt that receives nothing is the last


class DownloadError(MonodepthError):
    """A failed download: no network, no such file, an interruption, no space, or a wrong hash or size."""


def download(
    url: str,
    path: Path,
    hash_name: str = "",
    digest: str = "",
    size: int = 0,
    max_size: int = 1 << 32,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Download a file to `path`; returns its hash (hash_name, or sha256).

    size: the exact number of bytes, 0 if unknown. progress: called with the received and the total number of bytes (0
    if unknown). An incomplete file has the suffix `.part`, and another call resumes it (HTTP Range) if the server's
    file has not changed. Raises DownloadError, in one line; a file with another hash or size is removed.
    """
    part = path.with_name(path.name + ".part")
    tag = path.with_name(path.name + ".part.tag")
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(ATTEMPTS):
            before = _size(part)
            try:
                _receive(url, part, tag, size or max_size, progress)
                break
            except (http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError) as error:
                received = _size(part)
                if attempt == ATTEMPTS - 1 or received <= before:
                    raise DownloadError(
                        f"{url}: interrupted after {received} bytes ({one_line(error)}); "
                        "run the same command again to resume"
                    ) from None
        found = _hash(part, hash_name or "sha256")
        received = _size(part)
        if (digest and found != digest) or (size and received != size):
            part.unlink()
            expected = f"{hash_name} {digest}" if digest and found != digest else f"{size} bytes"
            actual = found if digest and found != digest else f"{received} bytes"
            raise DownloadError(
                f"{url}: refused and removed, because it is not the file in the catalogue: "
                f"expected {expected}, found {actual}"
            )
        os.replace(part, path)
    except OSError as error:
        raise DownloadError(
            f"{part}: cannot be written ({one_line(error)}); free some space or set XDG_CACHE_HOME"
        ) from None
    finally:
        if not part.exists():
            with suppress(OSError):
                tag.unlink()
    return found


def _receive(url: str, part: Path, tag: Path, limit: int, progress: Callable[[int, int], None]) -> None:
    """Append to `part` with one request, or restart it if the server's file has changed."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": f"monodepth_ros/{__version__}"})
    validator = tag.read_text(encoding="utf-8") if have and tag.exists() else ""
    if validator:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", validator)
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and error.headers.get("Content-Range", "").endswith(f"/{have}"):
            return  # the part is complete
        hint = "there is no such file" if error.code in (404, 410) else "the server refuses it"
        raise DownloadError(f"{url}: HTTP {error.code} {error.reason}: {hint}") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, (ConnectionResetError, TimeoutError)) and have:
            raise error.reason from None
        reason = error.reason if isinstance(error.reason, BaseException) else error
        raise DownloadError(f"{url}: no connection ({one_line(reason)}); is this machine online?") from None
    with response:
        resumed = response.status == 206
        if resumed and _range_start(response) != have:
            part.unlink()
            raise DownloadError(f"{url}: the server sent another part than requested; run the command again")
        have = have if resumed else 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else 0
        _check_size(url, total, limit)
        free = shutil.disk_usage(part.parent).free
        if total - have > free:
            raise OSError(errno.ENOSPC, f"{(total - have) / 1e6:.0f} MB are missing, {free / 1e6:.0f} MB are free")
        # Only a file with a strong tag is resumed, because a weak tag does not identify its exact content.
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        tag.write_text("" if validator.startswith("W/") else validator, encoding="utf-8")
        with open(part, "ab" if resumed else "wb") as file:
            progress(have, total)
            while chunk := response.read1(CHUNK):
                file.write(chunk)
                have += len(chunk)
                _check_size(url, have, limit)
                progress(have, total)
        if total and have < total:
            raise http.client.IncompleteRead(b"", total - have)


def _check_size(url: str, size: int, limit: int) -> None:
    if size > limit:
        raise DownloadError(f"{url}: {size} bytes, but at most {limit} were expected: not downloaded")


def _range_start(response: http.client.HTTPResponse) -> int:
    """First byte of a partial answer ("bytes 100-199/200"); -1 if the answer does not state it."""
    start = response.headers.get("Content-Range", "").removeprefix("bytes").strip().partition("-")[0]
    return int(start) if start.isdigit() else -1


def _hash(path: Path, name: str) -> str:
    digest = hashlib.new(name, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
