# SPDX-License-Identifier: Apache-2.0
"""A parameter file of the node serves as configuration of an offline run."""

from pathlib import Path

import pytest

from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.pipeline.run_parameters import NODE_ONLY, parameter_file, read_run_config
from monodepth_ros.settings.files import changed
from monodepth_ros.settings.schema import ConfigError, replace, specifications
from monodepth_ros.training.config import TrainConfig

PROJECT = Path(__file__).resolve().parents[2]


def written(tmp_path, text):
    path = tmp_path / "depth.yaml"
    path.write_text(f"/**:\n  ros__parameters:\n    {text}\n")
    return path


def test_the_default_file_of_the_node_is_accepted_unchanged():
    path = PROJECT / "config" / "depth.yaml"
    if not path.exists():
        pytest.skip("an installed copy has no config/ beside the tests")
    assert read_run_config(path) == RunConfig()


def test_settings_are_read_nested_or_dotted(tmp_path):
    config = read_run_config(
        written(tmp_path, "{depth: {max_range: 30}, scale.source: relative, base_frame: base_link}")
    )
    assert (config.depth.max_range, config.scale.source, config.base_frame) == (30.0, "relative", "base_link")


def test_settings_of_the_node_alone_are_accepted(tmp_path):
    text = (
        "{use_sim_time: true, image: {reliability: reliable}, cameras: [front, rear], autostart: false, "
        "qos_overrides: {/image: {subscription: {depth: 3}}}, front: {calibration_file: a.yaml}, "
        "rear.image_transport: raw}"
    )
    assert read_run_config(written(tmp_path, text)) == RunConfig()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{depth: {colour: blue}}", "unknown setting 'depth.colour'"),
        ("{front: {calibration_file: a.yaml}}", "unknown setting 'front.calibration_file'"),
        ("{depth: {max_range: far}}", "depth.max_range is 'far'"),
        ("{depth: {min_range: 50.0, max_range: 40.0}}", "must be less than"),
        ("{image: {encoding: rgb9}}", "image: unknown image encoding 'rgb9'"),
        ("{image: {intensity_range: '9:3'}}", "image: range '9:3' of 16-bit values: expected LOW:HIGH"),
        ("{odom_frame: base, base_frame: base}", "another frame than odom_frame"),
    ],
)
def test_an_unknown_setting_or_value_is_refused_in_one_line_with_the_files_name(tmp_path, text, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        read_run_config(written(tmp_path, text))
    assert "depth.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_single_settings_can_be_changed():
    config = changed(
        RunConfig(), ["depth.resolution=image", "cloud.stride=4", "odometry.enabled=false", "scale.factor=2"]
    )
    assert (config.depth.resolution, config.cloud.stride, config.odometry.enabled) == ("image", 4, False)
    assert config.scale.factor == 2.0
    for text, expected in {
        "depth": "expected name=value",
        "depth.x=1": "unknown setting",
        "a.b=[": "not YAML",
    }.items():
        with pytest.raises(ConfigError, match=expected):
            changed(RunConfig(), [text])


def test_a_configuration_is_written_so_that_it_reads_back(tmp_path):
    config = changed(RunConfig(), ["depth.max_range=30.5", "base_frame=base_link", "checkpoint=a b.safetensors"])
    path = tmp_path / "config.yaml"
    path.write_text(parameter_file(config))
    assert read_run_config(path) == config


def test_a_setting_of_both_has_one_declaration_and_the_others_are_the_nodes_alone():
    node, run = specifications(NodeConfig), specifications(RunConfig)
    different = {name for name in run if run[name] != node.get(name)}
    assert not different, f"declared differently: {different}"
    assert {"cameras", "image.reliability", "odometry.camera", "tf_timeout"} <= NODE_ONLY
    assert "checkpoint" not in NODE_ONLY and "scale.odometry_topic" not in NODE_ONLY


@pytest.mark.parametrize(("config", "name"), [(RunConfig(), "image"), (TrainConfig(), "data")])
def test_images_cannot_be_declared_rectified_and_not(config, name):
    with pytest.raises(ConfigError, match=f"{name}.rectified and {name}.unrectified are both true"):
        replace(config, {f"{name}.rectified": True, f"{name}.unrectified": True})
