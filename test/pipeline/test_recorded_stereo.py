# SPDX-License-Identifier: Apache-2.0
"""The scale from the second camera of a recording: exact depth in units of an unknown length."""

import pytest
from exact_engine import ExactEngine

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.errors import MonodepthError
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.odometry.scale.source import ScaleKind, ScaleState
from monodepth_ros.offline.frames import SourcePipeline
from monodepth_ros.pipeline.frame import Demand
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.settings.schema import replace
from monodepth_ros.synthetic.drive import Drive, default_camera, stereo_pair
from monodepth_ros.synthetic.drive_bag import write_drive

FACTOR = 3.1
FRAMES = 8
HEADER = CheckpointHeader("resnet18", 96, 320, (0.58, 1.92, 0.5, 0.5))


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A stereo drive outside the training data: 8 frames at 5 Hz."""
    path = tmp_path_factory.mktemp("drive") / "drive.mcap"
    drive = Drive(9401, seconds=FRAMES / 5, rate=5, cameras=stereo_pair(default_camera(320, 96), 0.54))
    list(write_drive(drive, path))
    return str(path)


def run(path, topic="/left/image_raw", **settings):
    """Results of the recording, and the notes."""
    options = SourceOptions(topic=topic)
    changes = {f"scale.{name}": value for name, value in settings.items()} | {"odometry.enabled": False}
    with open_source(path, options) as source:
        run = SourcePipeline(source, ExactEngine(path, FACTOR, options), HEADER, replace(RunConfig(), changes))
        found = [frame.result for frame in run.frames(Demand(depth=True))]
        run.close()
    assert len(found) == FRAMES
    return found, run.input_notes


@pytest.mark.parametrize(
    "settings",
    [{"source": "stereo"}, {"source": "stereo", "stereo_camera": "right"}, {"stereo_camera": "/right/image_raw"}],
)
def test_the_second_camera_of_a_bag_gives_metres(recording, settings):
    found, notes = run(recording, **settings)
    assert found[-1].scale.kind is ScaleKind.STEREO and found[-1].scale.state is ScaleState.MEASURED
    assert found[-1].scale.factor == pytest.approx(FACTOR, rel=0.03), found[-1].scale.description
    assert any("/right/image_raw" in note for note in notes), notes


@pytest.mark.parametrize(
    "topic, settings, words",
    [
        ("/right/image_raw", {"source": "stereo"}, "choose the left camera"),
        ("/left/image_raw", {"source": "stereo", "stereo_camera": "/rear/image_raw"}, "/rear/image_raw"),
    ],
)
def test_a_second_camera_that_is_not_there_is_one_error(recording, topic, settings, words):
    with pytest.raises(MonodepthError, match=words) as error:
        run(recording, topic, **settings)
    assert "\n" not in str(error.value)
