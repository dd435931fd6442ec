# SPDX-License-Identifier: Apache-2.0
"""Scale from a second camera, on the synthetic world with exact depth."""

import numpy as np
import pytest

from monodepth_ros.data.images.image_codec import Pixels
from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import axis_angle_to_rotation, invert, make_transform
from monodepth_ros.odometry.scale.source import CameraMount, ScaleKind, ScaleState, SeenDepth
from monodepth_ros.odometry.scale.stereo_images import StereoImages
from monodepth_ros.odometry.scale.stereo_scale import StereoScale
from monodepth_ros.odometry.scale.stereo_view import StereoError, StereoView, in_rectified_axes, rectified_baseline
from monodepth_ros.synthetic.drive import MOUNT, Camera, Drive, default_camera, mounted, stereo_pair

SECOND = 1_000_000_000
TENTH = SECOND // 10
FACTOR = 4.3  # metres per network unit
X, Y, Z = MOUNT
MODEL = default_camera(320, 96)
TURN = axis_angle_to_rotation((0.02, 0.15, 0.05))


def turned(camera, rotation):
    """A camera turned about its optical centre."""
    return Camera(camera.model, camera.T_base_camera @ make_transform(rotation, (0, 0, 0)))


LEFT = mounted(MODEL, (X, Y, Z))
PAIR = tuple(stereo_pair(MODEL, 0.5).values())
RIGS = {
    "a calibrated pair": PAIR,
    "the right camera's depth": PAIR[::-1],
    "TF of cameras side by side": (LEFT, mounted(MODEL, (X, Y - 0.4, Z))),
    "TF of cameras that look in different directions": (LEFT, turned(mounted(MODEL, (X, Y - 0.4, Z)), TURN)),
    "one camera above the other": (LEFT, mounted(MODEL, (X, Y, Z + 0.4))),
    "an oblique baseline": (LEFT, mounted(MODEL, (X + 0.1, Y - 0.4, Z + 0.1))),
    "two sizes of images": (LEFT, mounted(default_camera(480, 144), (X, Y - 0.4, Z))),
}


def place_of(own, partner):
    """T_own_partner (4, 4) as a node would find it: from the calibrations, else from TF."""
    calibrated = rectified_baseline(own.model, partner.model)
    if calibrated is not None:
        return calibrated
    T = invert(own.T_base_camera) @ partner.T_base_camera
    return in_rectified_axes(T, own.model, partner.model)


@pytest.fixture(scope="module")
def drive():
    """A street outside the training data, with the cameras of all rigs."""
    cameras = {str(id(camera)): camera for rig in RIGS.values() for camera in rig}
    return Drive(9401, seconds=2.0, cameras=cameras)


def images(drive, name, seconds=(0.0, 2.0)):
    """Frames of both cameras of a rig."""
    return [tuple(drive.frame_at(time, str(id(camera))) for camera in RIGS[name]) for time in seconds]


@pytest.fixture(scope="module")
def frames(drive):
    """Frames of a calibrated pair."""
    return images(drive, "a calibrated pair")


@pytest.mark.parametrize("name", RIGS)
def test_the_depth_is_right_whatever_the_places_of_the_two_cameras(drive, name):
    own, partner = RIGS[name]
    view = StereoView(own.model, own.model, partner.model, place_of(own, partner))
    ratios = []
    for mine, other in images(drive, name):
        found = view.measure(Pixels(mine.image, "rgb"), Pixels(other.image, "rgb"))
        assert len(found.depth) > 1000, f"{len(found.depth)} pixels"
        ratios.append(np.median(found.depth / mine.depth[found.rows, found.columns]))
    assert np.abs(np.array(ratios) - 1).max() < 0.03, f"{name}: depth over the true depth {np.round(ratios, 3)}"


