# SPDX-License-Identifier: Apache-2.0
"""A drive: frames of a vehicle's cameras on its way through a street."""

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

MOUNT = (1.2, 0.0, 1.65)  # metres, position of the camera in base_link (the last is its height)


@dataclass(frozen=True)
class Camera:
    """A camera on the vehicle. T_base_camera: (4, 4) pose of its optical frame in base_link."""

    model: CameraModel
    T_base_camera: np.ndarray


@dataclass(frozen=True)
class Frame:
    """One image with exact depth and poses.

    time: since the start [s]. image: (H, W, 3) uint8 RGB. depth: (H, W) float32 along the optical axis [m], +inf for
    sky. moving: (H, W) bool, pixels of moving cars. T_world_base, T_world_camera: (4, 4), the camera in optical axes.
    """

    index: int
    time: float
    image: np.ndarray
    depth: np.ndarray
    moving: np.ndarray
    T_world_base: np.ndarray
    T_world_camera: np.ndarray


def default_camera(width: int = 640, height: int = 192) -> CameraModel:
    """A pinhole camera with the field of view of KITTI's colour cameras: fx = 0.58 W, fy = 1.92 H."""
    return CameraModel.from_normalized(width, height, (0.58, 1.92, 0.5, 0.5))


def mounted(model: CameraModel, position: tuple[float, float, float] = MOUNT, yaw: float = 0.0) -> Camera:
    """A camera at `position` in base_link [m] that looks forward, turned to the left by `yaw` [rad]."""
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]]) @ R_BODY_OPTICAL
    return Camera(model, make_transform(R, position))


def stereo_pair(model: CameraModel, baseline: float) -> dict[str, Camera]:
    """A "left" and a "right" camera that look forward, `baseline` [m] apart, with MOUNT in their middle."""
    P = model.P.copy()
    P[0, 3] = -model.P[0, 0] * baseline
    x, y, z = MOUNT
    return {
        "left": mounted(model, (x, y + baseline / 2, z)),
        "right": mounted(replace(model, P=P), (x, y - baseline / 2, z)),
    }


class Drive:
    """A drive of `seconds` [s] at `rate` [Hz]; the same arguments always give the same frames.

    cameras: by name; one default camera called "camera" if omitted. traffic: whether cars come towards the vehicle.
    changing_light: whether clouds pass, followed by the exposure. A longer drive of the same seed begins with the
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
        """Yield the frames of the first camera in order."""
        return (self.frame(index) for index in range(len(self)))

    def time(self, index: int) -> float:
        """Time of a frame since the start [s]."""
        return index / self.rate

    def frame(self, index: int, camera: str = "") -> Frame:
        """One frame of the named camera, by default the first one."""
        return self.frame_at(self.time(index), camera, index)

    def frame_at(self, time: float, camera: str = "", index: int = -1) -> Frame:
        """The frame at any time [s], for cameras of different rates. index: copied to the frame."""
        name = camera or next(iter(self.cameras))
        T_world_base = self.trajectory.T_world_base(time)
        T_world_camera = T_world_base @ self.cameras[name].T_base_camera
        moving = self._traffic.at(time) if self._traffic else NOBODY
        light = self._weather.at(time)
        view = self._renderers[name].render(self.street.scene, T_world_camera, light, moving)
        return Frame(
            index=index,
            time=time,
            image=view.image,
            depth=view.depth,
            moving=view.moving,
            T_world_base=T_world_base,
            T_world_camera=T_world_camera,
        )
