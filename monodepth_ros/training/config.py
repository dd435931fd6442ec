# SPDX-License-Identifier: Apache-2.0
"""Everything a training depends on; `config/train.yaml` documents every field."""

from dataclasses import dataclass

from monodepth_ros.geometry.resample import FILTERS
from monodepth_ros.networks.depth_network import NetworkError, check_size
from monodepth_ros.networks.registry import DEPTH_NETWORKS, POSE_NETWORKS
from monodepth_ros.settings.documentation import commented_yaml
from monodepth_ros.settings.schema import ConfigError, section, setting, specifications
from monodepth_ros.training.objective import ObjectiveConfig
from monodepth_ros.training.optimizer import OptimizerConfig
from monodepth_ros.training.samples.augmentation import AugmentationConfig
from monodepth_ros.training.samples.config import DataConfig


@dataclass(frozen=True)
class NetworksConfig:
    """The networks, their input, and where their weights begin."""

    depth: str = setting("resnet18", "Depth network.", choices=tuple(DEPTH_NETWORKS))
    pose: str = setting("separate_resnet18", "Pose network; not used with stereo alone.", choices=tuple(POSE_NETWORKS))
    width: int = setting(640, "Columns of the input, a multiple of 32.", unit="pixels", minimum=32, maximum=8192)
    height: int = setting(192, "Rows of the input, a multiple of 32.", unit="pixels", minimum=32, maximum=8192)
    filter: str = setting("area", "How images are scaled down.", choices=FILTERS)
    min_depth: float = setting(0.1, "Nearest depth.", unit="network units", minimum=1e-6, maximum=1e6)
    max_depth: float = setting(100.0, "Farthest depth.", unit="network units", minimum=1e-6, maximum=1e6)
    start_from: str = setting(
        "", "A checkpoint whose weights are trained on (fine-tuning); what it lacks starts from scratch."
    )
    keep_depth: bool = setting(
        False,
        "Leave the depth of networks.start_from as it is, and learn motion alone: with data.motion network from the images, else"
        " by imitating the motion that is known.",
    )
    encoder_weights: str = setting(
        "", "File with the weights of an ImageNet ResNet (torchvision's keys) for the encoders."
    )

    def __post_init__(self) -> None:
        try:
            check_size(self.width, self.height)
        except NetworkError as error:
            raise ConfigError(f"networks: {error}") from None
        if self.min_depth >= self.max_depth:
            raise ConfigError(
                f"networks.min_depth {self.min_depth:g} must be less than networks.max_depth {self.max_depth:g}"
            )


@dataclass(frozen=True)
class LoopConfig:
    """How the training runs."""

    batch_size: int = setting(12, "Samples per step and process.", minimum=1, maximum=4096)
    seed: int = setting(0, "Of the weights, the order and the augmentation.", minimum=0, maximum=2**31 - 1)
    device: str = setting("auto", "auto (CUDA where there is one), cpu, cuda or cuda:N.")
    precision: str = setting(
        "auto",
        "Of the networks in training: auto is bf16 on CUDA and on a CPU with AVX-512 bf16 or AMX, else fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    channels_last: bool = setting(True, "Keep the channels of a pixel together in memory.")
    compile: bool = setting(False, "Compile the networks with torch.compile.")
    max_steps: int = setting(
        0, "End after so many steps; 0: after the last epoch.", unit="steps", minimum=0, maximum=10**9
    )
    save_every: int = setting(200, "Steps between savings.", unit="steps", minimum=1, maximum=10**9)
    validate_every: int = setting(
        0, "Steps between validations; 0: after every epoch.", unit="steps", minimum=0, maximum=10**9
    )
    best_by: str = setting(
        "auto",
        "What says which weights are best: auto is exact depth where the recordings have some, else the loss.",
        choices=("auto", "loss"),
    )
    patience: int = setting(
        0,
        "Validations in a row that were no better after which the training ends; 0: any number.",
        minimum=0,
        maximum=10**6,
    )
    log_every: int = setting(10, "Steps between lines of the log.", unit="steps", minimum=1, maximum=10**9)
    licence: str = setting("", "Licence of the weights, written into the checkpoint.")


@dataclass(frozen=True)
class TrainConfig:
    """The whole of it."""

    data: DataConfig = section(DataConfig)
    networks: NetworksConfig = section(NetworksConfig)
    objective: ObjectiveConfig = section(ObjectiveConfig)
    augmentation: AugmentationConfig = section(AugmentationConfig)
    optimizer: OptimizerConfig = section(OptimizerConfig)
    loop: LoopConfig = section(LoopConfig)

    def __post_init__(self) -> None:
        if self.data.motion != "network" and self.objective.velocity:
            raise ConfigError(
                f"objective.velocity teaches a pose network, and with data.motion {self.data.motion} there is none: set it to 0"
                " (data.motion recorded makes depth metric)"
            )
        if self.networks.keep_depth and not self.networks.start_from:
            raise ConfigError(
                "networks.keep_depth needs networks.start_from (--from): a checkpoint whose depth is kept"
            )
        if self.networks.keep_depth and self.data.sources != "mono":
            raise ConfigError(
                f"networks.keep_depth learns motion alone: set data.sources to mono, not {self.data.sources}"
            )

    @property
    def learns_motion(self) -> bool:
        """Whether a pose network is trained: with motion that is known only to imitate it, for depth that is kept."""
        return self.data.sources != "stereo" and (self.data.motion == "network" or self.networks.keep_depth)


def training_file() -> str:
    """config/train.yaml: every setting at its default, with unit, range and meaning."""
    head = "# monodepth train: every setting at its default (monodepth config --dump train). Keep what you change."
    return "\n".join([head, *commented_yaml(specifications(TrainConfig).values())]) + "\n"
