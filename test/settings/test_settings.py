# SPDX-License-Identifier: Apache-2.0
"""Configuration: types, ranges, atomic changes, files."""

import math

import pytest

from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.settings.files import changed, nested, read_ros_parameters, read_settings
from monodepth_ros.settings.schema import ConfigError, replace, specifications, values


def test_a_set_of_changes_is_taken_whole_or_not_at_all():
    config = PipelineConfig()
    with pytest.raises(ConfigError, match="cloud.stride"):
        replace(config, {"depth.max_range": 50.0, "cloud.stride": 0})
    assert config == PipelineConfig()
    changed = replace(config, {"depth.max_range": 50.0, "cloud.stride": 4})
    assert (changed.depth.max_range, changed.cloud.stride) == (50.0, 4)


@pytest.mark.parametrize("name", [name for name in specifications(PipelineConfig)])
def test_every_setting_refuses_a_value_of_a_wrong_type_by_name(name):
    wrong = 3 if specifications(PipelineConfig)[name].type is str else "text"
    with pytest.raises(ConfigError, match=name.replace(".", r"\.")):
        replace(PipelineConfig(), {name: wrong})


@pytest.mark.parametrize("name", [n for n, s in specifications(PipelineConfig).items() if s.minimum is not None])
def test_every_range_is_kept_at_both_ends(name):
    item = specifications(PipelineConfig)[name]
    for value in (item.minimum - 1, item.maximum + 1):
        with pytest.raises(ConfigError, match="between"):
            replace(PipelineConfig(), {name: item.type(value)})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(ConfigError, match="scale.factor"):
        replace(PipelineConfig(), {"scale.factor": value})


def test_a_whole_number_serves_as_a_float_but_a_boolean_does_not():
    assert replace(PipelineConfig(), {"scale.factor": 1}).scale.factor == 1.0
    with pytest.raises(ConfigError):
        replace(PipelineConfig(), {"scale.factor": True})


def test_an_unknown_choice_names_the_choices():
    with pytest.raises(ConfigError, match="auto, camera_height, odometry, checkpoint, fixed, relative"):
        replace(PipelineConfig(), {"scale.source": "metric"})


def test_an_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="'depth.rnage'"):
        replace(PipelineConfig(), {"depth.rnage": 1.0})


def test_ranges_that_cross_are_refused():
    with pytest.raises(ConfigError, match="depth.min_range 60 m must be less than depth.max_range 50 m"):
        replace(PipelineConfig(), {"depth.max_range": 50.0, "depth.min_range": 60.0})


def test_a_ros_parameter_file_is_read_nested_and_dotted(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("/**:\n  ros__parameters:\n    device: cpu\n    depth: {max_range: 30}\n    cloud.stride: 2\n")
    config = replace(PipelineConfig(), read_ros_parameters(path))
    assert (config.device, config.depth.max_range, config.cloud.stride) == ("cpu", 30.0, 2)


@pytest.mark.parametrize("text", ["", "just text", "a: 1", "/**: 3", "/**:\n  ros__parameters: 3", "{[", "\x00"])
def test_a_file_that_is_no_parameter_file_is_refused_in_one_line(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_ros_parameters(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_ros_parameters(tmp_path / "none.yaml")


def test_values_and_replace_are_inverse():
    config = replace(PipelineConfig(), {"cloud.stride": 3, "device": "cpu"})
    assert replace(PipelineConfig(), values(config)) == config


@pytest.mark.parametrize("text", ["1e-1", "0.1", "1.E-1", "+1e-01"])
def test_numbers_are_read_as_everybody_means_them(text, tmp_path):
    (tmp_path / "a.yaml").write_text(f"depth:\n  min_range: {text}\n")
    assert changed(PipelineConfig(), [f"depth.min_range={text}"]).depth.min_range == pytest.approx(0.1)
    assert read_settings(tmp_path / "a.yaml") == {"depth.min_range": pytest.approx(0.1)}


def test_settings_written_and_read_again_are_the_same(tmp_path):
    import yaml

    (tmp_path / "a.yaml").write_text(yaml.safe_dump(nested(values(PipelineConfig()))))
    read = read_settings(tmp_path / "a.yaml")
    assert values(replace(PipelineConfig(), read)).keys() == values(PipelineConfig()).keys()
    for text, expected in (("- 1", "holds a list"), ("a: [", "is not YAML")):
        (tmp_path / "b.yaml").write_text(text)
        with pytest.raises(ConfigError, match=expected):
            read_settings(tmp_path / "b.yaml")
