# SPDX-License-Identifier: Apache-2.0
"""Settings files of any content: what is not a setting is refused on one line that names file and setting."""

import os

import pytest

from monodepth_ros.limits import DEEPEST_NESTING, LARGEST_SETTINGS_FILE
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.pipeline.run_parameters import read_run_config
from monodepth_ros.settings.files import changed, read_settings
from monodepth_ros.settings.schema import ConfigError, replace, specifications
from monodepth_ros.training.config import TrainConfig

HUGE = "0x" + "f" * 5000


def train(path):
    return replace(TrainConfig(), read_settings(path))


def one_line(error):
    assert "\n" not in str(error.value) and len(str(error.value)) < 2500, error.value


@pytest.mark.parametrize(
    "text, words",
    [
        ("[1, 2]", "holds a list"),
        ("just text", "holds a str"),
        ("a: [", "is not YAML: line"),
        ("data:\n\tframe_step: 1", "is not YAML: line 2"),
        ("data: {frame_step: 1, frame_step: 2}", "line 1: the key 'frame_step' stands twice"),
        ("data: {frame_step: 1}\ndata.frame_step: 2", "data.frame_step stands twice"),
        ("a: " + "{a: " * DEEPEST_NESTING + "1" + "}" * DEEPEST_NESTING, "nested deeper than"),
        ("data: 3", "data is a group of settings .* data.topic"),
        ("data: [frame_step]", "data is a group of settings"),
        ("data: {frame_step: }", "data.frame_step has no value: it must be an integer"),
        ("data: {frame_step: {}}", "data.frame_step has no value"),
        ("data: {frame_step: {a: 1}}", "unknown setting 'data.frame_step.a': did you mean data.frame_step"),
        ("data: {frame_stop: 1}", "unknown setting 'data.frame_stop': did you mean data.frame_step"),
        ("data: {frame_step: '2'}", r"data.frame_step is '2' \(a string\): it must be an integer"),
        ("data: {frame_step: 1.0}", r"\(a number\): it must be an integer"),
        ("data: {frame_step: yes}", r"data.frame_step is True \(a boolean\): it must be an integer"),
        ("data: {frame_step: 12:30}", r"is '12:30' \(a string\): it must be an integer"),
        ("data: {frame_step: 010}", r"is '010' \(a string\): it must be an integer"),
        ("data: {frame_step: 2024-05-01}", r"is '2024-05-01' \(a string\)"),
        pytest.param(f"data: {{frame_step: {HUGE}}}", "data.frame_step is a number of thousands of digits", id="int"),
        pytest.param(f"data: {{rate: {HUGE}}}", "data.rate is inf", id="float"),
        ("data: {rate: 1e400}", "data.rate is inf"),
        ("data: {rate: .nan}", "data.rate is NaN"),
        ("data: {rate: -.inf}", "data.rate is -inf"),
        ("data: {topic: 3}", r"data.topic is 3 \(an integer\): it must be a string"),
        ('data: {topic: "a\\0b"}', "data.topic is .*NUL"),
        ("data: {topic: !!binary aGk=}", r"data.topic is b'hi' \(bytes\)"),
        ("data: {topic: !!set {a}}", r"data.topic is {'a'} \(set\)"),
        ("true: 1", "unknown setting 'True'"),
        ("? [a, b]\n: 1", "is not YAML: line 1"),
        ("\x1b[31m: 1", "is not YAML: line 1: the control character #x1b"),
        ('"\\e[31m": 1', "unknown setting"),
        ("depth_node: {ros__parameters: {device: cpu}}", "is a parameter file of a ROS node"),
        ("!!python/object/apply:os.getcwd []", "is not YAML: line 1: could not determine a constructor"),
    ],
)
def test_settings_of_any_kind_are_refused_on_one_line(tmp_path, text, words):
    path = tmp_path / "train.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as error:
        train(path)
    one_line(error)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "value",
    [
        *("[1]", "{a: [1]}", "3", "'text'", "!!binary aGk=", "!!set {a}", "2024-05-01", "''", "[a]", ".nan", "1e400"),
        *(pytest.param(HUGE, id="huge"), pytest.param(f"[{HUGE}]", id="huge item")),
    ],
)
@pytest.mark.parametrize("config", [TrainConfig, RunConfig])
def test_every_setting_survives_values_of_any_kind(config, value):
    for name in specifications(config):
        try:
            changed(config(), [f"{name}={value}"])
        except ConfigError as error:
            assert name.split(".")[0] in str(error) and "\n" not in str(error)


@pytest.mark.parametrize(
    "text, words",
    [
        ("/**: {ros__parameters: [1]}", "has no 'ros__parameters'"),
        ("/**: {ros__parameters: {cameras: [[1]], cloud.stride: 0}}", "cameras|cloud.stride is 0"),
        (
            "/**: {ros__parameters: {cameras: [{a: 1}], devise: cpu}}",
            "cameras|unknown setting 'devise': did you mean dev",
        ),
        ("/**: {ros__parameters: {cloud: {stride: 1}, cloud.stride: 2}}", "cloud.stride stands twice"),
        ("/**: {ros__parameters: {cloud: 1}}", "cloud is a group of settings"),
    ],
)
def test_parameters_of_any_kind_are_refused_on_one_line(tmp_path, text, words):
    path = tmp_path / "depth.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"^parameter file .*depth.yaml.*({words})") as error:
        read_run_config(path)
    one_line(error)


@pytest.mark.parametrize("text", ["/**: {ros__parameters: }", "/**: {ros__parameters: {cloud: , diagnostics: {}}}"])
def test_a_group_whose_settings_are_commented_out_changes_nothing(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text.replace(", diagnostics: {}", ", depth: {}"))
    assert read_run_config(tmp_path / "a.yaml") == RunConfig()


def test_a_file_of_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_bytes("data: {topic: /caméra}".encode("utf-16"))
    with pytest.raises(ConfigError, match="a.yaml is not text in UTF-8: byte 0xff in line 1"):
        train(tmp_path / "a.yaml")


def test_a_large_file_and_a_pipe_without_end_are_not_read(tmp_path):
    with open(tmp_path / "a.yaml", "wb") as file:
        file.truncate(LARGEST_SETTINGS_FILE + 1)
    with pytest.raises(ConfigError, match="more than the 4 MB"):
        train(tmp_path / "a.yaml")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="no ordinary file but a pipe"):
        train(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="no ordinary file"):
        train("/dev/zero")


def test_settings_come_through_the_pipe_of_a_shell():
    output, entry = os.pipe()
    os.write(entry, b"data: {frame_step: 2}")
    os.close(entry)
    try:
        assert train(f"/dev/fd/{output}").data.frame_step == 2
    finally:
        os.close(output)


@pytest.mark.parametrize("path", ["a" * 300, "a/" * 3000, "\udce9.yaml", "-", "~", "a\nb", "a\0b", "", "\x1b[2J"])
def test_a_path_of_any_form_is_refused_on_one_line(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    for read in (train, read_run_config):
        with pytest.raises(ConfigError) as error:
            read(path)
        one_line(error)
        assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "text", ["device=[", "device=a: b", "device=@x", "x" * 10_000, "=" * 10_000, "device=\x07", "\udce9=1"]
)
def test_assignments_of_any_form_are_refused_on_one_line(text):
    with pytest.raises(ConfigError) as error:
        changed(RunConfig(), [text])
    one_line(error)
