# SPDX-License-Identifier: Apache-2.0
"""Settings of a training; config/train.yaml documents every field."""

from dataclasses import dataclass
from typing import Any

from monodepth_ros.geometry.resample import FILTERS
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.networks.depth_network import STRIDE
from monodepth_ros.networks.registry import DEPTH_NETWORKS, POSE_NETWORKS
from monodepth_ros.settings.documentation import commented_yaml
from monodepth_ros.settings.schema import ConfigError, replace, section, setting, specifications
from monodepth_ros.training.objective import ObjectiveConfig
from monodepth_ros.training.optimizer import OptimizerConfig
from monodepth_ros.training.samples.augmentation import AugmentationConfig
from monodepth_ros.training.samples.config import DataConfig


@dataclass(frozen=True)
class NetworksConfig:
    """The networks, their input, and their initial weights."""

    depth: str = setting("resnet18", "Depth network.", choices=tuple(DEPTH_NETWORKS))
    pose: str = setting(
        "separate_resnet18", "Pose network; unused with data.sources stereo or none.", choices=tuple(POSE_NETWORKS)
    )
    width: int = setting(
        0,
        "Width of the networks' input, a multiple of 32. 0 follows the aspect of the camera (that of most frames), with"
        " about networks.pixels, or with networks.height if that is given; fine-tuning keeps the checkpoint's.",
        unit="pixels",
        minimum=0,
        maximum=8192,
    )
    height: int = setting(
        0,
        "Height of the networks' input, a multiple of 32; 0 as for networks.width.",
        unit="pixels",
        minimum=0,
        maximum=8192,
    )
    pixels: int = setting(
        122880,
        "Number of pixels of the networks' input if neither width nor height is given; 122880 are 640x192 or 384x288.",
        unit="pixels",
        minimum=1024,
        maximum=10**8,
    )
    filter: str = setting("area", "Filter that scales images down to the networks' input.", choices=FILTERS)
    min_depth: float = setting(
        0.1, "Nearest depth that the network can predict.", unit="network units", minimum=1e-6, maximum=1e6
    )
    max_depth: float = setting(
        100.0, "Farthest depth that the network can predict.", unit="network units", minimum=1e-6, maximum=1e6
    )
    start_from: str = setting(
        "", "Checkpoint whose weights are fine-tuned; networks that it does not hold start from scratch."
    )
    keep_depth: bool = setting(
        False,
        "Freeze the depth network of networks.start_from and train the pose network only: from the images with"
        " data.motion network, else by imitating the known motion.",
    )
    encoder_weights: str = setting(
        "", "File with ImageNet weights of a ResNet (torchvision's keys) for the encoders; empty: start from scratch."
    )

    def __post_init__(self) -> None:
        for name, side in (("width", self.width), ("height", self.height)):
            if side % STRIDE:
                nearest = max(STRIDE, STRIDE * round(side / STRIDE))
                raise ConfigError(
                    f"networks.{name} is {side}: it must be a multiple of {STRIDE}, such as {nearest}, or 0 to follow"
                    " the camera"
                )
        if self.min_depth >= self.max_depth:
            raise ConfigError(
                f"networks.min_depth {self.min_depth:g} must be less than networks.max_depth {self.max_depth:g}"
            )


