# SPDX-License-Identifier: Apache-2.0
"""Targets: texts that people and programs write: settings, catalogues, poses, calibrations, heads of checkpoints."""

import json
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import yaml
from hypothesis import strategies as st

from monodepth_ros.data.calibration import read_calibration, write_calibration
from monodepth_ros.data.exif import read_exif
from monodepth_ros.downloads.catalogue import parse_catalogue
from monodepth_ros.evaluation.split_file import read_split
from monodepth_ros.evaluation.trajectory_file import is_trajectory_file, read_trajectory
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.input_file import read_text
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.formula_weights import fill_networks_with_formula
from monodepth_ros.networks.registry import build_depth
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.files import read_assignments, read_ros_parameters, read_settings
from monodepth_ros.settings.schema import replace, specifications
from monodepth_ros.training.config import TrainConfig
from reliability.fuzz.mutations import ODD_VALUES, damaged, damaged_text, damaged_tree
from reliability.fuzz.target import Target

NODE = {"checkpoint": "demonstration", "scale": {"source": "fixed", "value": 2.0}, "odometry": {"max_speed": 20.0}}
CONFIGS = (NodeConfig(), RunConfig(), TrainConfig())
KNOWN = tuple(frozenset(specifications(type(config))) for config in CONFIGS)
NAMES = sorted(frozenset().union(*KNOWN))
TRAIN = {"networks": {"depth": "rt_monodepth_s"}, "loop": {"max_steps": 50}}


@st.composite
def settings(draw) -> bytes:
    """Damaged files of settings, and files of known names with odd values."""
    samples = [NODE, TRAIN, {"/**": {"ros__parameters": NODE}}]
    kind = draw(st.sampled_from(("text", "tree", "names")))
    if kind == "text":
        return draw(damaged_text([yaml.safe_dump(sample) for sample in samples]))
    if kind == "tree":
        tree = draw(damaged_tree(samples))
    else:
        tree = draw(st.dictionaries(st.sampled_from(NAMES), ODD_VALUES, max_size=4))
        tree = {"/**": {"ros__parameters": tree}} if draw(st.booleans()) else tree
    return yaml.safe_dump(tree, allow_unicode=draw(st.booleans())).encode("utf-8", "surrogatepass")


def read_all_settings(file: Path) -> None:
    """As a ROS parameter file of the node, as settings of a run and of a training, and as --set."""
    found = read_ros_parameters(file) if b"ros__parameters" in file.read_bytes() else read_settings(file)
    for config, known in zip(CONFIGS, KNOWN):
        replace(config, {name: value for name, value in found.items() if name in known})
    read_assignments(read_text(file).splitlines()[:5])
    replace(CONFIGS[0], found)


CATALOGUE = {
    "groups": {"g": {"url": "https://example.org/{name}.zip", "licence": "X", "licence_url": "https://example.org"}},
    "checkpoints": {
        "a": {"group": "g", "megabytes": 12, "md5": "0" * 32},
        "b": {"url": "https://example.org/b.safetensors", "sha256": "a" * 64, "bytes": 100, "description": "text"},
    },
}


@st.composite
def catalogues(draw) -> bytes:
    """Damaged catalogues."""
    if draw(st.booleans()):
        return draw(damaged_text([yaml.safe_dump(CATALOGUE)]))
    return yaml.safe_dump(draw(damaged_tree([CATALOGUE])), allow_unicode=True).encode("utf-8", "surrogatepass")


def read_catalogue_text(file: Path) -> None:
    """As the user's catalogue; each entry is then described as in a list."""
    for entry in parse_catalogue(read_text(file), str(file)).values():
        assert entry.url.startswith("http") and entry.size_text, entry


TUM = "# time x y z qx qy qz qw\n" + "".join(f"{10 + i / 10:.1f} {i} 0 0 0 0 0 1\n" for i in range(6))
EUROC = "#timestamp,x,y,z,qw,qx,qy,qz\n" + "".join(f"{1403636579763555584 + i},{i},0,0,1,0,0,0\n" for i in range(6))
KITTI = "".join(f"1 0 0 {i} 0 1 0 0 0 0 1 {i}\n" for i in range(6))
NAMED = "time,position.x,position.y,position.z,orientation.x,orientation.y,orientation.z,orientation.w\n"
NAMED += "".join(f"{i},0,0,{i},0,0,0,1\n" for i in range(6))
SPLIT = "2011_09_26/2011_09_26_drive_0001_sync 12 l\n2011_09_26/2011_09_26_drive_0001_sync 13 r\n"


