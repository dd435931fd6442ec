"""What can be set about the processing of one frame, live or offline."""

from dataclasses import dataclass

from monodepth_ros.settings.schema import ConfigError, section, setting


@dataclass(frozen=True)
class ImageConfig:
    """How the camera's image is to be understood."""

    rectified: bool = setting(
        False,
        "The image is already rectified (an image_rect topic): its intrinsics are camera_info's P, and D is ignored.",
    )


@dataclass(frozen=True)
class DepthConfig:
    """The depth image."""

    resolution: str = setting(
        "network",
        "Size of the depth image: the network's, or that of the (rectified) camera image.",
        choices=("network", "image"),
        live=True,
    )
    encoding: str = setting(
        "32FC1",
        "32FC1: metres, NaN invalid, +Inf too far, -Inf too near; 16UC1: millimetres, 0 for all of these.",
        choices=("32FC1", "16UC1"),
    )
    min_range: float = setting(0.1, "Nearer is reported as too near.", unit="m", minimum=0.0, maximum=1000.0, live=True)
    max_range: float = setting(
        100.0, "Farther is reported as too far.", unit="m", minimum=0.0, maximum=10000.0, live=True
    )
    compressed: bool = setting(
        False, "Offer depth/image/compressedDepth too, as image_transport defines it (PNG; made when subscribed)."
    )
    compressed_quantization: float = setting(
        100.0,
        "image_transport's depth_quantization, for 32FC1: compressedDepth has steps of depth^2 / (q (q + 1)) and nothing "
        "nearer than about q (q + 1) / 65535 m; its depth_max is depth.max_range.",
        minimum=1.0,
        maximum=10000.0,
        live=True,
    )

    def __post_init__(self) -> None:
        _check_order("depth", self.min_range, self.max_range)


@dataclass(frozen=True)
class CloudConfig:
    """The coloured point cloud."""

    stride: int = setting(
        1,
        "Every stride-th pixel of every stride-th row becomes a point.",
        unit="pixels",
        minimum=1,
        maximum=64,
        live=True,
    )
    min_range: float = setting(
        0.5, "Nearer points are left out (NaN).", unit="m", minimum=0.0, maximum=1000.0, live=True
    )
    max_range: float = setting(
        60.0, "Farther points are left out (NaN).", unit="m", minimum=0.0, maximum=10000.0, live=True
    )

    def __post_init__(self) -> None:
        _check_order("cloud", self.min_range, self.max_range)


