# SPDX-License-Identifier: Apache-2.0
"""An engine that knows the exact depth and motion of a recording."""

import numpy as np

from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.geometry.motion import invert
from monodepth_ros.inference.engine import Engine
from monodepth_ros.networks.disparity import scale_disparity


class ExactEngine(Engine):
    """Gives the recording's exact depth and motion, frame after frame, in units of `factor` metres."""

    name, device, precision, has_pose = "exact", "cpu", "fp32", True

    def __init__(self, path, factor, options=SourceOptions()):
        with open_source(str(path), options) as source:
            self.frames = list(source.frames())
        self.factor, self.next = factor, 0

    def load_image(self, rgb):
        self.next += 1
        return self.next - 1

    def disparity(self, index):
        far, near = scale_disparity(np.array([0.0, 1.0]), 0.1, 100.0)
        with np.errstate(divide="ignore"):
            disparity = (self.factor / self.frames[index].reference_depth - far) / (near - far)
        return disparity.clip(0, 1).astype(np.float32)

    def motion(self, earlier, later):
        T = invert(self.frames[later].T_world_camera) @ self.frames[earlier].T_world_camera
        T[:3, 3] /= self.factor
        return T

    def release(self):
        pass
