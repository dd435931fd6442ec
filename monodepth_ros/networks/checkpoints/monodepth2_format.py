# SPDX-License-Identifier: Apache-2.0
"""Published weights in monodepth2's format: `encoder.pth`, `depth.pth`, `pose_encoder.pth` and `pose.pth`."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from monodepth_ros.networks.checkpoints.header import CheckpointError, CheckpointHeader
from monodepth_ros.networks.checkpoints.pickled_tensors import load_pickled_tensors, named_tensors, read_bytes
from monodepth_ros.networks.checkpoints.weights import is_plain_tensor, load_weights
from monodepth_ros.networks.depth_network import DepthNetwork
from monodepth_ros.networks.pose_network import PoseNetwork
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.networks.resnet import BLOCKS, BOTTLENECK_DEPTHS
from monodepth_ros.networks.unfilled import unfilled

PARTS = ("encoder", "depth", "pose_encoder", "pose")
# Facts that the files do not state, but that hold for all published ones: KITTI's image size and mean intrinsics.
DEFAULT_SIZE = (640, 192)
KITTI_CAMERA = (0.58, 1.92, 0.5, 0.5)
STEREO_SCALE = 5.4
Parts = dict[str, dict[str, object]]
"""The content of each file by its stem."""


@dataclass(frozen=True)
class PublishedWeights:
    """The content of a folder or file in this format."""

    header: CheckpointHeader
    depth: DepthNetwork
    pose: PoseNetwork | None
    sha256: str
    """Hash of the file, or of the concatenated files in the order of PARTS."""


def published_parts(depth: DepthNetwork, pose: PoseNetwork | None = None) -> dict[str, nn.Module]:
    """The sub-modules whose state dicts are those of the published files, by the files' stems (PARTS)."""
    return depth.published_parts | ({} if pose is None else pose.published_parts)


def is_published_folder(folder: Path) -> bool:
    """Whether the folder holds both files of a depth network."""
    return all((folder / f"{part}.pth").is_file() for part in ("encoder", "depth"))


def load_published_folder(folder: Path) -> PublishedWeights:
    """Load a folder of two to four files; CheckpointError for a missing, damaged, foreign or hostile file."""
    for part in ("encoder", "depth"):
        if not (folder / f"{part}.pth").is_file():
            raise CheckpointError(f"{folder}: no {part}.pth; {_ways_out(folder)}")
    digest = hashlib.sha256()
    parts = {}
    for part in PARTS:
        path = folder / f"{part}.pth"
        if path.is_file():
            data = read_bytes(path)
            digest.update(data)
            parts[part] = load_pickled_tensors(data, path)
    sources = {part: str(folder / f"{part}.pth") for part in PARTS}
    return _build(parts, sources, digest.hexdigest())


def load_published_file(path: Path) -> PublishedWeights:
    """Load one file with all parts: a dictionary of the parts, or one of all tensors named `depth.<key>` and so on."""
    data = read_bytes(path)
    parts = _split_parts(load_pickled_tensors(data, path), path)
    sources = {part: f"{path} ({part})" for part in PARTS}
    return _build(parts, sources, hashlib.sha256(data).hexdigest())


def _ways_out(folder: Path) -> str:
    """Advice on the path to give instead, from the files in and below the folder."""
    try:
        ours = sorted(item.name for item in folder.glob("*.safetensors"))
        folders = sorted(item.parent.name for item in folder.glob("*/encoder.pth"))
    except OSError:
        ours = folders = []
    if ours:
        return f"give the path of a checkpoint in it: {', '.join(ours[:4])}"
    if folders:
        return f"give one of its sub-folders: {', '.join(folders[:4])}"
    return "expected encoder.pth and depth.pth (and pose_encoder.pth, pose.pth) in it, or a .safetensors file"


def _split_parts(content: dict[str, object], path: Path) -> Parts:
    nested = {part: named_tensors(content[part], path) for part in PARTS if part in content}
    prefixed = {
        part: {key[len(part) + 1 :]: value for key, value in content.items() if key.startswith(part + ".")}
        for part in PARTS
    }
    if nested:
        parts = nested
    elif prefixed["depth"]:
        parts = {part: tensors for part, tensors in prefixed.items() if tensors}
    elif prefixed["encoder"] and any(key.startswith("decoder.") for key in content):
        # Tensors under the names in encoder.pth and depth.pth, which do not collide for a ResNet.
        parts = {
            "encoder": {key: value for key, value in content.items() if key.startswith("encoder.")},
            "depth": {key: value for key, value in content.items() if key.startswith("decoder.")},
        }
    else:
        parts = {}
    for part in ("encoder", "depth"):
        if part not in parts:
            raise CheckpointError(
                f"{path}: holds no {part} part; give a folder with encoder.pth and depth.pth, or one file with both"
            )
    for name in ("height", "width", "use_stereo"):
        if name in content:
            parts["encoder"].setdefault(name, content[name])
    return parts


