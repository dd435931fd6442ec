# SPDX-License-Identifier: Apache-2.0
"""Downloads from a server that interrupts, changes its file or sends a wrong one."""

import hashlib
import random
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from monodepth_ros.downloads.errors import DownloadError
from monodepth_ros.downloads.http_file import Expected, download

CONTENT = random.Random(0).randbytes(900_000)
MD5 = hashlib.md5(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves `server.content` with ranges; `server.breaks` lists after how many bytes answers are interrupted."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server, content = self.server, self.server.content
        start, asked = 0, self.headers.get("Range", "")
        server.ranges.append(asked)
        if self.path != "/file":
            self.send_error(404)
            return
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        if asked and self.headers.get("If-Range") == tag and server.knows_ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("ETag", tag)
        self.end_headers()
        stop = len(content)
        if server.breaks:
            stop = min(stop, start + server.breaks.pop(0))
        self.wfile.write(content[start:stop])
        self.close_connection = stop < len(content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.content, server.breaks, server.ranges, server.knows_ranges = CONTENT, [], [], True
        server.url = f"http://127.0.0.1:{server.server_port}/file"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_downloaded_file_is_complete_and_leaves_nothing_else(server, tmp_path):
    seen = []
    download(server.url, tmp_path / "a/file", Expected("md5", MD5, len(CONTENT)), lambda *p: seen.append(p))
    assert (tmp_path / "a/file").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["file"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_an_interrupted_connection_resumes_within_the_call(server, tmp_path):
    server.breaks = [300_000, 100_000]
    download(server.url, tmp_path / "file", Expected("md5", MD5))
    assert server.ranges == ["", "bytes=300000-", "bytes=400000-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_failed_download_resumes_on_the_next_call(server, tmp_path):
    server.breaks = [300_000, 0]
    with pytest.raises(DownloadError, match="interrupted .* after 300000 bytes.* to resume"):
        download(server.url, tmp_path / "file", Expected("md5", MD5))
    assert not (tmp_path / "file").exists()
    server.ranges.clear()
    download(server.url, tmp_path / "file", Expected("md5", MD5))
    assert server.ranges == ["bytes=300000-"]
    assert (tmp_path / "file").read_bytes() == CONTENT


@pytest.mark.parametrize("change", ["another file", "no ranges"])
def test_a_download_that_cannot_resume_restarts(server, tmp_path, change):
    server.breaks = [300_000, 0]
    with pytest.raises(DownloadError):
        download(server.url, tmp_path / "file")
    if change == "another file":
        server.content = CONTENT[::-1]
    else:
        server.knows_ranges = False
    download(server.url, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == server.content


def test_a_complete_part_is_not_downloaded_again(server, tmp_path):
    (tmp_path / "file.part").write_bytes(CONTENT)
    (tmp_path / "file.part.tag").write_text(f'"{MD5}"')
    download(server.url, tmp_path / "file", Expected("md5", MD5))
    assert (tmp_path / "file").read_bytes() == CONTENT and server.ranges == [f"bytes={len(CONTENT)}-"]


@pytest.mark.parametrize("hash_name", ["md5", "sha256"])
def test_a_tampered_file_is_refused_and_removed(server, tmp_path, hash_name):
    digest = hashlib.new(hash_name, CONTENT).hexdigest()
    server.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
    with pytest.raises(DownloadError, match=f"refused and removed.*expected {hash_name} {digest}") as error:
        download(server.url, tmp_path / "file", Expected(hash_name, digest, len(CONTENT)))
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_a_wrong_size_is_refused(server, tmp_path):
    with pytest.raises(DownloadError, match="900000 bytes, but at most 1000 were expected"):
        download(server.url, tmp_path / "file", Expected(size=1000))
    with pytest.raises(DownloadError, match="expected 900001 bytes, found 900000 bytes"):
        download(server.url, tmp_path / "file", Expected(size=900_001))
    assert not (tmp_path / "file").exists()


def test_errors_of_network_and_server_are_one_line(server, tmp_path):
    with pytest.raises(DownloadError, match="HTTP 404 .*no such file"):
        download(server.url + "s", tmp_path / "file")
    with pytest.raises(DownloadError, match="no connection .*online"):
        download("http://127.0.0.1:9/file", tmp_path / "file")
    with pytest.raises(DownloadError, match="no connection .*online"):
        download("http://nowhere.invalid/file", tmp_path / "file")


def test_a_full_disk_is_reported_and_the_part_is_kept(server, tmp_path):
    # A limit on file sizes makes a write fail as a full disk does.
    code = (
        "import resource, sys; from pathlib import Path;"
        "from monodepth_ros.downloads.http_file import download;"
        "from monodepth_ros.downloads.errors import DownloadError;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try: download(sys.argv[1], Path(sys.argv[2]))\n"
        "except DownloadError as error: print(error)"
    )
    command = [sys.executable, "-c", code, server.url, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "cannot be written (File too large); free some space" in done.stdout, done.stdout + done.stderr
    download(server.url, tmp_path / "file", Expected("md5", MD5))
    assert server.ranges[-1].startswith("bytes="), "the part was not used"


@pytest.mark.parametrize(
    "url, words",
    [
        ("file:///etc/passwd", "is not http"),
        ("http://a b/c.zip", "holds spaces"),
        ("http://\xe9/c.zip", "holds spaces or letters beyond ASCII"),
        ("http://" + "a" * 70 + ".org/c.zip", "has no valid host"),
        ("http:///c.zip", "has no valid host"),
        ("http://a:b@c/d.zip", "holds a user name"),
        ("http://a:port/d.zip", "has no valid host and port"),
        ("", "is not http"),
    ],
)
def test_what_is_no_address_is_refused(tmp_path, url, words):
    with pytest.raises(DownloadError, match=words) as error:
        download(url, tmp_path / "file")
    assert str(error.value).isprintable()