@dataclass(frozen=True)
class LoopConfig:
    """Steps, validation, saving, and the hardware to train on."""

    batch_size: int = setting(12, "Samples per step and process.", minimum=1, maximum=4096)
    seed: int = setting(
        0, "Seed of the initial weights, the order of samples and the augmentation.", minimum=0, maximum=2**31 - 1
    )
    device: str = setting("auto", "Device: auto (CUDA if available), cpu, cuda or cuda:N.")
    precision: str = setting(
        "auto",
        "Arithmetic of the networks; auto is bf16 on CUDA and on CPUs with AVX-512 bf16 or AMX, else fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    channels_last: bool = setting(True, "Store images with the channels of a pixel side by side (usually faster).")
    compile: bool = setting(False, "Compile the networks with torch.compile.")
    max_steps: int = setting(
        0, "Maximum number of steps; 0 trains for all epochs.", unit="steps", minimum=0, maximum=10**9
    )
    save_every: int = setting(200, "Interval between saved states.", unit="steps", minimum=1, maximum=10**9)
    validate_every: int = setting(
        0, "Interval between validations; 0 validates after every epoch.", unit="steps", minimum=0, maximum=10**9
    )
    best_by: str = setting(
        "auto",
        "Measure that selects the best weights; auto is abs_rel if the recordings have reference depth, else the loss.",
        choices=("auto", "loss"),
    )
    patience: int = setting(
        0,
        "Stop after this many validations in a row without improvement; 0 never stops early.",
        minimum=0,
        maximum=10**6,
    )
    log_every: int = setting(10, "Interval between lines of the log.", unit="steps", minimum=1, maximum=10**9)
    licence: str = setting("", "Licence of the weights, written into the checkpoint.")


@dataclass(frozen=True)
class TrainConfig:
    """All settings of a training."""

    data: DataConfig = section(DataConfig)
    networks: NetworksConfig = section(NetworksConfig)
    objective: ObjectiveConfig = section(ObjectiveConfig)
    augmentation: AugmentationConfig = section(AugmentationConfig)
    optimizer: OptimizerConfig = section(OptimizerConfig)
    loop: LoopConfig = section(LoopConfig)

    def __post_init__(self) -> None:
        if self.data.motion != "network" and self.objective.velocity:
            raise ConfigError(
                f"objective.velocity teaches a pose network, and data.motion {self.data.motion} trains none: set it to"
                " 0 (data.motion recorded makes depth metric)"
            )
        if self.networks.keep_depth and not self.networks.start_from:
            raise ConfigError(
                "networks.keep_depth needs networks.start_from (--from): a checkpoint whose depth is kept"
            )
        if self.data.sources == "none":
            self._check_supervision()
        if self.networks.keep_depth and self.objective.depth.weight:
            raise ConfigError("networks.keep_depth leaves depth as it is: set objective.depth.weight to 0")
        if self.networks.keep_depth and self.data.sources != "mono":
            raise ConfigError(
                f"networks.keep_depth trains the pose network only: set data.sources to mono, not {self.data.sources}"
            )

    def _check_supervision(self) -> None:
        """Check the objective of a training without images to reconstruct the target from."""
        if not self.objective.depth.weight:
            raise ConfigError(
                "data.sources none learns from reference depth alone: set objective.depth.weight (such as 1)"
            )
        for name in ("velocity", "depth_consistency", "predictive_mask"):
            if getattr(self.objective, name):
                raise ConfigError(f"objective.{name} needs neighbours in time: set data.sources to mono or both")

    def with_input_size(self, size: tuple[int, int]) -> "TrainConfig":
        """The settings with this width and height of the networks' input, as chosen for the recordings."""
        return replace(self, {"networks.width": size[0], "networks.height": size[1]})

    @property
    def learns_motion(self) -> bool:
        """Whether a pose network is trained. With known motion it is trained only to imitate it, for depth that is
        kept."""
        return self.data.has_neighbours and (self.data.motion == "network" or self.networks.keep_depth)

    @property
    def pose_supervision(self) -> str:
        """The setting by which the recordings' poses teach the networks; '' if they serve for validation only."""
        if self.data.motion == "recorded":
            return "data.motion recorded"
        return f"objective.velocity {self.objective.velocity:g}" if self.objective.velocity else ""

    @property
    def depth_supervision(self) -> str:
        """The setting by which the recordings' depth teaches the networks; '' if it serves for validation only."""
        weight = self.objective.depth.weight
        return f"objective.depth.weight {weight:g}" if weight else ""


def network_settings(header: CheckpointHeader) -> dict[str, Any]:
    """Settings by name for a training that continues a checkpoint: networks, input size, filter and depth range."""
    settings = {
        "networks.depth": header.depth_network,
        "networks.width": header.width,
        "networks.height": header.height,
        "networks.filter": header.filter,
        "networks.min_depth": header.min_depth,
        "networks.max_depth": header.max_depth,
    }
    return settings | ({"networks.pose": header.pose_network} if header.pose_network else {})


def training_file() -> str:
    """Text of config/train.yaml: every setting at its default, with unit, range and meaning."""
    head = "# monodepth train: every setting at its default (monodepth config --dump train). Keep what you change."
    return "\n".join([head, *commented_yaml(specifications(TrainConfig).values())]) + "\n"
