# SPDX-License-Identifier: Apache-2.0
"""Downloads from servers that send pages, parts, other files, compressed ones or hardly anything."""

import gzip
import io
import os
import random
import socket
import threading
import zlib
from contextlib import contextmanager, suppress

import pytest

from monodepth_ros.downloads import connection, http_file
from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.downloads.http_file import Expected, download

CONTENT = random.Random(1).randbytes(50_000)


def answer(body=CONTENT, status="200 OK", length=True, **headers):
    """A whole answer of a server. length: whether it states the body's, or the length that it states."""
    lines = [f"HTTP/1.1 {status}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if length is not False:
        lines.append(f"Content-Length: {len(body) if length is True else length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def chunked(body, size=10_000, end=True):
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    return answer(data + (b"0\r\n\r\n" if end else b""), length=False, Transfer_Encoding="chunked")


@contextmanager
def serving(*answers, **places):
    """A server that gives these answers one after the other, the last one for ever; yields (address, requests).

    A function as answer gets the connection.
    """
    requests = []

    def serve():
        while True:
            try:
                connected, _ = listener.accept()
            except OSError:
                return
            with connected:
                request = b""
                while b"\r\n\r\n" not in request and (data := connected.recv(65536)):
                    request += data
                requests.append(request.decode())
                given = answers[min(len(requests), len(answers)) - 1]
                with suppress(OSError):
                    given(connected) if callable(given) else connected.sendall(given)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/file.zip", requests
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def refused(url, path, words, expected=Expected()):
    with pytest.raises(DownloadError, match=words) as error:
        download(url, path, expected)
    text = str(error.value)
    assert "\n" not in text and text.isprintable() and len(text) < 700, text
    assert not path.exists()
    return text


def case_name(value):
    """Short names of cases, not the bytes of an answer."""
    return value if isinstance(value, str) else "case"


@pytest.mark.parametrize(
    "given, words",
    [
        (answer(b"<html>Log in</html>", Content_Type="text/html; charset=utf-8"), r"a web page \(text/html\).*login"),
        (answer(b""), "the file is empty"),
        (answer(b"", length=False), "the file is empty"),
        (answer(b"", "204 No Content", length=False), "HTTP 204: expected a file"),
        (answer(CONTENT[:9000], length=len(CONTENT)), "interrupted .41000 bytes are missing. after 9000 bytes"),
        (chunked(CONTENT, end=False), "interrupted .* after 50000 bytes"),
        (chunked(CONTENT)[:20_000], "interrupted"),
        (answer(CONTENT, Content_Encoding="br"), r"comes compressed \(br\), which was not asked for"),
        (answer(CONTENT, Content_Encoding="gzip"), "interrupted .its gzip compression is damaged"),
        (answer(gzip.compress(CONTENT, mtime=0)[:-9], Content_Encoding="gzip"), "its gzip compression ends early"),
        (answer(b"x", "401 Unauthorized"), "HTTP 401 Unauthorized: it asks for a login"),
        (answer(b"x", "403 Forbidden"), "HTTP 403 Forbidden: the server refuses it"),
        (answer(b"x", "404 Not\x1b[2J Found"), "HTTP 404 .*: there is no such file"),
        (answer(b"x", "500 " + "long " * 300), "HTTP 500 .*try again later"),
        (answer(b"x", "503 Busy", Retry_After="120"), "HTTP 503 Busy: .* try again in 120 s"),
        (answer(b"x", "503 Busy", Retry_After="\x1b[2J"), "HTTP 503 Busy: .* try again later"),
        (answer(b"x", "302 Found"), "HTTP 302 without an address"),
        (answer(b"x", "206 Partial", Content_Range="bytes 9-9/10"), "another part than requested"),
        (answer(b"x", "206 Partial", Content_Range="bytes 9-1/x"), "a part that it does not name"),
        (answer(b"x", "206 Partial"), "a part that it does not name"),
        (b"this is no answer of a web server\r\n\r\n", "interrupted"),
        (b"", "interrupted"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: b\r\n" % i for i in range(200)) + b"\r\n", "interrupted"),
    ],
    ids=case_name,
)
def test_what_is_no_whole_file_is_refused_on_one_line(tmp_path, given, words):
    with serving(given) as (url, _):
        refused(url, tmp_path / "file", words)


@pytest.mark.parametrize(
    "given",
    [
        answer(gzip.compress(CONTENT, mtime=0), Content_Encoding="gzip"),
        answer(gzip.compress(CONTENT, mtime=0), Content_Encoding="X-GZip", length=False),
        answer(zlib.compress(CONTENT), Content_Encoding="deflate"),
        chunked(CONTENT),
        answer(length=False),
        answer(length="50000, 50000"),
        answer(ETag='"\xe9\xff"', Last_Modified="x" * 5000),
        answer() + b"more than stated",
        answer(CONTENT, "206 Partial", Content_Range="bytes 0-49999/50000"),
    ],
    ids=case_name,
)
def test_a_good_file_arrives_however_it_is_sent(tmp_path, given):
    with serving(given) as (url, requests):
        download(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT and "Accept-Encoding: identity" in requests[0]
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "given",
    [
        answer(CONTENT[:100_000]),
        answer(length=False),
        answer(gzip.compress(bytes(1_000_000), mtime=0), Content_Encoding="gzip"),
    ],
    ids=case_name,
)
def test_a_file_without_an_end_is_ended_at_the_limit(tmp_path, given):
    with serving(given) as (url, _):
        refused(url, tmp_path / "file", "at most 30000 were expected", Expected(largest=30_000))
    assert list(tmp_path.iterdir()) == [], "nothing of it is kept"


@pytest.mark.parametrize(
    "place, words",
    [
        ("file:///etc/passwd", "redirects to 'file:///etc/passwd', which is not http"),
        ("ftp://127.0.0.1/a.zip", "which is not http"),
        ("data:,x", "which is not http"),
        ("FILE:/etc/passwd", "which is not http"),
        ("http://127.0.0.1:99999/", "which has no valid host and port"),
        ("http://[::1/", "refused"),
        ("http://a:b@127.0.0.1/", "which holds a user name"),
        ("\x1b[2J" * 100, "interrupted|redirects"),
        ("/again", f"redirects more than {connection.MOST_REDIRECTS} times"),
    ],
)
@pytest.mark.parametrize("status", ["302 Found", "308 Permanent Redirect"])
def test_a_redirect_stays_on_the_web_and_ends(tmp_path, place, words, status):
    with serving(answer(b"x", status, Location=place)) as (url, requests):
        refused(url, tmp_path / "file", words)
    assert len(requests) <= connection.MOST_REDIRECTS + 1


def test_a_redirect_from_https_to_http_is_refused():
    redirects = connection._Redirects("https://a/b", {})

    class Request:
        full_url, type, timeout = "https://a/b", "https", 1

    with pytest.raises(DownloadError, match="redirects from https to 'http://a/c': refused"):
        redirects.http_error_302(Request, io.BytesIO(), 302, "", {"Location": "http://a/c"})


@pytest.mark.parametrize("place", ["/a%20b.zip", "/a b.zip", "/\xe9.zip", "//{host}/x", "?q=1"])
def test_a_redirect_on_the_web_is_followed(tmp_path, place):
    with serving(answer()) as (target, _):
        host = target.split("/")[2]
        with serving(answer(b"", "307 Temporary Redirect", Location=place.format(host=host)), answer()) as (url, asked):
            download(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == CONTENT
    assert all("Authorization" not in request for request in asked)


def interrupted(path, tag='"v1"', have=20_000):
    """Leave a part of CONTENT as an interrupted download does."""
    path.with_name("file.part").write_bytes(CONTENT[:have])
    path.with_name("file.part.tag").write_text(f"{tag}\n{len(CONTENT)}")


def part(start=20_000, tag='"v1"', body=CONTENT, total=None, end=None):
    end = len(body) - 1 if end is None else end
    total = len(body) if total is None else total
    return answer(body[start : end + 1], "206 Partial", Content_Range=f"bytes {start}-{end}/{total}", ETag=tag)


OTHER = CONTENT[::-1]


@pytest.mark.parametrize(
    "answers",
    [
        [part()],
        [part(end=29_999), part(30_000)],
        [part(tag='"v2"', body=OTHER), answer(OTHER)],
        [part(body=OTHER[:40_000]), answer(OTHER)],
        [part(start=19_999), answer(OTHER)],
        [part(total=20_000, end=30_000), answer(OTHER)],
        [answer(OTHER)],
        [answer(b"", "416 Range Not Satisfiable", Content_Range="bytes */10"), answer(OTHER)],
        [answer(b"", "416 Range Not Satisfiable"), answer(OTHER)],
        [
            answer(
                gzip.compress(OTHER, mtime=0), "206 Partial", Content_Range="bytes 20000-1/5", Content_Encoding="gzip"
            ),
            answer(OTHER),
        ],
    ],
    ids=case_name,
)
def test_a_part_is_completed_or_dropped_but_never_mixed(tmp_path, answers):
    interrupted(tmp_path / "file")
    with serving(*answers) as (url, requests):
        download(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() in (CONTENT, OTHER)
    assert "Range: bytes=20000-" in requests[0] and 'If-Range: "v1"' in requests[0]


@pytest.mark.parametrize("tag", [b"\xff\xfe", b'W/"v1"\n5', b"x" * 5000, b"", b"a\x01b\n7", b"a\r\nEvil: 1\n7"])
def test_a_part_of_an_unknown_version_is_not_resumed(tmp_path, tag):
    interrupted(tmp_path / "file")
    (tmp_path / "file.part.tag").write_bytes(tag)
    with serving(answer(OTHER)) as (url, requests):
        download(url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == OTHER and "Evil" not in requests[0]
    if b"Evil" not in tag:
        assert "Range" not in requests[0]


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_a_part_that_is_no_ordinary_file_is_refused(tmp_path, kind):
    path = tmp_path / "file.part"
    (tmp_path / "mine").write_bytes(b"mine")
    if kind == "link":
        path.symlink_to("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)
    with serving(answer()) as (url, requests):
        refused(url, tmp_path / "file", "file.part is no ordinary file but a link, folder or pipe: remove it")
    assert (tmp_path / "mine").read_bytes() == b"mine" and not requests


def test_a_second_download_of_the_same_file_is_refused_while_the_first_runs(tmp_path):
    begun, go_on = threading.Event(), threading.Event()

    def slowly(connected):
        connected.sendall(answer()[:1000])
        begun.set()
        go_on.wait(30)
        connected.sendall(answer()[1000:])

    with serving(slowly) as (url, _):
        first = threading.Thread(target=download, args=(url, tmp_path / "file"))
        first.start()
        assert begun.wait(30)
        refused(url, tmp_path / "file", "another process downloads it")
        go_on.set()
        first.join()
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("begin", [b"", answer()[:5000]], ids=["headers", "body"])
def test_a_server_that_hardly_sends_is_left(tmp_path, monkeypatch, begin):
    monkeypatch.setattr(http_file, "STALL", 0.2)
    left = threading.Event()

    def hardly(connected):
        connected.sendall(begin)
        connected.settimeout(0.02)
        while not left.is_set():
            connected.sendall(b"x")  # always in time for a limit on the silence alone
            try:
                if not connected.recv(1):
                    left.set()
            except TimeoutError:
                pass

    with serving(hardly) as (url, _):
        refused(url, tmp_path / "file", "sends less than 500 bytes/s .* to resume")
    assert left.is_set()
