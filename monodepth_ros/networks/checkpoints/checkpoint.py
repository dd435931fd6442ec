# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: one file with the weights of the networks, their training camera and the meaning of their scale."""

import hashlib
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from safetensors.torch import save as format_safetensors
from torch import nn

from monodepth_ros.atomic_file import atomic_file
from monodepth_ros.downloads.checkpoint_cache import resolve_name
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.foreign_text import shown
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LONGEST_CHECKPOINT_HEADER
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME, BUNDLED_TITLE, bundled_checkpoint
from monodepth_ros.networks.checkpoints.header import (
    CheckpointError,
    CheckpointHeader,
    without_repetition,
)
from monodepth_ros.networks.checkpoints.monodepth2_format import (
    PARTS,
    is_published_folder,
    load_published_file,
    load_published_folder,
)
from monodepth_ros.networks.checkpoints.pickled_tensors import LARGEST_FILE, read_bytes
from monodepth_ros.networks.checkpoints.weights import load_weights
from monodepth_ros.networks.depth_network import DepthNetwork
from monodepth_ros.networks.pose_network import PoseNetwork
from monodepth_ros.networks.registry import build_depth, build_pose
from monodepth_ros.networks.unfilled import unfilled
from monodepth_ros.structured_text import StructuredTextError, parse_json
from monodepth_ros.version import __version__

SUFFIX = ".safetensors"
HEADER_KEY = "monodepth_ros"
# Bits of a value, by the name of its type in a safetensors file.
TYPE_BITS = {
    **dict.fromkeys(("F64", "I64", "U64", "C64"), 64),
    **dict.fromkeys(("F32", "I32", "U32"), 32),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E5M2", "F8_E4M3"), 8),
}
SAVED_TYPES = (torch.float32, torch.float16)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Networks in evaluation mode, float32, on the CPU, with their header."""

    header: CheckpointHeader
    depth: DepthNetwork
    pose: PoseNetwork | None
    path: Path
    sha256: str
    """Hash of the file, or of a folder's concatenated files."""

    @property
    def title(self) -> str:
        """The path; for the bundled checkpoint its name, and what it learned from."""
        return BUNDLED_TITLE if self.path == bundled_checkpoint() else str(self.path)


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Load a checkpoint from a path or by its name.

    path: a `.safetensors` file of this package; or weights in monodepth2's format: a folder of `.pth` files, one file
    of such a folder, or a single file with all parts. A path that does not exist is looked up as a name:
    "demonstration" is the bundled checkpoint, other names are those of `monodepth download`. No code in a file is
    executed.

    Raises CheckpointError for a path that holds no such weights, and CatalogueError for the name of a checkpoint that
    has not been downloaded.
    """
    name, path = str(path), Path(os.path.expanduser(path))
    with _as_checkpoint_error():
        if not path.exists():
            path = _path_of(name) or path
        if path.exists() and not path.is_dir():
            ordinary_file(path, LARGEST_FILE)
    if path.is_dir():
        weights = load_published_folder(path)
    elif not path.is_file():
        raise CheckpointError(
            f"{path}: no such file or folder; expected a {SUFFIX} file, a folder with encoder.pth,"
            f" {BUNDLED_NAME!r} or a name of `monodepth download --list`"
        )
    elif path.suffix == SUFFIX:
        return _load_own(path)
    elif path.stem in PARTS and is_published_folder(path.parent):
        path = path.parent
        weights = load_published_folder(path)
    elif path.suffix in (".pth", ".pt"):
        weights = load_published_file(path)
    else:
        raise CheckpointError(
            f"{path}: not a checkpoint; expected a {SUFFIX} file, a .pth file"
            " or a folder with encoder.pth and depth.pth"
        )
    return _checkpoint(weights.header, weights.depth, weights.pose, path, weights.sha256)


def save_checkpoint(
    path: str | Path,
    header: CheckpointHeader,
    depth: nn.Module,
    pose: nn.Module | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write one `.safetensors` file; an existing file is replaced only when the new one is complete.

    dtype: float32, or float16 for half the size. The versions of this package and of torch are added to the header.
    Raises CheckpointError if the networks are not those of the header, if they hold values that are not finite (or too
    large for float16), and if the path cannot be written.
    """
    path = Path(os.path.expanduser(path))
    if path.suffix != SUFFIX:
        raise CheckpointError(f"{path}: a checkpoint's name must end with {SUFFIX}")
    if dtype not in SAVED_TYPES:
        raise CheckpointError(f"{path}: cannot save {dtype}; expected one of {SAVED_TYPES}")
    if bool(header.pose_network) != (pose is not None):
        given = "none" if pose is None else type(pose).__name__
        raise CheckpointError(f"{path} (not saved): pose network {header.pose_network!r} in the header, {given} given")
    networks = _named(depth, pose)
    # A trial load finds every mistake while the old file still exists.
    load_weights(_named(*_build_networks(header)), networks.state_dict(), f"{path} (not saved)")
    tensors = {}
    for key, tensor in networks.state_dict().items():
        tensors[key] = (tensor.to("cpu", dtype) if tensor.is_floating_point() else tensor.cpu()).contiguous()
        if not tensors[key].isfinite().all():
            raise CheckpointError(f"{path} (not saved): {key} holds values too large for {dtype}; save as float32")
    header = replace(header, versions={"monodepth_ros": __version__, "torch": torch.__version__, **header.versions})
    data = format_safetensors(tensors, metadata={HEADER_KEY: header.to_json()})
    try:
        with atomic_file(path) as partial:
            partial.write_bytes(data)
    except OSError as error:
        reason = one_line(error)
        raise CheckpointError(f"{path} cannot be written ({reason}); check the folder and its space") from None


