# SPDX-License-Identifier: Apache-2.0
"""`monodepth config`: the files it prints are those of config/, and are taken where they are meant to be given."""

from pathlib import Path

import pytest

from monodepth_ros.cli.main import main
from monodepth_ros.config_files import NAMES
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.pipeline.run_parameters import read_run_config
from monodepth_ros.settings.files import read_settings
from monodepth_ros.settings.schema import replace
from monodepth_ros.training.config import TrainConfig

CONFIG = Path(__file__).resolve().parents[2] / "config"


@pytest.mark.parametrize(("name", "file"), [("node", "depth.yaml"), ("train", "train.yaml")])
def test_the_printed_file_is_the_one_that_is_installed(name, file, capsys):
    assert main(["config", "--dump", name]) == 0
    assert capsys.readouterr().out == (CONFIG / file).read_text()


def test_a_run_takes_the_node_s_file_and_nothing_changes_by_it(tmp_path, capsys):
    main(["config", "--dump", "node"])
    (tmp_path / "node.yaml").write_text(capsys.readouterr().out)
    assert read_run_config(tmp_path / "node.yaml") == RunConfig()


def test_a_training_takes_its_file_and_nothing_changes_by_it(tmp_path, capsys):
    main(["config", "--dump", "train"])
    (tmp_path / "train.yaml").write_text(capsys.readouterr().out)
    settings = read_settings(tmp_path / "train.yaml")
    assert settings.pop("data.recordings") == [""]  # ROS cannot read an empty list, and one way of writing is enough
    assert len(settings) > 50
    assert replace(TrainConfig(), settings) == TrainConfig()


@pytest.mark.parametrize("name", NAMES)
def test_the_path_of_an_installed_file_is_printed(name, capsys):
    assert main(["config", "--path", name]) == 0
    assert Path(capsys.readouterr().out.strip()).read_bytes() == (CONFIG / name).read_bytes()


@pytest.mark.parametrize("arguments", [[], ["--dump", "nodes"]])
def test_without_a_known_name_the_choices_are_printed(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(["config", *arguments])
    assert end.value.code == 2
    assert "--dump" in capsys.readouterr().err
