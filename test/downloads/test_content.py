# SPDX-License-Identifier: Apache-2.0
"""What a downloaded file is by its content."""

import io
import json
import struct
import zipfile

import pytest
import torch

from monodepth_ros.downloads.content import check_content
from monodepth_ros.downloads.errors import DownloadError


def safetensors(end=8, header=None):
    text = json.dumps({"a": {"data_offsets": [0, end]}} if header is None else header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(8)


def torch_file(**options):
    data = io.BytesIO()
    torch.save({"a": torch.zeros(2)}, data, **options)
    return data.getvalue()


def archive():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as target:
        target.writestr("encoder.pth", b"1")
    return data.getvalue()


GOOD = {
    "safetensors": (".safetensors", safetensors()),
    "zip": (".zip", archive()),
    "pth": (".pth", torch_file()),
    "old pt": (".pt", torch_file(_use_new_zipfile_serialization=False)),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_whole_file_is_taken(tmp_path, kind):
    suffix, content = GOOD[kind]
    (tmp_path / "a").write_bytes(content)
    check_content(tmp_path / "a", suffix)


@pytest.mark.parametrize("kind", ["safetensors", "zip", "pth"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, kind):
    suffix, content = GOOD[kind]
    (tmp_path / "a").write_bytes(content[:-1] if kind == "safetensors" else content[:-30])
    with pytest.raises(DownloadError, match=f"not a whole {suffix} file"):
        check_content(tmp_path / "a", suffix)


@pytest.mark.parametrize(
    "content, words",
    [
        (safetensors(end=7), "of another kind, or cut off"),
        (safetensors(header={}), "of another kind"),
        (safetensors(header={"a": 3}), "of another kind"),
        (safetensors(header=[1]), "of another kind"),
        (struct.pack("<Q", 1 << 60) + b"{}", "of another kind"),
        (b"\n<!DOCTYPE HTML><p>", "a web page; does the address ask for a login"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (b'{"error": "not\nfound"}', """a text: '{"error": "not found"}'"""),
        (b"\x1f\x8b\x08\x00", "compressed by gzip"),
    ],
)
def test_a_file_that_is_no_weights_is_refused_by_what_it_looks_like(tmp_path, content, words):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DownloadError) as error:
        check_content(tmp_path / "a", ".safetensors")
    assert words in str(error.value), error.value


@pytest.mark.parametrize("size", [0, 7, 20])
@pytest.mark.parametrize("suffix", [".safetensors", ".zip", ".pth", ".pt"])
def test_a_file_is_taken_for_weights_by_its_content_only(tmp_path, size, suffix):
    (tmp_path / "a").write_bytes(bytes(size))
    with pytest.raises(DownloadError, match=f"not a whole {suffix} file"):
        check_content(tmp_path / "a", suffix)
