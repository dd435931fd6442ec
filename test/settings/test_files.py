# SPDX-License-Identifier: Apache-2.0
"""Settings in YAML files, ROS parameter files and assignments."""

import pytest
import yaml

from monodepth_ros.pipeline.config import PipelineConfig
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.settings.files import changed, flatten, nested, read_ros_parameters, read_settings
from monodepth_ros.settings.schema import ConfigError, replace, specifications
from monodepth_ros.training.config import TrainConfig


def another_value(item):
    """A valid value of a setting that is not its default."""
    if item.type is bool:
        return not item.default
    if item.choices:
        return next(choice for choice in item.choices if choice != item.default)
    if item.minimum is not None:
        return item.type(item.minimum if item.minimum != item.default else item.maximum)
    return {str: "/some/path with a space", tuple: ("left", "right")}[item.type]


@pytest.mark.parametrize("config", [NodeConfig, TrainConfig])
def test_every_setting_keeps_its_value_and_type_in_a_file(config, tmp_path):
    known = specifications(config)
    written = {name: another_value(item) for name, item in known.items()}
    path = tmp_path / "a.yaml"
    path.write_text(yaml.safe_dump(nested(written)))
    read = {name: known[name].check(value) for name, value in read_settings(path).items()}
    assert read == written
    wrong = {name: value for name, value in read.items() if type(value) is not known[name].type}
    assert not wrong, f"of another type: {wrong}"


def test_flatten_is_the_inverse_of_nested():
    settings = {"device": "cpu", "cloud.stride": 2, "scale.ground.height": 1.5}
    assert nested(settings) == {"device": "cpu", "cloud": {"stride": 2}, "scale": {"ground": {"height": 1.5}}}
    assert flatten(nested(settings)) == settings


@pytest.mark.parametrize("text, expected", [("- 1", "holds a list"), ("a: [", "is not YAML"), ("\x00", "is not YAML")])
def test_a_file_without_settings_is_refused_in_one_line(text, expected, tmp_path):
    path = tmp_path / "b.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=expected) as caught:
        read_settings(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_an_empty_file_changes_nothing(tmp_path):
    (tmp_path / "a.yaml").write_text("# only a comment\n")
    assert read_settings(tmp_path / "a.yaml") == {}


@pytest.mark.parametrize("text", ["1e-1", "0.1", "1.E-1", "+1e-01"])
def test_numbers_in_exponential_notation_are_numbers(text, tmp_path):
    (tmp_path / "a.yaml").write_text(f"depth:\n  min_range: {text}\n")
    assert changed(PipelineConfig(), [f"depth.min_range={text}"]).depth.min_range == pytest.approx(0.1)
    assert read_settings(tmp_path / "a.yaml") == {"depth.min_range": pytest.approx(0.1)}


@pytest.mark.parametrize("text", ["depth.min_range", "=3", " = 3"])
def test_an_assignment_without_a_name_is_refused(text):
    with pytest.raises(ConfigError, match="expected name=value"):
        changed(PipelineConfig(), [text])


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


@pytest.mark.parametrize("read", [read_ros_parameters, read_settings])
def test_a_missing_file_is_refused(read, tmp_path):
    with pytest.raises(ConfigError, match=r"none.yaml cannot be read: No such file"):
        read(tmp_path / "none.yaml")
