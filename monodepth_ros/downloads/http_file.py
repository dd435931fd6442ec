# SPDX-License-Identifier: Apache-2.0
"""Files from the web: resumed where a download was broken off, checked, in place only when they are whole."""

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
ATTEMPTS = 4  # in one call, as long as each gets further


class DownloadError(MonodepthError):
    """A file that cannot be had: no network, not there, interrupted, no space, not what it should be."""


def download(
    url: str,
    path: Path,
    hash_name: str = "",
    digest: str = "",
    size: int = 0,
    max_size: int = 1 << 32,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Fetch a file to `path`; returns the hash (hash_name, or sha256) of what came.

    Until it is whole it lies beside `path` with `.part` added, and another call goes on from there (HTTP Range,
    where the server's file is still the same). size: the exact number of bytes, if known. progress: called with
    the bytes so far and in all (0: unknown). DownloadError, in one line, for all that can go wrong; a file with
    another hash or size is removed.
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
                        f"{url}: interrupted after {received} bytes ({_reason(error)}); "
                        "the same command goes on from there"
                    ) from None
        found = _hash(part, hash_name or "sha256")
        received = _size(part)
        if (digest and found != digest) or (size and received != size):
            part.unlink()
            expected = f"{hash_name} {digest}" if digest and found != digest else f"{size} bytes"
            actual = found if digest and found != digest else f"{received} bytes"
            raise DownloadError(
                f"{url}: refused and removed, as it is not the file of the catalogue: "
                f"expected {expected}, found {actual}"
            )
        os.replace(part, path)
    except OSError as error:
        raise DownloadError(
            f"{part}: cannot be written ({error.strerror or error}); make room or set XDG_CACHE_HOME"
        ) from None
    finally:
        if not part.exists():
            with suppress(OSError):
                tag.unlink()
    return found


def _receive(url: str, part: Path, tag: Path, limit: int, progress: Callable[[int, int], None]) -> None:
    """One request that appends to `part`, or begins it anew where the server has another file by now."""
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
            return  # nothing is missing
        hint = "it is not there (any more)" if error.code in (404, 410) else "the server does not hand it out"
        raise DownloadError(f"{url}: HTTP {error.code} {error.reason}: {hint}") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, (ConnectionResetError, TimeoutError)) and have:
            raise error.reason from None
        reason = _reason(error.reason)
        raise DownloadError(f"{url}: no connection ({reason}); is this machine online?") from None
    with response:
        resumed = response.status == 206
        if resumed and _range_start(response) != have:
            part.unlink()
            raise DownloadError(f"{url}: the server sends another part than asked for; run it again")
        have = have if resumed else 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else 0
        _check_size(url, total, limit)
        free = shutil.disk_usage(part.parent).free
        if total - have > free:
            raise OSError(errno.ENOSPC, f"{(total - have) / 1e6:.0f} MB are missing, {free / 1e6:.0f} MB are free")
        # Only a file that can be told from its successor is resumed; a weak tag cannot.
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
        raise DownloadError(f"{url}: {size} bytes, but at most {limit} were expected: not fetched")


def _range_start(response: http.client.HTTPResponse) -> int:
    """First byte of a partial answer ("bytes 100-199/200"); -1 if it does not say."""
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


def _reason(error: object) -> str:
    return one_line(error)
