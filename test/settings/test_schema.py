# SPDX-License-Identifier: Apache-2.0
"""Settings: types, ranges, choices, changes that are made as a whole."""

import math
from dataclasses import dataclass

import pytest

from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.node_config import CameraConfig, NodeConfig
from monodepth_ros.settings.schema import ConfigError, replace, section, setting, specifications, values
from monodepth_ros.training.config import TrainConfig


@dataclass(frozen=True)
class LensConfig:
    focal_length: float = setting(4.0, "Focal length.", unit="mm", minimum=1.0, maximum=50.0, live=True)


@dataclass(frozen=True)
class PhotoConfig:
    names: tuple[str, ...] = setting((), "Names of the photos.")
    height: float = setting(math.nan, "Height above the ground.", unit="m", minimum=0.0, maximum=100.0)
    lens: LensConfig = section(LensConfig)


def test_a_specification_holds_what_the_declaration_states():
    found = specifications(PhotoConfig)
    assert list(found) == ["names", "height", "lens.focal_length"]
    assert found["names"].type is tuple and found["names"].default == ()
    item = found["lens.focal_length"]
    assert (item.name, item.type, item.default, item.doc) == ("lens.focal_length", float, 4.0, "Focal length.")
    assert (item.unit, item.minimum, item.maximum, item.choices, item.live) == ("mm", 1.0, 50.0, (), True)


@pytest.mark.parametrize("config", [NodeConfig, CameraConfig, TrainConfig])
def test_every_default_fits_its_own_declaration(config):
    for item in specifications(config).values():
        if isinstance(item.default, float) and math.isnan(item.default):
            assert math.isnan(item.check(item.default))
        else:
            assert item.check(item.default) == item.default, item.name


def test_changes_are_made_as_a_whole_or_not_at_all():
    config = PipelineConfig()
    with pytest.raises(ConfigError, match="cloud.stride"):
        replace(config, {"depth.max_range": 50.0, "cloud.stride": 0})
    assert config == PipelineConfig()
    changed = replace(config, {"depth.max_range": 50.0, "cloud.stride": 4})
    assert (changed.depth.max_range, changed.cloud.stride) == (50.0, 4)


@pytest.mark.parametrize("name", specifications(PipelineConfig))
def test_a_value_of_the_wrong_type_is_refused_by_name(name):
    wrong = 3 if specifications(PipelineConfig)[name].type is str else "text"
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        replace(PipelineConfig(), {name: wrong})


@pytest.mark.parametrize("name", [n for n, s in specifications(PipelineConfig).items() if s.minimum is not None])
def test_a_value_outside_the_range_is_refused_at_both_ends(name):
    item = specifications(PipelineConfig)[name]
    for value in (item.minimum - 1, item.maximum + 1):
        with pytest.raises(ConfigError, match="between"):
            replace(PipelineConfig(), {name: item.type(value)})


def test_the_error_for_a_value_outside_the_range_states_range_and_unit():
    with pytest.raises(ConfigError, match=r"^lens.focal_length is 60.0: it must be between 1 and 50 mm$"):
        replace(PhotoConfig(), {"lens.focal_length": 60})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_are_refused(value):
    with pytest.raises(ConfigError, match="scale.factor"):
        replace(PipelineConfig(), {"scale.factor": value})


def test_nan_is_allowed_where_it_is_the_default():
    config = replace(PhotoConfig(), {"height": 2})
    assert config.height == 2.0 and math.isnan(replace(config, {"height": math.nan}).height)
    with pytest.raises(ConfigError, match="height is inf"):
        replace(config, {"height": math.inf})


def test_an_integer_is_accepted_for_a_float_and_a_boolean_is_not():
    found = replace(PipelineConfig(), {"scale.factor": 1}).scale.factor
    assert found == 1.0 and type(found) is float
    with pytest.raises(ConfigError, match="scale.factor is True"):
        replace(PipelineConfig(), {"scale.factor": True})


def test_a_list_of_strings_becomes_a_tuple():
    assert replace(PhotoConfig(), {"names": ["a", "b"]}).names == ("a", "b")
    assert replace(PhotoConfig(names=("a",)), {"names": [""]}).names == ()
    for wrong in ([1, 2], ["a", None], "a"):
        with pytest.raises(ConfigError, match="names is .*: it must be a list of strings"):
            replace(PhotoConfig(), {"names": wrong})


def test_an_unknown_choice_is_refused_with_the_choices():
    with pytest.raises(ConfigError, match="auto, camera_height, odometry, stereo, checkpoint, fixed, relative"):
        replace(PipelineConfig(), {"scale.source": "metric"})


def test_an_unknown_name_is_refused_with_similar_names():
    with pytest.raises(ConfigError, match=r"unknown setting 'depth.max_rnage': did you mean depth.max_range, "):
        replace(PipelineConfig(), {"depth.max_rnage": 1.0})
    with pytest.raises(ConfigError, match=r"'zoom': the settings are names, height, lens.focal_length$"):
        replace(PhotoConfig(), {"zoom": 1.0})


def test_a_minimum_above_the_maximum_is_refused():
    with pytest.raises(ConfigError, match="depth.min_range 60 m must be less than depth.max_range 50 m"):
        replace(PipelineConfig(), {"depth.max_range": 50.0, "depth.min_range": 60.0})


def test_values_and_replace_are_inverse():
    config = replace(PipelineConfig(), {"cloud.stride": 3, "device": "cpu"})
    assert replace(PipelineConfig(), values(config)) == config