@contextmanager
def _as_checkpoint_error() -> Iterator[None]:
    """Turn errors about a path, such as a name that no file system takes, into a CheckpointError."""
    try:
        yield
    except OSError as error:
        raise CheckpointError(f"{shown(error.filename or '')} cannot be read: {one_line(error)}") from None
    except MonodepthError as error:
        if type(error) is not MonodepthError:
            raise
        raise CheckpointError(str(error)) from None


def _path_of(name: str) -> Path | None:
    """The bundled or downloaded checkpoint of this name, or None."""
    return bundled_checkpoint() if name == BUNDLED_NAME else resolve_name(name)


def _load_own(path: Path) -> Checkpoint:
    data = read_bytes(path)
    text = _read_metadata(data, path).get(HEADER_KEY)
    if not isinstance(text, str):
        raise CheckpointError(f"{path}: written by another program (no {HEADER_KEY!r} header); expected our checkpoint")
    try:
        header = CheckpointHeader.from_json(text)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    try:
        tensors = parse_safetensors(data)
    except (SafetensorError, KeyError, ValueError, RuntimeError):
        raise CheckpointError(f"{path}: the tensors are damaged; copy or download the file again") from None
    depth, pose = _build_networks(header)
    load_weights(_named(depth, pose), tensors, str(path))
    return _checkpoint(header, depth, pose, path, hashlib.sha256(data).hexdigest())


def _read_metadata(data: bytes, path: Path) -> dict[str, object]:
    """The metadata of a safetensors file, which has 8 bytes of length, a JSON object, and the tensors' bytes."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not data[8:9] == b"{":
        raise CheckpointError(f"{path}: not a safetensors file; copy or download it again")
    if LONGEST_CHECKPOINT_HEADER < length <= len(data):
        raise CheckpointError(f"{path}: a header of {length} bytes; those of networks have less than 1 MB")
    try:
        text = data[8 : 8 + length] if length <= len(data) else b""
        content = parse_json(text.decode("utf-8"), "its header", object_pairs_hook=without_repetition)
        metadata = content.pop("__metadata__", {})
    except (ValueError, TypeError, AttributeError) as error:
        reason = f" ({error})" if isinstance(error, StructuredTextError) else ""
        raise CheckpointError(f"{path}: the file is truncated or damaged{reason}; copy or download it again") from None
    end = 8 + length
    for name, entry in content.items():
        if not _is_described(entry):
            raise CheckpointError(
                f"{path}: tensor {shown(name)} has no valid type, shape and place: truncated or damaged; copy it again"
            )
        end = max(end, 8 + length + entry["data_offsets"][1])
    if end != len(data):
        raise CheckpointError(f"{path}: {len(data)} bytes instead of {shown(end)}: truncated or damaged; copy it again")
    return metadata if isinstance(metadata, dict) else {}


def _is_described(entry: object) -> bool:
    """Whether a tensor's entry in the header has a known type, a shape, and a place of just that size."""
    if not isinstance(entry, dict):
        return False
    bits, shape, place = TYPE_BITS.get(str(entry.get("dtype"))), entry.get("shape"), entry.get("data_offsets")
    if bits is None or not _are_counts(shape) or not _are_counts(place) or len(place) != 2 or len(shape) > 8:
        return False
    return 8 * (place[1] - place[0]) == bits * math.prod(shape)


def _are_counts(value: object) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(number) is int and 0 <= number < 2**63 for number in value)


def _build_networks(header: CheckpointHeader) -> tuple[DepthNetwork, PoseNetwork | None]:
    with unfilled():
        pose = build_pose(header.pose_network) if header.pose_network else None
        return build_depth(header.depth_network), pose


def _named(depth: nn.Module, pose: nn.Module | None) -> nn.ModuleDict:
    """The networks by the names that prefix their tensors in the file."""
    return nn.ModuleDict({"depth": depth} if pose is None else {"depth": depth, "pose": pose})


def _checkpoint(
    header: CheckpointHeader, depth: DepthNetwork, pose: PoseNetwork | None, path: Path, sha256: str
) -> Checkpoint:
    for module in (depth, pose):
        if module is not None:
            module.eval()
    return Checkpoint(header, depth, pose, path, sha256)
