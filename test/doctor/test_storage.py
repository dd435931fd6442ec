# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of caches, disks and engines."""

import json
import shutil

import pytest

from monodepth_ros.doctor import storage
from monodepth_ros.doctor.check import Level
from monodepth_ros.doctor.engines import engine_checks
from monodepth_ros.doctor.storage import storage_checks
from monodepth_ros.networks.checkpoints.checkpoint import save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.registry import build_depth


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "monodepth_ros"


def by_subject(checks):
    return {check.subject: check for check in checks}


def test_the_cache_is_measured(cache):
    (cache / "graphs").mkdir(parents=True)
    (cache / "graphs" / "model.bin").write_bytes(bytes(3_000_000))
    checks = by_subject(storage_checks())
    assert checks["cache"].level is Level.OK
    assert checks["cached"].found == "graphs 3 MB"


def test_a_cache_that_cannot_be_written_is_a_warning(cache):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file where the folder should be")
    check = by_subject(storage_checks())["cache"]
    assert check.level is Level.WARNING
    assert "Not a directory" in check.found


def test_a_full_disk_is_a_warning(cache, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(storage.shutil, "disk_usage", lambda path: usage)
    check = by_subject(storage_checks())["cache"]
    assert check.level is Level.WARNING
    assert "0.0 of" in check.found
    assert "make room" in check.remedy


def test_an_incomplete_download_comes_with_the_command_that_makes_it_again(cache):
    for name, is_complete in (("whole", True), ("half", False)):
        folder = cache / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "source.json").write_text(json.dumps({"load": "weights.safetensors"}))
        if is_complete:
            (folder / "weights.safetensors").write_bytes(b"weights")
    downloads = [check for check in storage_checks() if check.subject == "downloaded"]
    assert [(check.level, check.remedy) for check in downloads] == [
        (Level.OK, ""),
        (Level.WARNING, "monodepth download half"),
    ]


def test_the_engine_runs_the_checkpoint(tmp_path, cache):
    path = tmp_path / "small.safetensors"
    header = CheckpointHeader(
        depth_network="rt_monodepth_s", height=64, width=96, training_camera=(0.6, 0.6, 0.5, 0.5), licence="CC-BY-4.0"
    )
    save_checkpoint(path, header, build_depth("rt_monodepth_s"), None)
    checks = by_subject(engine_checks(str(path)))
    assert checks["engine"].level is not Level.ERROR
    assert "depth of 96x64 in" in checks["engine"].found


def test_a_checkpoint_that_is_none_is_an_error(tmp_path):
    (tmp_path / "none.safetensors").write_bytes(b"nothing")
    checks = by_subject(engine_checks(str(tmp_path / "none.safetensors")))
    assert checks["checkpoint"].level is Level.ERROR
    assert "engine" not in checks
