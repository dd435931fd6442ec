# SPDX-License-Identifier: Apache-2.0
"""The engine of every runtime that runs converted networks: cached, and checked against PyTorch."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monodepth_ros.inference.engine import Engine, EngineError, check_image, motion_matrix, released
from monodepth_ros.inference.graph import network_graphs
from monodepth_ros.inference.graph_cache import GraphCache
from monodepth_ros.inference.graph_runtime import GraphRuntime, Network
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.networks.checkpoint import Checkpoint
from monodepth_ros.networks.disparity import scale_disparity


@dataclass(eq=False)
class LoadedImage:
    """An image and what has been computed of it."""

    pixels: np.ndarray
    """(1, H, W, 3) uint8."""
    deepest_feature: np.ndarray | None = None
    """Last feature of the depth encoder, kept for pose networks that share it."""
    mean_inverse_depth: float | None = None
    """Spatial mean in 1 / network units, kept for pose networks that need it."""


class GraphEngine(Engine):
    """The checkpoint's networks as a runtime has loaded them: depth, and pose if there is one."""

    def __init__(self, checkpoint: Checkpoint, runtime: GraphRuntime, networks: Sequence[Network]):
        self.name, self.device, self.precision = runtime.name, runtime.device, runtime.precision
        self.header = checkpoint.header
        pose = checkpoint.pose
        self._shares_features = pose is not None and pose.uses_depth_features
        self._scales_translation = pose is not None and pose.times_mean_inverse_depth
        self._depth = networks[0]
        self._pose = networks[1] if len(networks) > 1 else None

    @property
    def has_pose(self) -> bool:
        return self._pose is not None

    def load_image(self, rgb: np.ndarray) -> LoadedImage:
        self._require_networks()
        check_image(rgb, self.header)
        return LoadedImage(np.array(rgb[None], order="C"))

    def disparity(self, image: LoadedImage) -> np.ndarray:
        self._require_networks()
        outputs = self._depth([image.pixels])
        disparity = outputs[0][0]
        if self._shares_features:
            image.deepest_feature = outputs[1]
        if self._scales_translation:
            header = self.header
            image.mean_inverse_depth = float(
                scale_disparity(disparity, header.min_depth, header.max_depth).mean(dtype=np.float64)
            )
        return disparity

    def motion(self, earlier: LoadedImage, later: LoadedImage) -> np.ndarray:
        self._require_networks()
        if not self.has_pose:
            raise EngineError("the checkpoint has no pose network: use one that has, or depth alone")
        if self._shares_features:
            for image in (earlier, later):
                if image.deepest_feature is None:
                    self.disparity(image)
            pair = [earlier.deepest_feature, later.deepest_feature]
        else:
            pair = [earlier.pixels, later.pixels]
        numbers = self._pose(pair)[0][0]
        factor = 1.0
        if self._scales_translation:
            # In training either image of a pair is the target; the later one's depth is at hand here.
            if later.mean_inverse_depth is None:
                self.disparity(later)
            factor = later.mean_inverse_depth
        return motion_matrix(numbers, factor)

    def release(self) -> None:
        self._depth = self._pose = None

    def _require_networks(self) -> None:
        if self._depth is None:
            raise released()


def create_graph_engine(
    checkpoint: Checkpoint, *runtimes: GraphRuntime, warn: Callable[[str], None] = lambda line: None
) -> GraphEngine:
    """The checkpoint's networks, converted and checked against PyTorch.

    runtimes: one, or the same one in several precisions, of which the first that agrees is taken; `warn` gets the
    reason where that is not the first. Converted networks are cached; a cached one that is damaged or wrong is
    converted again. EngineError where the runtime cannot convert the networks or does not agree with PyTorch.
    """
    runtime = runtimes[0]  # what is converted is in float32 and the same for all
    cache = GraphCache(checkpoint, f"{runtime.name} {runtime.version}")
    kept = cache.read()
    if kept is not None:
        try:
            return _load(checkpoint, runtimes, kept, warn)
        except Exception:  # a damaged file may surface anywhere in a runtime; what is wrong without it comes up again
            cache.discard()
    save = _convert(checkpoint, runtime)
    # Always from files: what is read back may be compiled differently, and results must not depend on the cache.
    with ExitStack() as stack:
        folder = cache.write(save)
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            save(folder)
        try:
            return _load(checkpoint, runtimes, folder, warn)
        except EngineError:
            cache.discard()
            raise


def _convert(checkpoint: Checkpoint, runtime: GraphRuntime) -> Callable[[Path], None]:
    """What writes the converted networks into a folder."""
    # One image at a time: with the batch fixed, runtimes know every shape beforehand.
    converted = [(graph, runtime.convert(graph, batch=1)) for graph in network_graphs(checkpoint)]

    def save(folder: Path) -> None:
        for graph, network in converted:
            runtime.save(network, folder / f"{graph.name}{runtime.suffix}", graph.card(checkpoint))

    return save


def _load(
    checkpoint: Checkpoint, runtimes: Sequence[GraphRuntime], folder: Path, warn: Callable[[str], None]
) -> GraphEngine:
    """Of the first runtime that agrees; EngineError of the last one."""
    reasons = []
    for runtime in runtimes[:-1]:
        try:
            engine = _load_one(checkpoint, runtime, folder)
            break
        except EngineError as error:
            reasons.append(f"{error}; precision auto takes {runtimes[-1].precision}")
    else:
        engine = _load_one(checkpoint, runtimes[-1], folder)
    # Not before: files that no precision agrees with are damaged and say nothing about the first one.
    for line in reasons:
        warn(line)
    return engine


def _load_one(checkpoint: Checkpoint, runtime: GraphRuntime, folder: Path) -> GraphEngine:
    paths = [folder / f"{graph.name}{runtime.suffix}" for graph in network_graphs(checkpoint)]
    engine = GraphEngine(checkpoint, runtime, [runtime.load(path) for path in paths])
    check_parity(engine, checkpoint)
    return engine
