# SPDX-License-Identifier: Apache-2.0
"""Targets: recordings, arrays, archives and states in binary files."""

import io
import zipfile
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from hypothesis import strategies as st
from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.typesys import Stores, get_typestore

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import Recording
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.evaluation.depth_arrays import DepthPredictions, read_truth_archive
from monodepth_ros.evaluation.trajectory_file import read_trajectory
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.training.state import TrainingState, load_state, save_state
from reliability.fuzz.message_targets import CAMERA, PICTURE, header, image
from reliability.fuzz.mutations import damaged
from reliability.fuzz.target import Target

START_NS = 1_700_000_000_000_000_000
LARGEST_MESSAGES = 200  # of a recording that are parsed


def _messages() -> list[tuple[str, int, object]]:
    rows = []
    for number in range(4):
        stamp_ns = START_NS + number * 100_000_000
        rows.append(("/camera/camera_info", stamp_ns, messages.camera_info(header(), CAMERA)))
        picture = np.roll(PICTURE, number, axis=1)[:24, :32]
        rows.append(("/camera/image_raw", stamp_ns, image("rgb8", 32, 24, 96, picture.tobytes())))
    rows.append(("/tf_static", START_NS, messages.transforms([messages.transform_stamped(header(), "c", np.eye(4))])))
    return rows


@lru_cache(maxsize=1)
def recordings() -> dict[str, list[bytes]]:
    """Small recordings of every storage, by their suffix."""
    found: dict[str, list[bytes]] = {".mcap": [], ".db3": [], ".bag": []}
    for suffix in (".mcap", ".db3"):
        path = Path(f"sample{suffix}")
        with BagWriter(path) as bag:
            for topic, kind in {topic: message.__msgtype__ for topic, _, message in _messages()}.items():
                bag.add_topic(topic, kind, latched=topic == "/tf_static")
            for topic, stamp_ns, message in _messages():
                bag.write(topic, stamp_ns, message)
        found[suffix].append(path.read_bytes())
        path.unlink()
    found[".mcap"] *= 3  # the one with images as often as the others together
    found[".mcap"] += [_mcap(CompressionType.ZSTD), _mcap(CompressionType.LZ4), _mcap(CompressionType.NONE)]
    found[".bag"].append(_ros1())
    return found


def _mcap(compression: CompressionType) -> bytes:
    """A file of several small chunks."""
    stream = io.BytesIO()
    writer = McapWriter(stream, chunk_size=300, compression=compression)
    writer.start(profile="ros2", library="fuzz")
    schema = writer.register_schema("std_msgs/msg/String", "ros2msg", b"string data\n")
    channel = writer.register_channel("/text", "cdr", schema)
    for number in range(20):
        data = b"\0\1\0\0\6\0\0\0hello\0"
        writer.add_message(channel, START_NS + number, data, START_NS + number)
    writer.finish()
    return stream.getvalue()


def _ros1() -> bytes:
    store = get_typestore(Stores.ROS1_NOETIC)
    path = Path("sample.bag")
    with Ros1Writer(path) as bag:
        kind = "sensor_msgs/msg/CompressedImage"
        connection = bag.add_connection("/camera/image_raw/compressed", kind, typestore=store)
        stamp, head = store.types["builtin_interfaces/msg/Time"], store.types["std_msgs/msg/Header"]
        data = cv2.imencode(".jpg", PICTURE)[1].ravel()
        for number in range(4):
            message = store.types[kind](head(number, stamp(1_700_000_000 + number, 0), "camera"), "jpeg", data)
            bag.write(connection, START_NS + number * 10**9, store.serialize_ros1(message, kind))
    found = path.read_bytes()
    path.unlink()
    return found


def read_recording(file: Path) -> None:
    """Every message, and the camera's frames."""
    with Recording(file) as recording:
        for _ in islice(recording.read(), LARGEST_MESSAGES):
            pass
    with open_source(str(file), SourceOptions()) as source:
        for frame in islice(source.frames(), 8):
            assert frame.name


def _saved(**arrays) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


