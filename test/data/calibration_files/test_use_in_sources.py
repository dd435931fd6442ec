# SPDX-License-Identifier: Apache-2.0
"""Sources with a calibration file that states no image size, or several cameras."""

import cv2
import numpy as np
import pytest
from small_sources import START_NS, TENTH, picture, read, write_kitti_drive, write_video

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.calibration import split_choice
from monodepth_ros.data.frame_index import index_frames
from monodepth_ros.data.sources.source import SourceOptions

MATRIX = "  rows: 3\n  cols: 3\n  dt: d\n  data: [9, 0, 4, 0, 9, 3, 0, 0, 1]\n"
WITHOUT_SIZE = f"%YAML:1.0\n---\ncamera_matrix: !!opencv-matrix\n{MATRIX}"
CAMERAS = (
    "{cam}: {{camera_model: pinhole, intrinsics: [{focal}, 9, 4, 3], distortion_coeffs: [], resolution: [8, 6]}}\n"
)


def folder_of_images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        cv2.imwrite(str(folder / f"{i}.png"), picture(i))
    return folder


def test_a_calibration_without_size_takes_that_of_a_folders_images(tmp_path):
    (tmp_path / "opencv.yml").write_text(WITHOUT_SIZE)
    _, frames = read(folder_of_images(tmp_path), calibration_file=str(tmp_path / "opencv.yml"))
    camera = frames[0].camera
    assert (len(frames), camera.width, camera.height, camera.fx) == (3, 8, 6, 9)


def test_a_calibration_without_size_beside_the_images_is_taken_too(tmp_path):
    folder = folder_of_images(tmp_path)
    (folder / "camera.yaml").write_text(WITHOUT_SIZE)
    _, frames = read(folder)
    assert (frames[0].camera.width, frames[0].camera.fx) == (8, 9)


def test_a_calibration_without_size_takes_that_of_a_film(tmp_path):
    (tmp_path / "opencv.yml").write_text(WITHOUT_SIZE)
    film = write_video(tmp_path / "film.avi", [0, 100, 200], 10.0)
    _, frames = read(film, calibration_file=str(tmp_path / "opencv.yml"))
    assert len(frames) == 3 and frames[0].camera.fx == 9
    assert (frames[0].camera.width, frames[0].camera.height) == frames[0].pixels.size


def test_a_calibration_without_size_takes_that_of_a_recordings_first_whole_image(tmp_path):
    (tmp_path / "opencv.yml").write_text(WITHOUT_SIZE)
    pictures = [b"\xff\xd8\xff broken", *(cv2.imencode(".png", picture(i))[1].tobytes() for i in range(2))]
    with BagWriter(tmp_path / "bag.mcap") as bag:
        bag.add_topic("/c/image/compressed", "sensor_msgs/msg/CompressedImage")
        for i, data in enumerate(pictures):
            at = START_NS + i * TENTH
            content = np.frombuffer(data, np.uint8)
            bag.write("/c/image/compressed", at, messages.compressed_image(messages.header(at, "c"), "png", content))
    _, frames = read(tmp_path / "bag.mcap", calibration_file=str(tmp_path / "opencv.yml"))
    camera = frames[0].camera
    assert (len(frames), camera.width, camera.height, camera.fx) == (2, 8, 6, 9)


def test_a_calibration_without_size_that_can_hardly_be_right_is_one_warning(tmp_path):
    (tmp_path / "opencv.yml").write_text(WITHOUT_SIZE.replace("9, 0, 4,", "9, 0, 44,"))
    source, frames = read(folder_of_images(tmp_path), calibration_file=str(tmp_path / "opencv.yml"))
    (warning,) = [note for note in source.notes if "opencv.yml can hardly be right: the principal point (44.0" in note]
    assert len(frames) == 3 and warning.startswith("warning: ")


def test_a_calibration_without_size_takes_that_of_kittis_images(tmp_path):
    drive = write_kitti_drive(tmp_path)
    (tmp_path / "opencv.yml").write_text(WITHOUT_SIZE)
    _, frames = read(drive, calibration_file=str(tmp_path / "opencv.yml"))
    assert frames[0].camera.fx == 9 and (frames[0].camera.width, frames[0].camera.height) == frames[0].pixels.size


def test_the_index_is_built_again_when_the_named_cameras_file_changes(tmp_path):
    folder, file = folder_of_images(tmp_path), tmp_path / "camchain.yaml"
    options = SourceOptions(calibration_file=f"{file}#cam1")
    for focal in (11.0, 12.25):
        file.write_text("".join(CAMERAS.format(cam=cam, focal=focal) for cam in ("cam0", "cam1")))
        assert index_frames(str(folder), options).cameras[0].fx == focal


@pytest.mark.parametrize("name", ["camera #2.yaml", "plain.yaml"])
def test_a_file_that_exists_is_not_split_at_its_number_sign(tmp_path, name):
    path = tmp_path / name
    path.write_text("a: 1")
    assert split_choice(path) == (path, "")
    assert split_choice(f"{path}#cam0") == (path, "cam0")


def test_wide_lenses_come_back_from_the_kept_index(tmp_path):
    folder, file = folder_of_images(tmp_path), tmp_path / "wide.yaml"
    file.write_text("cam0: {camera_model: ds, intrinsics: [-0.2, 0.6, 3, 3, 4, 3], resolution: [8, 6]}\n")
    options = SourceOptions(calibration_file=str(file))
    built, kept = (index_frames(str(folder), options).cameras[0] for _ in range(2))
    assert built.distortion_model == "double_sphere" and built.key == kept.key
    assert np.allclose(built.P[0, 0], 3 / 0.8)
