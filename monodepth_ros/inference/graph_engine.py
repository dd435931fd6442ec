# SPDX-License-Identifier: Apache-2.0
"""Engine for runtimes that run converted networks, with a cache and a check against PyTorch."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from monodepth_ros.inference.engine import (
    Engine,
    EngineError,
    LoadedImage,
    check_image,
    motion_matrix,
    no_pose_network,
    released,
)
from monodepth_ros.inference.graph import network_graphs
from monodepth_ros.inference.graph_cache import GraphCache
from monodepth_ros.inference.graph_runtime import GraphRuntime, Network
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint
from monodepth_ros.networks.disparity import scale_disparity


class GraphEngine(Engine):
    """A checkpoint's networks, loaded by a runtime: depth, and pose if there is one. Images are (1, H, W, 3) uint8."""

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
            raise no_pose_network()
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
            # In training, either image of a pair may be the target; here the later one's depth is available.
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

    runtimes: one, or the same one in several precisions; the first that agrees is used, and `warn` gets the reasons
    against those before it. Converted networks are cached; a damaged or wrong entry is converted again. EngineError if
    the runtime cannot convert the networks or does not agree with PyTorch.
    """
    runtime = runtimes[0]  # the conversion is in float32 and the same for all
    cache = GraphCache(checkpoint, f"{runtime.name} {runtime.version}")
    kept = cache.read()
    if kept is not None:
        try:
            return _load(checkpoint, runtimes, kept, warn)
        except Exception:  # a damaged file can fail anywhere in a runtime; other errors come up again below
            cache.discard()
    save = _convert(checkpoint, runtime)
    # Always load from files: results must not depend on whether the networks came from the cache.
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
    """Convert the networks; returns a function that writes them into a folder."""
    # A fixed batch of one image lets runtimes compile for known shapes.
    converted = [(graph, runtime.convert(graph, batch=1)) for graph in network_graphs(checkpoint)]

    def save(folder: Path) -> None:
        for graph, network in converted:
            runtime.save(network, folder / f"{graph.name}{runtime.suffix}", graph.card(checkpoint))

    return save


def _load(
    checkpoint: Checkpoint, runtimes: Sequence[GraphRuntime], folder: Path, warn: Callable[[str], None]
) -> GraphEngine:
    """The engine of the first runtime that agrees; the last one's EngineError if none does."""
    reasons: list[str] = []
    for runtime in runtimes[:-1]:
        try:
            engine = _load_one(checkpoint, runtime, folder)
            break
        except EngineError as error:
            reasons.append(f"{error}; precision auto takes {runtimes[-1].precision}")
    else:
        engine = _load_one(checkpoint, runtimes[-1], folder)
    # Warn only now: if no precision agrees, the files are damaged and the precisions are not to blame.
    for reason in reasons:
        warn(reason)
    return engine


def _load_one(checkpoint: Checkpoint, runtime: GraphRuntime, folder: Path) -> GraphEngine:
    paths = [folder / f"{graph.name}{runtime.suffix}" for graph in network_graphs(checkpoint)]
    engine = GraphEngine(checkpoint, runtime, [runtime.load(path) for path in paths])
    check_parity(engine, checkpoint)
    return engine