ODD_HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,), }",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (2, %s, 3), }",
    "{'descr': [('a', '<f4'), ('b', '<U%s')], 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '|V%s', 'fortran_order': False, 'shape': (2, 2, 2), }",
    "{'descr': '<f8', 'fortran_order': 1, 'shape': %s, }",
)


@st.composite
def arrays(draw) -> bytes:
    """Damaged .npy files, and headers of odd shapes and types."""
    depth = np.ones((2, 6, 8), np.float32)
    samples = [_npy(depth), _npy(np.stack([np.eye(4)] * 3)), _npy(np.arange(3)), _npy(np.array(["a", "b"]))]
    if draw(st.booleans()):
        return draw(damaged(samples, head=128))
    size = draw(st.sampled_from((0, -1, 1, 10, 2**31, 2**40, 2**62, 2**63, 10**30)))
    text = (draw(st.sampled_from(ODD_HEADERS)) % size).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode() + bytes(draw(st.integers(0, 300)))


def read_array(file: Path) -> None:
    """As predictions, ground truth and relative poses, whichever takes it."""
    reasons = []
    for read in (lambda: DepthPredictions(file).depth(0, (16, 12)), lambda: read_truth_archive(file)):
        try:
            read()
        except ValueError as error:
            reasons.append(error)
    read_trajectory(file)
    if reasons:
        raise reasons[0]


@st.composite
def archives(draw) -> bytes:
    """Damaged archives of arrays, and archives whose members are odd."""
    samples = [_saved(data=np.ones((2, 6, 8), np.float32)), _saved(a=np.ones(3), b=np.ones(2))]
    if draw(st.booleans()):
        return draw(damaged(samples))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", draw(st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))) as archive:
        names = ("data.npy", "../data.npy", "/tmp/data.npy", "x" * 300 + ".npy", "more/data.npy", "\x1b[2J.npy")
        for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)):
            archive.writestr(name, draw(arrays()))
    return stream.getvalue()


def read_archive(file: Path) -> None:
    """As the ground truth of an evaluation."""
    for depth in read_truth_archive(file):
        np.asarray(depth).sum()


@lru_cache(maxsize=1)
def states() -> tuple[bytes, ...]:
    """A training's state, and a checkpoint as torch saves it."""
    path = Path("state.pt")
    weights = {"depth.a": torch.zeros(3), "depth.b": torch.ones(2, 2)}
    optimizer = {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    save_state(TrainingState(1, weights, optimizer, {"loop.max_steps": 50}), path)
    found = path.read_bytes()
    path.unlink()
    stream = io.BytesIO()
    torch.save({"height": 32, "width": 64, "encoder.conv1.weight": torch.zeros(64, 3, 7, 7)}, stream)
    return found, stream.getvalue()


@st.composite
def states_of_training(draw) -> bytes:
    """Damaged states, and states whose values are of other kinds."""
    if draw(st.booleans()):
        return draw(damaged(list(states())))
    content = {"format": 1, "step": 1, "weights": {}, "optimizer": {}, "config": {}, "average": {}, "scaler": {}}
    odd = st.sampled_from((None, -1, "x", [], {1: 2}, float("nan"), torch.zeros(2), 10**30, {"a": {"b": ()}}))
    for name in draw(st.lists(st.sampled_from([*content, "more", "best"]), max_size=3)):
        content[name] = draw(odd)
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def read_state(file: Path) -> None:
    """As the state that a training resumes from."""
    load_state(file)


def read_weights(file: Path) -> None:
    """As weights in monodepth2's format."""
    load_checkpoint(file)


TARGETS = {
    "mcap": Target(lambda: damaged(recordings()[".mcap"]), read_recording, "drive.mcap"),
    "db3": Target(lambda: damaged(recordings()[".db3"], head=120), read_recording, "drive.db3"),
    "bag": Target(lambda: damaged(recordings()[".bag"]), read_recording, "drive.bag"),
    "npy": Target(arrays, read_array, "values.npy"),
    "npz": Target(archives, read_archive, "values.npz"),
    "state": Target(states_of_training, read_state, "state.pt"),
    "weights": Target(lambda: damaged(list(states())), read_weights, "encoder.pth"),
}