@pytest.mark.parametrize(
    "T, words",
    [
        (make_transform(np.eye(3), (0.001, 0, 0)), "1 mm apart"),
        (make_transform(np.eye(3), (0, 0, 0.5)), "points into the view"),
        (make_transform(axis_angle_to_rotation((0, 3.0, 0)), (0.5, 0, 0)), "other directions"),
        (make_transform(axis_angle_to_rotation((0, 1.5, 0)), (0.5, 0, 0)), "overlap|other directions"),
    ],
)
def test_cameras_that_are_no_pair_are_refused(T, words):
    with pytest.raises(StereoError, match=words):
        StereoView(MODEL, MODEL, MODEL, T)


class Rig:
    """A StereoScale that is shown frames of a calibrated pair at 10 Hz."""

    def __init__(self, frames, partner_model=None):
        self.frames, self.images = frames, StereoImages()
        self.scale = StereoScale(self.images, time_constant=1.0)
        self.own, self.partner = (camera.model for camera in PAIR)
        self.partner = partner_model or self.partner
        self.stamp_ns = 100 * SECOND

    def see(self, count=10, offset_ns=0, is_late=False, has_partner=True):
        """Show frames; the estimate."""
        for i in range(count):
            self.stamp_ns += TENTH
            mine, other = self.frames[i % len(self.frames)]
            self.images.add_own(self.stamp_ns, Pixels(mine.image, "rgb"), self.own)
            partner = (self.stamp_ns + offset_ns, Pixels(other.image, "rgb"), self.partner, "right")
            if has_partner and not is_late:
                self.images.add_partner(*partner)
            with np.errstate(divide="ignore"):
                seen = SeenDepth(self.stamp_ns, FACTOR / mine.depth, self.own, CameraMount())
            self.scale.observe_depth(seen)
            if has_partner and is_late:
                self.images.add_partner(*partner)
        return self.scale.estimate()


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("offset_ns", [0, 4_000_000])
def test_the_second_camera_gives_metres(frames, is_late, offset_ns):
    found = Rig(frames).see(25, offset_ns=offset_ns, is_late=is_late)
    assert (found.kind, found.state) == (ScaleKind.STEREO, ScaleState.MEASURED), found.description
    assert found.factor == pytest.approx(FACTOR, rel=0.03) and 0.03 <= found.uncertainty < 0.15, found


def test_images_of_different_moments_are_no_pair(frames):
    rig = Rig(frames)
    assert "no image of the other camera" in rig.see(has_partner=False).description
    found = rig.see(offset_ns=30_000_000)
    assert found.state is ScaleState.WAITING and "no two images of one moment" in found.description


def test_without_the_second_camera_the_scale_is_held(frames):
    rig = Rig(frames)
    rig.see(25)
    measured = rig.see(3, has_partner=False)  # the partner's last image still has one to be compared with
    held = rig.see(30, has_partner=False)
    assert held.state is ScaleState.HELD and held.factor == measured.factor
    assert held.uncertainty > measured.uncertainty and "no two images of one moment" in held.description


def test_the_place_may_come_from_tf_and_is_asked_for_only_then(frames):
    calibrated, placed = Rig(frames), Rig(frames, partner_model=LEFT.model)
    found = placed.see(3)
    assert found.state is ScaleState.WAITING and "the place of the partner is unknown" in found.description
    assert placed.images.needs_mount and placed.images.partner_frame == "right"
    placed.images.mount(make_transform(np.eye(3), (0.5, 0, 0)))
    assert placed.see().factor == pytest.approx(FACTOR, rel=0.03)
    calibrated.see(3)
    assert not calibrated.images.needs_mount


def test_a_recording_that_begins_again_is_measured_again(frames):
    rig = Rig(frames)
    rig.see()
    rig.stamp_ns = 0
    assert rig.see().state is ScaleState.MEASURED


def test_an_uncalibrated_partner_gives_no_scale(frames):
    found = Rig(frames, partner_model=CameraModel.pinhole(320, 96, 0.0, 0.0, 0.0, 0.0)).see()
    assert found.state is ScaleState.WAITING, found