@dataclass(frozen=True)
class ScaleConfig:
    """Where metres come from."""

    source: str = setting(
        "auto",
        "auto: the most certain of scale.odometry_topic, scale.camera_height or scale.ground_frame (as far as they are set) "
        "and what the checkpoint states; camera_height: from the ground in the depth image; odometry: from "
        "the robot's own odometry; checkpoint: what it states; fixed: scale.factor; relative: network units, NOT metres (TF "
        "stays off).",
        choices=("auto", "camera_height", "odometry", "checkpoint", "fixed", "relative"),
        live=True,
    )
    factor: float = setting(
        1.0,
        "Metres per network unit, with scale.source fixed.",
        unit="m",
        minimum=1e-6,
        maximum=1e6,
        live=True,
    )
    camera_height: float = setting(
        0.0,
        "Height of the camera above the ground; 0: from TF (see scale.ground_frame).",
        unit="m",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    ground_frame: str = setting(
        "",
        "Frame that lies on the ground with z up: TF from it gives the camera's tilt, and its height where "
        "scale.camera_height is 0; empty: base_footprint, else base_link, with scale.source camera_height alone.",
    )
    odometry_topic: str = setting(
        "",
        "The robot's own odometry or velocity (nav_msgs/Odometry, geometry_msgs/TwistStamped, TwistWithCovarianceStamped), "
        "for scale.source odometry or auto.",
    )
    odometry_type: str = setting(
        "auto",
        "Message type on scale.odometry_topic; auto: that of its publishers.",
        choices=("auto", "Odometry", "TwistStamped", "TwistWithCovarianceStamped"),
    )
    time_constant: float = setting(
        5.0,
        "How slowly a measured scale follows (it is the median of twice this time), and a change of source takes place.",
        unit="s",
        minimum=0.1,
        maximum=3600.0,
        live=True,
    )


@dataclass(frozen=True)
class OdometryConfig:
    """From relative motions to a trajectory."""

    enabled: bool = setting(True, "Estimate the camera's motion.", live=True)
    source: str = setting(
        "auto",
        "What the motion comes from. features: points followed through the images, and the network's depth; network: the "
        "checkpoint's pose network; auto: features, and the pose network, where there is one, for frames without them.",
        choices=("auto", "features", "network"),
        live=True,
    )
    max_points: int = setting(
        300, "Points to follow, with odometry.source features or auto.", minimum=50, maximum=2000, live=True
    )
    imu_topic: str = setting(
        "",
        "sensor_msgs/Imu whose gyro helps the rotation; empty: none. TF must connect its frame with the camera's.",
    )
    imu_time_offset: float = setting(
        0.0,
        "To be added to an image's stamp to get the gyro's stamp of that moment, as far as known.",
        unit="s",
        minimum=-10.0,
        maximum=10.0,
    )
    imu_estimate_offset: bool = setting(
        True, "Find the time offset from turns, up to 0.3 s from odometry.imu_time_offset."
    )
    imu_noise: float = setting(0.002, "Density of the gyro's noise.", unit="rad/s/sqrt(Hz)", minimum=1e-6, maximum=1.0)
    max_gap: float = setting(
        1.0,
        "A longer time between two frames breaks the trajectory.",
        unit="s",
        minimum=0.01,
        maximum=3600.0,
        live=True,
    )
    on_gap: str = setting(
        "reset",
        "After a gap: reset begins a new trajectory at the origin, hold goes on from the last pose.",
        choices=("reset", "hold"),
        live=True,
    )
    max_speed: float = setting(
        60.0,
        "A faster motion is held to be an error and ignored (lost).",
        unit="m/s",
        minimum=0.01,
        maximum=1000.0,
        live=True,
    )
    max_turn_rate: float = setting(
        3.0,
        "A faster rotation is held to be an error and ignored (lost).",
        unit="rad/s",
        minimum=0.01,
        maximum=100.0,
        live=True,
    )
    translation_noise: float = setting(
        0.05,
        "Standard deviation of the pose network's translation in a step, as a share of its length.",
        minimum=1e-4,
        maximum=10.0,
        live=True,
    )
    translation_noise_floor: float = setting(
        0.01,
        "Standard deviation of the pose network's translation at rest.",
        unit="m",
        minimum=1e-6,
        maximum=10.0,
        live=True,
    )
    rotation_noise: float = setting(
        0.05,
        "Standard deviation of the pose network's rotation in a step, as a share of its angle.",
        minimum=1e-4,
        maximum=10.0,
        live=True,
    )
    rotation_noise_floor: float = setting(
        0.002,
        "Standard deviation of the pose network's rotation at rest.",
        unit="rad",
        minimum=1e-6,
        maximum=1.0,
        live=True,
    )


@dataclass(frozen=True)
class PipelineConfig:
    """Everything the processing of a frame depends on, besides the frame."""

    checkpoint: str = setting(
        "",
        "A .safetensors file of this package, a folder of weights in monodepth2's format, or the name of a checkpoint that "
        "`monodepth download` has fetched. Required.",
    )
    device: str = setting("auto", "auto (CUDA where there is one), cpu, cuda or cuda:N.")
    engine: str = setting(
        "auto",
        "What runs the networks. auto: PyTorch on CUDA; on a CPU the first of OpenVINO and ONNX Runtime that is installed and "
        "agrees with PyTorch, else PyTorch.",
        choices=("auto", "pytorch", "openvino", "onnxruntime"),
    )
    precision: str = setting(
        "auto",
        "Arithmetic of the networks. auto: fp16 of PyTorch on CUDA; bf16 of OpenVINO and PyTorch on a CPU that has it (AVX-512 bf16 "
        "or AMX), where it agrees with fp32 on this checkpoint; else fp32.",
        choices=("auto", "fp32", "bf16", "fp16"),
    )
    compile: bool = setting(
        False,
        "Compile the networks with torch.compile: for engine pytorch, which auto then takes. Needs a C++ compiler; the first start "
        "takes a minute or more.",
    )
    calibration_file: str = setting(
        "", "Calibration in camera_calibration's YAML format, used instead of the camera_info topic."
    )
    image: ImageConfig = section(ImageConfig)
    depth: DepthConfig = section(DepthConfig)
    cloud: CloudConfig = section(CloudConfig)
    scale: ScaleConfig = section(ScaleConfig)
    odometry: OdometryConfig = section(OdometryConfig)


def _check_order(name: str, minimum: float, maximum: float) -> None:
    if minimum >= maximum:
        raise ConfigError(f"{name}.min_range {minimum:g} m must be less than {name}.max_range {maximum:g} m")