@st.composite
def tables(draw) -> bytes:
    """Damaged tables of poses, and tables of random numbers."""
    if draw(st.integers(0, 2)):
        return draw(damaged_text([TUM, EUROC, KITTI, NAMED]))
    columns = draw(st.sampled_from((1, 7, 8, 12, 13, 16, 17)))
    number = st.one_of(st.floats(), st.integers(), st.sampled_from((0.0, 1.0)))
    rows = draw(st.lists(st.lists(number, min_size=columns, max_size=columns), max_size=5))
    between = draw(st.sampled_from((" ", ",", "\t", ";", "  ")))
    return "\n".join(between.join(map(repr, row)) for row in rows).encode()


def read_poses(file: Path) -> None:
    """As a trajectory to evaluate."""
    is_trajectory_file(file)
    trajectory = read_trajectory(file)
    assert np.isfinite(trajectory.poses).all(), "a pose that is not finite was accepted"


def read_split_file(file: Path) -> None:
    """As a list of a data set's images."""
    read_split(file)


@lru_cache(maxsize=1)
def calibrations() -> tuple[str, ...]:
    """One camera in the files of several tools."""
    K = np.array([[458.6, 0, 367.2], [0, 457.3, 248.4], [0, 0, 1]])
    storage = {}
    for ending in (".yml", ".xml", ".json"):
        file = cv2.FileStorage(ending, cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY)
        for name, value in (("image_width", 752), ("image_height", 480), ("camera_matrix", K)):
            file.write(name, value)
        file.write("distortion_coefficients", np.zeros((1, 5)))
        storage[ending] = file.releaseAndGetString()
    camera = CameraModel(752, 480, K, (-0.28, 0.07, 0.0, 0.0, 0.0))
    folder = Path("own.yaml")
    write_calibration(folder, camera, "front")
    own = folder.read_text()
    folder.unlink()
    values = {"camera_model": "pinhole", "intrinsics": [458.6, 457.3, 367.2, 248.4], "resolution": [752, 480]}
    values |= {"distortion_model": "radtan", "distortion_coeffs": [-0.28, 0.07, 0.0, 0.0]}
    basalt = {
        "value0": {
            "resolution": [[752, 480]],
            "intrinsics": [
                {
                    "camera_type": "kb4",
                    "intrinsics": {
                        "fx": 458.6,
                        "fy": 457.3,
                        "cx": 367.2,
                        "cy": 248.4,
                        "k1": 0.0,
                        "k2": 0.0,
                        "k3": 0.0,
                        "k4": 0.0,
                    },
                }
            ],
        }
    }
    kitti = "P0: 718.8 0 607.1 0 0 718.8 185.2 0 0 0 1 0\nP2: 718.8 0 607.1 45.3 0 718.8 185.2 -0.1 0 0 1 0.004\n"
    orb = '%YAML:1.0\nCamera.type: "PinHole"\nCamera.fx: 458.6\nCamera.fy: 457.3\nCamera.cx: 367.2\n'
    orb += "Camera.cy: 248.4\nCamera.k1: -0.28\nCamera.k2: 0.07\nCamera.p1: 0.0\nCamera.p2: 0.0\n"
    orb += "Camera.width: 752\nCamera.height: 480\n"
    colmap = "# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n1 OPENCV 752 480 458.6 457.3 367.2 248.4 -0.28 0.07 0 0\n"
    vins = "%YAML:1.0\nmodel_type: MEI\ncamera_name: c\nimage_width: 752\nimage_height: 480\n"
    vins += "mirror_parameters:\n   xi: 1.0\ndistortion_parameters:\n   k1: 0.1\n   k2: 0.0\n   p1: 0.0\n   p2: 0.0\n"
    vins += "projection_parameters:\n   gamma1: 458.6\n   gamma2: 457.3\n   u0: 367.2\n   v0: 248.4\n"
    info = "height: 480\nwidth: 752\ndistortion_model: plumb_bob\nd: [0.0, 0.0, 0.0, 0.0, 0.0]\n"
    info += "k: [458.6, 0.0, 367.2, 0.0, 457.3, 248.4, 0.0, 0.0, 1.0]\nr: [1.0, 0, 0, 0, 1, 0, 0, 0, 1]\n"
    info += "p: [458.6, 0.0, 367.2, 0.0, 0.0, 457.3, 248.4, 0.0, 0.0, 0.0, 1.0, 0.0]\n---\n"
    return (
        own,
        *storage.values(),
        yaml.safe_dump({"cam0": values}),
        json.dumps(basalt),
        kitti,
        orb,
        colmap,
        vins,
        info,
    )


