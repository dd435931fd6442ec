# SPDX-License-Identifier: Apache-2.0
"""The evaluation command on published weights and outputs, against their published figures."""

import csv
import json

import pytest

from monodepth_ros.cli.main import main


@pytest.fixture
def evaluated(tmp_path):
    """Run the command and return its figures as a dictionary."""

    def run(*arguments):
        path = tmp_path / "figures.json"
        assert main(["evaluate", *map(str, arguments), "--json", str(path)]) == 0
        return json.loads(path.read_text())

    return run


@pytest.mark.parametrize(
    ("name", "scaling", "factor", "expected"), [("m", "median", 1.0, 0.223), ("ms", "none", 5.4, 0.233)]
)
def test_abs_rel_is_that_of_the_published_weights(monodepth_data, evaluated, tmp_path, name, scaling, factor, expected):
    """RT-MonoDepth-S on all frames of KITTI 2011_09_26_drive_0052."""
    drive = monodepth_data / "kitti_raw_2011_09_26_drive_0052"
    weights = monodepth_data / "rtmonodepth_s_weights" / f"{name}_640_192"
    table = tmp_path / "images.csv"
    options = ["--checkpoint", weights, "--device", "cpu", "--csv", table]
    found = evaluated("depth", drive, *options)
    protocol = found["protocol"]
    assert (protocol["crop"], protocol["max_depth"], protocol["cap_ground_truth"]) == ("garg", 80.0, True)
    assert (protocol["scaling"], protocol["factor"]) == (scaling, factor)
    assert found["images"] == 78 and found["checkpoint"].split(": ")[1].startswith("rt_monodepth_s 640x192")
    assert found["mean"]["abs_rel"] == pytest.approx(expected, abs=0.002), found["mean"]
    # The ratio of the medians is 1 for the metric weights, and steady for both.
    if factor == 5.4:
        assert found["scale_median"] == pytest.approx(1.0, abs=0.03), found["scale_median"]
    assert found["scale_std_over_median"] < 0.06, found["scale_std_over_median"]
    rows = list(csv.DictReader(table.open()))
    mean = sum(float(row["abs_rel"]) for row in rows) / len(rows)
    assert len(rows) == 78 and mean == pytest.approx(found["mean"]["abs_rel"], abs=1e-5)


def test_odometry_figures_are_those_of_the_official_poses(monodepth_data, evaluated):
    """monodepth2's mono+stereo weights on KITTI odometry 09, by its own saved poses."""
    poses = monodepth_data / "monodepth2_official_outputs" / "mono+stereo_640x192_odom09_poses.npy"
    truth = monodepth_data / "kitti_odometry_poses_and_examples" / "gt_poses" / "09.txt"
    found = evaluated("odometry", "--trajectory", poses, "--ground-truth", truth)
    snippets = found["snippets"]
    assert (snippets["frames"], snippets["snippets"]) == (5, 1589)
    assert f"{snippets['mean']:.4f} +- {snippets['std']:.4f}" == "0.0196 +- 0.0088"
    assert found["path_length"] == pytest.approx(1705.1, abs=0.1)
    assert found["scale_ratio"] == pytest.approx(5.410, abs=1e-3)
    assert found["scale_deviation"] == pytest.approx(0.034, abs=1e-3)
    assert found["aligned"]["7dof"]["ate_rmse"] == pytest.approx(42.7, abs=0.05), found["aligned"]["7dof"]
    lengths = [row["length"] for row in found["aligned"]["7dof"]["segments_by_length"]]
    assert lengths == [100, 200, 300, 400, 500, 600, 700, 800]


def test_a_slam_result_has_its_published_errors(monodepth_data, evaluated):
    """Monocular SLAM on KITTI 09, 7dof alignment: t_err 2.88 %, r_err 0.25 deg/100 m, ATE 8.39 m, RPE 0.343 m."""
    folder = monodepth_data / "kitti_odometry_poses_and_examples"
    files = ["--trajectory", folder / "example_0" / "09.txt", "--ground-truth", folder / "gt_poses" / "09.txt"]
    found = evaluated("odometry", *files, "--align", "7dof")["aligned"]["7dof"]
    assert found["t_err"] == pytest.approx(2.88, abs=0.02), found
    assert found["r_err"] == pytest.approx(0.25, abs=0.005), found
    assert found["ate_rmse"] == pytest.approx(8.39, abs=0.01), found
    assert found["rpe_translation_mean"] == pytest.approx(0.343, abs=0.001), found
