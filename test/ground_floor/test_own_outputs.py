# SPDX-License-Identifier: Apache-2.0
"""What a verb may replace: its own files, never what it reads, and anything else only if told to."""

import errno
import json
import os

import cv2
import numpy as np
import pytest

from monodepth_ros.errors import MonodepthError
from monodepth_ros.own_outputs import Outputs, is_made_by, marked_json, marked_picture

PICTURE = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)


def outputs(path, **more):
    return Outputs("run", {"--json": str(path)}, **more)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_picture_with_a_mark_is_the_same_picture(tmp_path, suffix):
    data = cv2.imencode(suffix, PICTURE)[1].tobytes()
    (tmp_path / "a").write_bytes(marked_picture(data, "run"))
    (tmp_path / "plain").write_bytes(data)
    shown = cv2.imread(str(tmp_path / "a"))
    assert np.array_equal(shown, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    assert is_made_by(tmp_path / "a", "run")
    assert not is_made_by(tmp_path / "a", "inspect") and not is_made_by(tmp_path / "plain", "run")


def test_a_table_is_recognised_by_its_header(tmp_path):
    (tmp_path / "own.csv").write_text("image,abs_rel\r\n1,2\r\n")
    (tmp_path / "other.csv").write_text("image,price\r\n1,2\r\n")
    Outputs("evaluate", {"--csv": str(tmp_path / "own.csv")}, headers={"--csv": "image,abs_rel"})
    with pytest.raises(MonodepthError, match="--force"):
        Outputs("evaluate", {"--csv": str(tmp_path / "other.csv")}, headers={"--csv": "image,abs_rel"})


def test_the_verbs_own_file_is_replaced_and_any_other_only_by_force(tmp_path):
    path = tmp_path / "out.json"
    for number in (1, 2):
        outputs(path).write("--json", json.dumps(marked_json({"n": number}, "run"), indent=2))
    assert json.loads(path.read_text()) == {"made_by": "monodepth run", "n": 2}
    for text in ("", "{}", '{"made_by": "monodepth train"}', "made by monodepth run"):
        path.write_text(text)
        with pytest.raises(MonodepthError, match=r"out.json exists and was not written by monodepth run.*--force"):
            outputs(path)
        assert path.read_text() == text
        outputs(path, force=True).write("--json", text)


def test_a_file_that_appears_during_the_work_is_kept(tmp_path):
    chosen = outputs(tmp_path / "out.json")
    (tmp_path / "out.json").write_text("somebody's")
    with pytest.raises(MonodepthError, match="--force"):
        chosen.write("--json", "{}")
    assert (tmp_path / "out.json").read_text() == "somebody's"


@pytest.mark.parametrize("name", ["drive.mcap", "./drive.mcap", "x/../drive.mcap", "soft", "hard", "folder/image.png"])
@pytest.mark.parametrize("force", [False, True])
def test_an_input_is_never_an_output(tmp_path, monkeypatch, name, force):
    monkeypatch.chdir(tmp_path)
    for folder in ("x", "folder"):
        (tmp_path / folder).mkdir()
    (tmp_path / "drive.mcap").write_text("recording")
    (tmp_path / "folder" / "image.png").write_text("image")
    (tmp_path / "soft").symlink_to("drive.mcap")
    os.link("drive.mcap", "hard")
    with pytest.raises(MonodepthError, match="is what this command reads"):
        outputs(name, inputs=["other", tmp_path / "drive.mcap", "folder"], force=force)


def test_a_hard_link_to_a_file_of_a_recording_folder_is_the_recording(tmp_path):
    (tmp_path / "bag").mkdir()
    (tmp_path / "bag" / "bag_0.mcap").write_text("recording")
    os.link(tmp_path / "bag" / "bag_0.mcap", tmp_path / "link.json")
    with pytest.raises(MonodepthError, match="is what this command reads"):
        outputs(tmp_path / "link.json", inputs=[tmp_path / "bag"], force=True)


def test_own_results_beside_the_images_that_are_read_are_replaced(tmp_path):
    for _ in range(2):
        chosen = outputs(tmp_path / "facts.json", inputs=[tmp_path])
        chosen.write("--json", json.dumps(marked_json({}, "run")))


def test_two_outputs_have_two_names(tmp_path):
    with pytest.raises(MonodepthError, match="--json and --csv name one file"):
        Outputs("run", {"--json": str(tmp_path / "a"), "--csv": f"{tmp_path}/./a"})


def test_a_path_that_cannot_be_written_is_refused_early(tmp_path, monkeypatch):
    with pytest.raises(MonodepthError, match="is a folder: give the name of a file"):
        outputs(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(MonodepthError, match="cannot be written: "):
        outputs(tmp_path / "file" / "below" / "a.json")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(MonodepthError, match="is read-only"):
        outputs(tmp_path / "new" / "a.json")


def test_the_old_file_stays_whole_if_the_new_one_does_not_fit(tmp_path, monkeypatch):
    old = json.dumps(marked_json({"n": 1}, "run"))
    (tmp_path / "out.json").write_text(old)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MonodepthError, match="out.json cannot be written: No space left on device"):
        outputs(tmp_path / "out.json").write("--json", "new")
    assert (tmp_path / "out.json").read_text() == old and len(list(tmp_path.iterdir())) == 1


def test_an_output_of_links_that_lead_round_in_circles_is_replaced_or_one_line(tmp_path):
    (tmp_path / "a.json").symlink_to(tmp_path / "a.json")
    outputs(tmp_path / "a.json").write("--json", "{}")
    assert (tmp_path / "a.json").read_text() == "{}"


def test_an_output_in_a_kernels_file_is_not_read_for_a_mark():
    with pytest.raises(MonodepthError, match="exists and was not written by monodepth run"):
        outputs("/proc/self/status")
