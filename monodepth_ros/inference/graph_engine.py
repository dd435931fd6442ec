# SPDX-License-Identifier: Apache-2.0
"""Engine for runtimes that run converted networks, with a cache and a check against PyTorch."""

import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from monodepth_ros.cache_folder import not_cached_line
from monodepth_ros.errors import one_line
from monodepth_ros.inference.engine import (
    Engine,
    EngineError,
    LoadedImage,
    Size,
    check_image,
    check_size,
    motion_matrix,
    no_pose_network,
    released,
)
from monodepth_ros.inference.graph import network_graphs
from monodepth_ros.inference.graph_cache import GraphCache
from monodepth_ros.inference.graph_runtime import GraphRuntime, Network
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.networks.checkpoints.checkpoint import Checkpoint, load_checkpoint
from monodepth_ros.networks.disparity import scale_disparity

ConvertFor = Callable[[Size], Sequence[Network]]
"""A size of images -> depth and, if there is one, pose network for it; EngineError if that fails."""


class GraphEngine(Engine):
    """A checkpoint's networks, loaded by a runtime: depth, and pose if there is one. Images are (1, H, W, 3) uint8.

    networks: for the checkpoint's size. convert: makes those of other sizes, because each graph is made for one size;
    None if there is only that size.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        runtime: GraphRuntime,
        networks: Sequence[Network],
        convert: ConvertFor | None = None,
    ):
        self.name, self.device, self.precision = runtime.name, runtime.device, runtime.precision
        self.header = checkpoint.header
        pose = checkpoint.pose
        self._has_pose = pose is not None
        self._shares_features = pose is not None and pose.uses_depth_features
        self._scales_translation = pose is not None and pose.times_mean_inverse_depth
        self._networks = {(self.header.width, self.header.height): networks}
        self._convert = convert

    @property
    def has_pose(self) -> bool:
        return self._has_pose

    @property
    def networks(self) -> Sequence[Network]:
        """Depth and, if there is one, pose network for images of the checkpoint's size."""
        return self._networks[self.header.width, self.header.height]

    def is_ready(self, size: Size) -> bool:
        return size in self._networks

    def prepare(self, size: Size) -> None:
        self._require_networks()
        check_size(size)
        if size in self._networks:
            return
        if self._convert is None:
            known = ", ".join(f"{width}x{height}" for width, height in self._networks)
            raise EngineError(f"these networks take images of {known} alone, not of {size[0]}x{size[1]}")
        networks = self._convert(size)
        self._require_networks()  # a node that ends does not wait for a conversion
        self._networks[size] = networks

    def load_image(self, rgb: np.ndarray) -> LoadedImage:
        self._require_networks()
        check_image(rgb, self._networks)
        return LoadedImage(np.array(rgb[None], order="C"))

    def disparity(self, image: LoadedImage) -> np.ndarray:
        outputs = self._networks_for(image)[0]([image.pixels])
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
        numbers = self._networks_for(later)[1](pair)[0][0]
        factor = 1.0
        if self._scales_translation:
            # In training, either image of a pair may be the target; here the later one's depth is available.
            if later.mean_inverse_depth is None:
                self.disparity(later)
            factor = later.mean_inverse_depth
        return motion_matrix(numbers, factor)

    def release(self) -> None:
        self._networks, self._convert = {}, None

    def _networks_for(self, image: LoadedImage) -> Sequence[Network]:
        self._require_networks()
        height, width = image.pixels.shape[1:3]
        return self._networks[width, height]

    def _require_networks(self) -> None:
        if not self._networks:
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
            if cache.problem is not None:
                cost = "they are converted again at each start, which takes seconds"
                warn(not_cached_line("converted networks", cache.place, cache.problem, cost))
            try:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                save(folder)
            except (OSError, RuntimeError) as error:
                raise EngineError(
                    f"converted networks can be written neither to {cache.place} nor to a temporary folder"
                    f" ({one_line(error, 200)})",
                    "free some space, or use engine pytorch",
                ) from None
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
    networks = [runtime.load(path) for path in paths]
    engine = GraphEngine(checkpoint, runtime, networks, _conversion(checkpoint, runtime))
    check_parity(engine, checkpoint)
    return engine


def _conversion(checkpoint: Checkpoint, runtime: GraphRuntime) -> ConvertFor:
    """Conversion of the checkpoint's networks for images of other sizes, cached and checked like those of its own."""
    # The file is read again, because weights in memory all the time would double what a node needs.
    path, sha256 = checkpoint.path, checkpoint.sha256
    unsaved = None if sha256 else checkpoint

    def convert(size: Size) -> Sequence[Network]:
        found = unsaved or load_checkpoint(path)
        if found.sha256 != sha256:
            raise EngineError(f"{path} is not the file any more that was loaded: start again, or restore it")
        width, height = size
        resized = replace(found, header=replace(found.header, width=width, height=height))
        return create_graph_engine(resized, runtime).networks

    return convert
