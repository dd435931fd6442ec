"""Everything a training depends on; `config/train.yaml` documents every field."""

from dataclasses import dataclass

from monodepth_ros.geometry.resample import FILTERS
from monodepth_ros.networks.depth_network import NetworkError, check_size
from monodepth_ros.networks.registry import DEPTH_NETWORKS, POSE_NETWORKS
from monodepth_ros.settings.documentation import commented_yaml
from monodepth_ros.settings.schema import ConfigError, section, setting, specifications
from monodepth_ros.training.objective import ObjectiveConfig
from monodepth_ros.training.samples.augmentation import AugmentationConfig

SOURCES = ("mono", "stereo", "both")
MOTIONS = ("network", "features", "recorded")


@dataclass(frozen=True)
class DataConfig:
    """Which frames are learned from."""

    recordings: tuple[str, ...] = setting((), "Bags, image folders, KITTI folders and videos. Required.")
    sources: str = setting(
        "mono",
        "What the target is reconstructed from: its neighbours in time (mono), the other camera of a stereo pair, or both.",
        choices=SOURCES,
    )
    motion: str = setting(
        "network",
        "What tells the motion between neighbours in time: a pose network that learns it (network); features followed through the "
        "images, with the depth of networks.start_from, once before the training (features); or the recording's own odometry, "
        "which makes depth metric (recorded). With the latter two only depth is learned, or with networks.keep_depth only motion.",
        choices=MOTIONS,
    )
    topic: str = setting(
        "", "Image topic of a bag; empty: the only one there is (with stereo: the left one of a pair)."
    )
    camera_info: str = setting("", "Its camera_info topic; empty: the one beside it.")
    odometry: str = setting(
        "", "Topic of nav_msgs/Odometry that says how the camera moves; empty: the one that is named as ground truth."
    )
    stereo_topic: str = setting("", "Image topic of the right camera, for stereo; empty: the one beside the left one.")
    camera: str = setting("", "Camera of a folder that has several: left, right or the sub-folder's name.")
    calibration_file: str = setting(
        "", "Calibration in camera_calibration's YAML format, instead of the recordings' own."
    )
    rectified: bool = setting(False, "The images are rectified already: P counts, D does not.")
    rate: float = setting(
        0.0,
        "Frames per second of recordings that state no times; 0: their reader's default.",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
    )
    frame_step: int = setting(
        0,
        "Frames from the target to its neighbours; 0: so many that the image moves visibly.",
        unit="frames",
        minimum=0,
        maximum=100,
    )
    min_motion: float = setting(
        0.001,
        "Frames between which the image moves less than this share of its width (the median of its optical flow) are static and left out.",
        minimum=0.0,
        maximum=1.0,
    )
    validation_share: float = setting(
        0.1, "Share of the time that is kept for validation, in blocks.", minimum=0.0, maximum=0.5
    )
    validation_frames: int = setting(
        60, "At most so many frames are validated on.", unit="frames", minimum=1, maximum=10000
    )
    hood: float = setting(
        0.0,
        "Share of the image's height, from the bottom, that shows the vehicle itself and is left out.",
        minimum=0.0,
        maximum=0.9,
    )
    mask_file: str = setting("", "Picture of the camera's image in which black is left out of the loss.")
    cache_mb: int = setting(2000, "Memory for frames that have been prepared.", unit="MB", minimum=0, maximum=1000000)
    workers: int = setting(2, "Threads that read, decode and rectify.", unit="threads", minimum=1, maximum=64)

    def __post_init__(self) -> None:
        if self.motion != "network" and self.sources == "stereo":
            raise ConfigError(f"data.motion {self.motion} is for neighbours in time: set data.sources to mono or both")


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
class OptimizerConfig:
    """Adam and its schedule."""

    learning_rate: float = setting(1e-4, "At the start, after the warm-up.", minimum=0.0, maximum=1.0)
    epochs: int = setting(20, "Passes over all samples.", minimum=1, maximum=100000)
    schedule: str = setting("step", "How the learning rate goes on.", choices=("step", "cosine", "constant"))
    step_epochs: int = setting(15, "With step: epochs until it is multiplied.", minimum=1, maximum=100000)
    step_factor: float = setting(0.1, "With step: by what it is multiplied.", minimum=1e-6, maximum=1.0)
    warm_up: int = setting(0, "Steps in which it grows from 0.", unit="steps", minimum=0, maximum=1000000)
    clip_gradient: float = setting(
        0.0, "Longest gradient (its norm over all weights); 0: any.", minimum=0.0, maximum=1e6
    )
    ema: float = setting(
        0.0,
        "Decay of an exponential moving average of the weights, which is what is kept then; 0: none.",
        minimum=0.0,
        maximum=0.99999,
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
    head = "# Every setting of `monodepth train` at its default. Written by scripts/docs; copy it and keep what you change."
    return "\n".join([head, *commented_yaml(specifications(TrainConfig).values())]) + "\n"
