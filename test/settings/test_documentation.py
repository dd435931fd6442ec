# SPDX-License-Identifier: Apache-2.0
"""Settings as commented YAML."""

from dataclasses import dataclass

import pytest
import yaml

from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.settings.documentation import commented_yaml
from monodepth_ros.settings.files import flatten
from monodepth_ros.settings.schema import section, setting, specifications
from monodepth_ros.training.config import TrainConfig


@dataclass(frozen=True)
class LensConfig:
    focal_length: float = setting(4.0, "Focal length.", unit="mm", minimum=1.0, maximum=50.0)
    mount: str = setting("", "Type of the mount.", choices=("", "C", "CS"))


@dataclass(frozen=True)
class PhotoConfig:
    lens: LensConfig = section(LensConfig)
    count: int = setting(3, "Number of photos.", minimum=1)
    share: float = setting(float("nan"), "Share of the sky.", maximum=1.0)
    names: tuple[str, ...] = setting((), "Names of the photos.")
    flash: bool = setting(True, "Use the flash.")


def test_the_comment_above_each_setting_states_meaning_unit_and_limits():
    assert commented_yaml(specifications(PhotoConfig).values(), indent="  ") == [
        "  # Number of photos. [at least 1]",
        "  count: 3",
        "  # Share of the sky. [at most 1]",
        "  share: .nan",
        "  # Names of the photos.",
        '  names: [""]',
        "  # Use the flash.",
        "  flash: true",
        "  lens:",
        "    # Focal length. [mm, 1 to 50]",
        "    focal_length: 4.0",
        '    # Type of the mount. ["" | C | CS]',
        '    mount: ""',
    ]


@pytest.mark.parametrize("config", [NodeConfig, TrainConfig])
def test_the_yaml_holds_every_default_in_its_type(config):
    known = specifications(config)
    read = flatten(yaml.safe_load("\n".join(commented_yaml(known.values()))))
    assert list(read) == sorted(known, key=lambda name: "." in name)
    for name, item in known.items():
        value = item.check(read[name])
        is_unset = item.default != item.default and value != value  # NaN
        assert value == item.default or is_unset, f"{name}: {value!r} is not {item.default!r}"
        assert item.type is tuple or type(read[name]) is item.type, f"{name}: {read[name]!r} is no {item.type}"
