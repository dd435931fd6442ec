# SPDX-License-Identifier: Apache-2.0
"""Export of a checkpoint's networks to files for other programs, with metadata and a check against PyTorch."""

import fcntl
import mmap
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from monodepth_ros.atomic_file import remove_leftovers, unfinished
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.inference.engine import EngineError
from monodepth_ros.inference.graph import CARD_MARK, network_graphs
from monodepth_ros.inference.graph_engine import GraphEngine
from monodepth_ros.inference.graph_runtime import GraphRuntime, Network, RuntimeMissing
from monodepth_ros.inference.onnxruntime import OnnxRuntime
from monodepth_ros.inference.openvino import OpenvinoRuntime
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.inference.torchscript import TorchscriptRuntime
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.networks.checkpoints.checkpoint import HEADER_KEY, Checkpoint

FORMATS = ("onnx", "openvino", "torchscript")


class ExportError(MonodepthError):
    """An unknown format, an invalid batch size, or a folder that cannot be written."""


def export_networks(
    checkpoint: Checkpoint, to: str, folder: str | Path, batch: int = 0, force: bool = False
) -> list[Path]:
    """Write depth.* and, if there is a pose network, pose.* into a folder, and return the files.

    to: one of FORMATS. batch: the only batch size that the networks will take; 0 leaves it open. The weights are
    float32. Files of an earlier export are replaced, after the new ones have been read back and agree with PyTorch;
    others only with `force`, and the checkpoint never. ExportError for bad arguments, for a folder whose files would be
    replaced or that cannot be written, and if the format's runtime is not installed, cannot convert the networks or
    does not agree.
    """
    if batch < 0:
        raise ExportError(f"batch is {batch}: expected a positive number of images, or 0 for any")
    others = f"another format ({', '.join(name for name in FORMATS if name != to)})"
    try:
        runtime, folder = _runtime(to), Path(os.path.expanduser(folder))
        names = [f"{graph.name}{suffix}" for graph in network_graphs(checkpoint) for suffix in _suffixes(runtime)]
        _refuse_others(checkpoint, folder, names, force)
        return _export(checkpoint, runtime, folder, batch, force)
    except RuntimeMissing as error:
        raise ExportError(f"{error.problem}: {error.install}, or export to {others}") from None
    except EngineError as error:
        raise ExportError(f"{error.problem}: export to {others}") from None


def _export(checkpoint: Checkpoint, runtime: GraphRuntime, folder: Path, batch: int, force: bool) -> list[Path]:
    converted = [(graph, runtime.convert(graph, batch)) for graph in network_graphs(checkpoint)]
    with _staging(folder) as staging:
        paths = [staging / f"{graph.name}{runtime.suffix}" for graph, _ in converted]
        try:
            for path, (graph, network) in zip(paths, converted, strict=True):
                runtime.save(network, path, graph.card(checkpoint))
        except (OSError, RuntimeError) as error:
            raise _unwritable(folder, error) from None
        # With an open batch size, two images show that it is really open.
        loaded = [_first_of_batch(runtime.load(path), batch or 2) for path in paths]
        check_parity(GraphEngine(checkpoint, runtime, loaded), checkpoint)
        names = sorted(path.name for path in staging.iterdir())
        try:
            for name in names:
                _settle(staging / name)
            with _alone_in(folder):
                _refuse_others(checkpoint, folder, names, force)  # once more: the work took its time
                for name in names:
                    os.replace(staging / name, folder / name)
        except OSError as error:
            raise _unwritable(folder, error) from None
    return [folder / name for name in names]


@contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A hidden folder in `folder`, removed at the end; so are those of killed exports, and `folder` if it is empty.

    Raises ExportError if it cannot be made.
    """
    place, is_new = unfinished(folder / "export"), not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder / "export")
        place.mkdir()
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # the files are in it
                folder.rmdir()


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other exports into the folder waiting, whose files would be mixed with these."""
    file = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _suffixes(runtime: GraphRuntime) -> tuple[str, ...]:
    return (runtime.suffix, ".bin") if runtime.name == "openvino" else (runtime.suffix,)


def _refuse_others(checkpoint: Checkpoint, folder: Path, names: list[str], force: bool) -> None:
    """Raise ExportError if a file that no export has made would be replaced, or the checkpoint itself."""
    for path in (folder / name for name in names):
        parts = [checkpoint.path, *checkpoint.path.glob("*.pth")] if checkpoint.path.is_dir() else [checkpoint.path]
        if path.exists() and any(part.exists() and path.samefile(part) for part in parts):
            raise ExportError(f"{path} is the checkpoint: choose another --out")
        if path.is_dir():
            raise ExportError(f"{path} is a folder: choose another --out")
        if os.path.lexists(path) and not force and not _is_export(path):
            raise ExportError(f"{path} was not made by an export: choose another --out, or replace it with --force")


def _is_export(path: Path) -> bool:
    """Whether the file carries the model card of an export; weights of OpenVINO have it in the .xml beside them."""
    path = path.with_suffix(".xml") if path.suffix == ".bin" else path
    try:
        with open(ordinary_file(path), "rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            return all(data.find(mark) >= 0 for mark in (HEADER_KEY.encode(), CARD_MARK.encode()))
    except (OSError, ValueError):  # an empty file, or none that can be read
        return False


def _settle(path: Path) -> None:
    """Make sure that the file is on the disk; OSError if it is not."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _unwritable(folder: Path, error: Exception) -> ExportError:
    return ExportError(f"{folder}: cannot be written ({one_line(error, 200)}); choose another folder")


def _runtime(to: str) -> GraphRuntime:
    if to == "onnx":
        return OnnxRuntime("cpu", "fp32")
    if to == "openvino":
        return OpenvinoRuntime("cpu", "fp32")
    if to == "torchscript":
        return TorchscriptRuntime()
    raise ExportError(f"unknown format {to!r}: expected one of {', '.join(FORMATS)}")


def _first_of_batch(network: Network, batch: int) -> Network:
    """A network for batches, wrapped to take a single input, which is repeated `batch` times."""
    return lambda inputs: [output[:1] for output in network([np.repeat(item, batch, axis=0) for item in inputs])]
