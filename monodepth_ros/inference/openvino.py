"""Inference with OpenVINO on x86 CPUs: convolutions fused with what follows them, in the CPU's own layout."""

import sys
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monodepth_ros.inference.engine import (
    Engine,
    EngineError,
    check_cpu_precision,
    check_image,
    motion_matrix,
    released,
)
from monodepth_ros.inference.graph import depth_graph, pose_graph
from monodepth_ros.inference.graph_cache import GraphCache
from monodepth_ros.inference.parity import check_parity
from monodepth_ros.networks.checkpoint import Checkpoint
from monodepth_ros.networks.disparity import scale_disparity

HINTS = {"fp32": "f32", "bf16": "bf16"}


@dataclass(eq=False)
class LoadedImage:
    """An image and what has been computed of it."""

    pixels: np.ndarray
    """(1, H, W, 3) uint8."""
    deepest_feature: np.ndarray | None = None
    """Last feature of the depth encoder, kept for pose networks that share it."""
    mean_inverse_depth: float | None = None
    """Spatial mean in 1 / network units, kept for pose networks that need it."""


class OpenvinoEngine(Engine):
    """Both networks compiled by OpenVINO for this CPU and checked against PyTorch; arguments as in `create_engine`.

    Converted networks are cached; a cached one that is damaged or wrong is converted again. It uses as many
    threads as PyTorch would (OMP_NUM_THREADS). EngineError where OpenVINO is not installed, cannot convert the
    networks or does not agree with PyTorch.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, checkpoint: Checkpoint, device: str = "auto", precision: str = "auto"):
        openvino = import_openvino()
        if device not in ("auto", "cpu"):
            raise EngineError(f"engine openvino runs on the CPU, device is {device!r}: set device to cpu")
        self._core = openvino.Core()
        self.precision = self._find_precision(precision)
        self.header = checkpoint.header
        pose = checkpoint.pose
        self._shares_features = pose is not None and pose.uses_depth_features
        self._scales_translation = pose is not None and pose.times_mean_inverse_depth
        cache = GraphCache(checkpoint, f"openvino {openvino.__version__}, torch {torch.__version__}")
        kept = cache.read()
        if kept is not None:
            try:
                self._load(kept, checkpoint)
                return
            except (EngineError, RuntimeError):
                cache.discard()
        models = convert(checkpoint)
        # Always from files: what is read back is compiled a little differently, and results must not depend on the cache.
        with tempfile.TemporaryDirectory() as temporary:
            folder = cache.write(lambda folder: save(models, folder))
            if folder is None:
                folder = Path(temporary)
                save(models, folder)
            try:
                self._load(folder, checkpoint)
            except EngineError:
                cache.discard()
                raise

    def _load(self, folder: Path, checkpoint: Checkpoint) -> None:
        """Compile and check what `save` wrote."""
        self._compile(*(self._read(folder / f"{name}.xml") for name in ("depth", "pose")))
        check_parity(self, checkpoint)

    @property
    def has_pose(self) -> bool:
        return self._pose is not None

    def load_image(self, rgb: np.ndarray) -> LoadedImage:
        self._require_networks()
        check_image(rgb, self.header)
        return LoadedImage(np.array(rgb[None], order="C"))

    def disparity(self, image: LoadedImage) -> np.ndarray:
        self._require_networks()
        outputs = self._depth.infer([image.pixels], share_inputs=True)
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
        numbers = self._pose.infer(pair, share_inputs=True)[0][0]
        factor = 1.0
        if self._scales_translation:
            # In training either image of a pair is the target; the later one's depth is at hand here.
            if later.mean_inverse_depth is None:
                self.disparity(later)
            factor = later.mean_inverse_depth
        return motion_matrix(numbers, factor)

    def release(self) -> None:
        self._depth = self._pose = self._core = None

    def _find_precision(self, name: str) -> str:
        check_cpu_precision(name)
        if name == "auto":
            return "fp32"
        if name == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("this CPU has no bf16 arithmetic: choose precision auto or fp32")
        return name

    def _read(self, path: Path) -> Any:
        return self._core.read_model(path) if path.exists() else None

    def _compile(self, depth: Any, pose: Any) -> None:
        settings = {
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            # Pinned threads would wait for the decoder and the camera driver that share their core.
            "ENABLE_CPU_PINNING": False,
        }
        self._depth, self._pose = (
            None if model is None else self._core.compile_model(model, "CPU", settings).create_infer_request()
            for model in (depth, pose)
        )

    def _require_networks(self) -> None:
        if self._depth is None:
            raise released()


def import_openvino() -> Any:
    """The package openvino; EngineError where it cannot be imported."""
    # With its telemetry package in reach the import would be reported to the makers: a robot reports to nobody.
    sys.modules.setdefault("openvino_telemetry", None)
    try:
        import openvino
    except ImportError as error:
        raise EngineError(f"no engine openvino here ({error}): pip install openvino, or use engine pytorch") from None
    return openvino


def convert(checkpoint: Checkpoint) -> tuple[Any, Any]:
    """The checkpoint's networks as openvino.Model: (depth, pose or None)."""
    openvino = import_openvino()
    models = []
    for make in (depth_graph, pose_graph):
        if make is pose_graph and checkpoint.pose is None:
            models.append(None)
            continue
        graph, example = make(checkpoint)
        try:
            # Tracing warns of every test of a shape in Python; the shapes are fixed here.
            with warnings.catch_warnings(), torch.inference_mode():
                warnings.simplefilter("ignore")
                inputs = [openvino.PartialShape(tensor.shape) for tensor in example]
                models.append(openvino.convert_model(graph, example_input=example, input=inputs))
        except Exception as error:  # whatever the converter of that version raises
            reason = " ".join(str(error).split())
            raise EngineError(f"openvino cannot convert these networks ({reason:.200}): use engine pytorch") from None
    return tuple(models)


def save(models: tuple[Any, Any], folder: Path) -> None:
    """Write what `convert` gave as depth.xml and pose.xml, each with its .bin, in float32."""
    openvino = import_openvino()
    for name, model in zip(("depth", "pose"), models, strict=True):
        if model is not None:
            openvino.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)