def _build(parts: Parts, sources: dict[str, str], sha256: str) -> PublishedWeights:
    width, height, use_stereo = _take_settings(parts["encoder"], sources["encoder"])
    depth_name = _depth_network(parts["encoder"], sources["encoder"])
    pose_name = _pose_network(parts, sources, depth_name)
    try:
        header = _header(depth_name, pose_name, width, height, use_stereo)
    except CheckpointError as error:
        raise CheckpointError(f"{sources['encoder']}: {error}") from None
    with unfilled():
        depth = build_depth(depth_name)
        pose = build_pose(pose_name) if pose_name else None
    for part, module in published_parts(depth, pose).items():
        tensors = {
            key: value for key, value in parts[part].items() if key not in ("encoder.fc.weight", "encoder.fc.bias")
        }
        load_weights(module, tensors, sources[part])
    return PublishedWeights(header, depth, pose, sha256)


def _take_settings(encoder: dict[str, object], source: str) -> tuple[int, int, bool | None]:
    """Remove width, height and use_stereo from the encoder's entries and return them."""
    values: dict[str, int | None] = {}
    for name in ("width", "height", "use_stereo"):
        value = encoder.pop(name, None)
        if is_plain_tensor(value) and value.numel() == 1:
            value = value.item()
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is not None and not isinstance(value, int):
            found = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"{value!r:.80}"
            raise CheckpointError(f"{source}: {name} is {found}, expected a whole number")
        values[name] = value
    width, height = values["width"], values["height"]
    if (width is None) != (height is None):
        raise CheckpointError(f"{source}: states only one of width and height, expected both or none")
    if width is None or height is None:
        width, height = DEFAULT_SIZE
    use_stereo = values["use_stereo"]
    return int(width), int(height), None if use_stereo is None else bool(use_stereo)


def _depth_network(encoder: dict[str, object], source: str) -> str:
    if any(key.startswith("convs.") for key in encoder):
        return "rt_monodepth_s"
    depth = _resnet_depth(encoder)
    if depth is None:
        raise CheckpointError(
            f"{source}: neither a ResNet ({', '.join(map(str, BLOCKS))}) nor an RT-MonoDepth-S encoder;"
            " give the weights of one of these"
        )
    return f"resnet{depth}"


def _resnet_depth(encoder: dict[str, object]) -> int | None:
    """Number of layers of the ResNet with these tensors, or None if they are not those of a ResNet."""
    blocks = tuple(
        len({key.split(".")[2] for key in encoder if key.startswith(f"encoder.layer{level}.")})
        for level in (1, 2, 3, 4)
    )
    has_bottlenecks = "encoder.layer1.0.conv3.weight" in encoder
    for depth, counts in BLOCKS.items():
        if counts == blocks and (depth in BOTTLENECK_DEPTHS) == has_bottlenecks:
            return depth
    return None


def _pose_network(parts: Parts, sources: dict[str, str], depth_name: str) -> str:
    """Name of the pose network in the parts; empty if there is none."""
    if "pose" not in parts:
        if "pose_encoder" in parts:
            raise CheckpointError(f"{sources['pose']}: missing beside the pose encoder; add it, or remove both")
        return ""
    pose = parts["pose"]
    if "pose_conv.weight" in pose:
        return "posecnn"
    if "pose_encoder" in parts:
        depth = _resnet_depth(parts["pose_encoder"])
        if depth is None:
            raise CheckpointError(
                f"{sources['pose_encoder']}: not a ResNet ({', '.join(map(str, BLOCKS))}); give the weights of one"
            )
        return f"separate_resnet{depth}"
    head = pose.get("net.3.weight")
    if isinstance(head, Tensor) and head.shape[:1] == (6,) and depth_name.startswith("resnet"):
        return f"shared_{depth_name}"
    raise CheckpointError(
        f"{sources['pose_encoder']}: missing beside the pose decoder, which needs it; add it, or remove both"
    )


def _header(depth_name: str, pose_name: str, width: int, height: int, use_stereo: bool | None) -> CheckpointHeader:
    if use_stereo:
        scale_origin = "stereo training: a real baseline of 0.54 m against 0.1 network units"
    elif use_stereo is None:
        scale_origin = "not stated in the files (no use_stereo): taken as monocular training, which has no unit"
    else:
        scale_origin = "monocular training, which has no unit"
    return CheckpointHeader(
        depth_network=depth_name,
        pose_network=pose_name,
        width=width,
        height=height,
        training_camera=KITTI_CAMERA,
        scale_kind="metric" if use_stereo else "relative",
        scale_factor=STEREO_SCALE if use_stereo else 1.0,
        scale_origin=scale_origin,
        training_data="not stated in the files; published weights of this format are trained on KITTI",
        licence="not stated in the files; such weights are published for non-commercial use: check first",
    )