@st.composite
def calibration_files(draw) -> bytes:
    """Damaged calibration files."""
    return draw(damaged_text(list(calibrations())))


def read_calibration_file(file: Path) -> None:
    """As the camera's calibration."""
    camera = read_calibration(file, lambda: (752, 480))
    assert np.isfinite(camera.K).all() and np.isfinite(camera.P).all(), "a number that is not finite was accepted"


@lru_cache(maxsize=1)
def checkpoint_parts() -> tuple[dict, bytes]:
    """The JSON of a small checkpoint's file, and its tensors' bytes."""
    network = build_depth("rt_monodepth_s")
    fill_networks_with_formula(network, None)
    path = Path("sample.safetensors")
    save_checkpoint(path, CheckpointHeader("rt_monodepth_s", 32, 64, (0.58, 1.92, 0.5, 0.5)), network)
    data = path.read_bytes()
    path.unlink()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


@st.composite
def checkpoint_heads(draw) -> bytes:
    """Damaged heads of a checkpoint: its length, the JSON of the tensors, and this package's header inside it."""
    content, _ = checkpoint_parts()
    kind = draw(st.sampled_from(("header", "header", "tensors", "bytes", "text")))
    own = json.loads(content["__metadata__"]["monodepth_ros"])
    if kind == "header":
        content = {**content, "__metadata__": {"monodepth_ros": json.dumps(draw(damaged_tree([own])))}}
    elif kind == "tensors":
        few = dict(list(content.items())[:3])
        content = {**content, **draw(damaged_tree([few]))}
    text = json.dumps(content).encode("utf-8", "surrogatepass")
    if kind == "text":
        text = draw(damaged_text([text.decode()]))
    data = len(text).to_bytes(8, "little") + text
    return draw(damaged([data], head=16)) if kind == "bytes" else data


def read_checkpoint(file: Path) -> None:
    """As the node's checkpoint, with the tensors behind the head."""
    with file.open("ab") as stream:
        stream.write(checkpoint_parts()[1])
    load_checkpoint(file)


def _exif() -> bytes:
    picture = np.zeros((8, 8, 3), np.uint8)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    block = b"Exif\0\0II*\0\x08\0\0\0\x03\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\x69\x87\x04\0\x01\0\0\0\x32\0\0\0"
    block += b"\x0a\x92\x05\0\x01\0\0\0\x40\0\0\0\0\0\0\0" + bytes(range(60))
    return jpeg[:2] + b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block + jpeg[2:]


def read_exif_block(file: Path) -> None:
    """As the EXIF data of a picture."""
    read_exif(file.read_bytes())


TARGETS = {
    "settings": Target(settings, read_all_settings, "settings.yaml"),
    "catalogue": Target(catalogues, read_catalogue_text, "catalogue.yaml"),
    "poses": Target(tables, read_poses, "poses.txt"),
    "split": Target(lambda: damaged_text([SPLIT]), read_split_file, "split.txt"),
    "calibration": Target(calibration_files, read_calibration_file, "camera.yaml"),
    "checkpoint": Target(checkpoint_heads, read_checkpoint, "weights.safetensors"),
    "exif": Target(lambda: damaged([_exif()]), read_exif_block, "picture.jpg"),
}
