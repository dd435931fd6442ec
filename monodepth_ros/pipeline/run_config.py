# SPDX-License-Identifier: Apache-2.0
"""The configuration of an offline run, read from the same parameter file as the node's."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.moving_frame import MovingFrameConfig
from monodepth_ros.settings.files import nested, read_ros_parameters
from monodepth_ros.settings.schema import ConfigError, replace, setting, values

# Settings of the node that say how it listens and lives, which means nothing for a recording: accepted and
# not used.
NODE_ONLY = (
    "image.reliability",
    "image_transport",
    "camera_info_timeout",
    "no_image_timeout",
    "enabled",
    "autostart",
    "tf_timeout",
    "cameras",
    "odometry.camera",
)
# The same for what every ROS node has.
ROS_ONLY = ("use_sim_time", "qos_overrides", "start_type_description_service")


@dataclass(frozen=True)
class RunConfig(MovingFrameConfig, PipelineConfig):
    """Everything the results of an offline run depend on, besides the recording.

    What is declared here means the same for the node, under the same names.
    """

    path_length: int = setting(
        1000, "Poses kept in the path; 0 keeps none.", unit="poses", minimum=0, maximum=100000, live=True
    )


def read_run_config(path: str | Path) -> RunConfig:
    """The settings of a ROS parameter file.

    Accepted and not used: NODE_ONLY, ROS_ONLY, and the settings of single cameras (whatever begins with a name
    that `cameras` lists).
    ConfigError, with the file's name, for a setting that nobody knows or that does not fit.
    """
    parameters = read_ros_parameters(path)
    try:
        return replace(RunConfig(), _offline(parameters))
    except ConfigError as error:
        raise ConfigError(f"parameter file {path}: {error}") from None


def parameter_file(config: RunConfig) -> str:
    """The configuration as a ROS parameter file, which `read_run_config` and the node take."""
    return yaml.safe_dump({"/**": {"ros__parameters": nested(values(config))}}, sort_keys=False)


def _offline(parameters: Mapping[str, Any]) -> dict[str, Any]:
    cameras = parameters.get("cameras") or []
    ignored = {*ROS_ONLY, *(cameras if isinstance(cameras, list) else [])}
    return {
        name: value for name, value in parameters.items() if name not in NODE_ONLY and name.split(".")[0] not in ignored
    }
