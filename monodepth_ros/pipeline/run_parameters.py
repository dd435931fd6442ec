# SPDX-License-Identifier: Apache-2.0
"""The settings of an offline run as a ROS parameter file, which the node takes, too."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.files import nested, read_ros_parameters
from monodepth_ros.settings.schema import ConfigError, replace, specifications, values

# Settings of the node's subscriptions and life cycle: accepted, and without effect offline.
NODE_ONLY = frozenset(specifications(NodeConfig)) - frozenset(specifications(RunConfig))
# Parameters of every ROS node: the same.
ROS_ONLY = ("use_sim_time", "qos_overrides", "start_type_description_service")


def read_run_config(path: str | Path) -> RunConfig:
    """The settings in a ROS parameter file of the node.

    Accepted and ignored: NODE_ONLY, ROS_ONLY, and the settings of the cameras that `cameras` lists. ConfigError, with
    the file's name, for an unknown setting or a value that does not fit.
    """
    parameters = read_ros_parameters(path)
    try:
        return replace(RunConfig(), _offline(parameters))
    except ConfigError as error:
        raise ConfigError(f"parameter file {path}: {error}") from None


def parameter_file(config: RunConfig) -> str:
    """The configuration as a ROS parameter file, for `read_run_config` and for the node."""
    return yaml.safe_dump({"/**": {"ros__parameters": nested(values(config))}}, sort_keys=False)


def _offline(parameters: Mapping[str, Any]) -> dict[str, Any]:
    cameras = parameters.get("cameras")
    names = [name for name in cameras if isinstance(name, str)] if isinstance(cameras, list) else []
    ignored = {*ROS_ONLY, *names}
    empty_groups = {name.rpartition(".")[0] for name in NODE_ONLY}
    return {
        name: value
        for name, value in parameters.items()
        if name not in NODE_ONLY and name.split(".")[0] not in ignored and not (value is None and name in empty_groups)
    }
