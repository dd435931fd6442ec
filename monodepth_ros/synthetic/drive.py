# SPDX-License-Identifier: Apache-2.0
"""A drive: a vehicle with cameras on its way through a street, frame by frame."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, make_transform
from monodepth_ros.synthetic.renderer import Renderer
from monodepth_ros.synthetic.scene import AHEAD
from monodepth_ros.synthetic.street import build_street
from monodepth_ros.synthetic.sunlight import Weather
from monodepth_ros.synthetic.traffic import NOBODY, Traffic
from monodepth_ros.synthetic.trajectory import FASTEST, START, Trajectory

MOUNT = (1.2, 0.0, 1.65)  # metres from base_link to the camera, whose height is the last


@dataclass(frozen=True)
class Camera:
    """A camera on the vehicle. T_base_camera: (4, 4) pose of its optical frame in base_link."""

    model: CameraModel
    T_base_camera: np.ndarray


@dataclass(frozen=True)
class Frame:
    """One picture and the truth about it.

    time: seconds since the start. image: (H, W, 3) uint8 RGB. depth: (H, W) float32 metres along the optical
    axis, +inf for sky. moving: (H, W) bool, pixels of moving cars. T_world_base, T_world_camera: (4, 4),
    camera in optical axes.
    """

    index: int
    time: float
    image: np.ndarray
    depth: np.ndarray
    moving: np.ndarray
    T_world_base: np.ndarray
    T_world_camera: np.ndarray


def default_camera(width: int = 640, height: int = 192) -> CameraModel:
    """A pinhole with the field of view of KITTI's colour cameras: fx = 0.58 W, fy = 1.92 H."""
    return CameraModel.from_normalized(width, height, (0.58, 1.92, 0.5, 0.5))


def mounted(model: CameraModel, position: tuple[float, float, float] = MOUNT, yaw: float = 0.0) -> Camera:
    """A camera that looks forward, or turned by `yaw` (radians, to the left), at `position` in base_link."""
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ R_BODY_OPTICAL
    return Camera(model, make_transform(R, position))


def stereo_pair(model: CameraModel, baseline: float) -> dict[str, Camera]:
    """A "left" and a "right" camera that look forward, `baseline` metres apart, around where one camera would be."""
    P = model.P.copy()
    P[0, 3] = -model.P[0, 0] * baseline
    x, y, z = MOUNT
    return {
        "left": mounted(model, (x, y + baseline / 2, z)),
        "right": mounted(replace(model, P=P), (x, y - baseline / 2, z)),
    }


class Drive:
    """`seconds` of driving at `rate` frames per second; the same arguments always give the same frames.

    cameras: by name; one default camera called "camera" if left out. traffic: cars come towards us.
    changing_light: clouds pass and the exposure follows. A longer drive of the same seed begins with the
    shorter one.
    """

    def __init__(
        self,
        seed: int = 0,
        seconds: float = 20.0,
        rate: float = 10.0,
        cameras: dict[str, Camera] | None = None,
        traffic: bool = True,
        changing_light: bool = True,
    ) -> None:
        self.seed, self.seconds, self.rate = seed, seconds, rate
        self.cameras = cameras or {"camera": mounted(default_camera())}
        self.street = build_street(seed, START + FASTEST * seconds + AHEAD)
        rng = np.random.default_rng([seed, 3])
        self.trajectory = Trajectory(rng, self.street.scene.road, -self.street.section.lane / 2)
        self._weather = Weather(rng, self.street.sun, changing_light)
        self._traffic = Traffic(rng, self.street, seconds) if traffic else None
        self._renderers = {name: Renderer(camera.model) for name, camera in self.cameras.items()}

    def __len__(self) -> int:
        return max(1, round(self.seconds * self.rate))

    def __iter__(self) -> Iterator[Frame]:
        """The first camera's frames in order."""
        return (self.frame(index) for index in range(len(self)))

    def time(self, index: int) -> float:
        return index / self.rate

    def frame(self, index: int, camera: str = "") -> Frame:
        """One frame of the named camera (the first one if left out)."""
        return self.frame_at(self.time(index), camera, index)

    def frame_at(self, time: float, camera: str = "", index: int = -1) -> Frame:
        """The frame at any time in seconds, for cameras of different rates."""
        name = camera or next(iter(self.cameras))
        T_world_base = self.trajectory.T_world_base(time)
        T_world_camera = T_world_base @ self.cameras[name].T_base_camera
        moving = self._traffic.at(time) if self._traffic else NOBODY
        light = self._weather.at(time)
        view = self._renderers[name].render(self.street.scene, T_world_camera, light, moving)
        return Frame(index, time, view.image, view.depth, view.moving, T_world_base, T_world_camera)
