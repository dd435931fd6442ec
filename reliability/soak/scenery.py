# SPDX-License-Identifier: Apache-2.0
"""What the soak test's camera sees: a short drive through the synthetic street, forwards and backwards in turns."""

from array import array
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.synthetic.drive import Drive, default_camera, mounted
from reliability.soak.messages import HEIGHT, WIDTH, data_of

COUNT = 24  # images
RATE = 20.0  # Hz, of the drive


def write_scenery(path: Path) -> None:
    """Render the images and the camera's orientations into a file."""
    drive = Drive(1, COUNT / RATE, RATE, {"camera": mounted(default_camera(WIDTH, HEIGHT))}, traffic=False)
    frames = list(drive)
    rotations = [frame.T_world_camera[:3, :3] for frame in frames]
    np.savez(path, images=[frame.image for frame in frames], rotations=rotations)


class Scenery:
    """The images of a file of write_scenery as payloads of rgb8 messages, and the turns between them."""

    def __init__(self, path: Path):
        with np.load(path) as file:
            images, self._rotations = list(file["images"]), list(file["rotations"])
        self._payloads = [data_of(image.tobytes()) for image in images]
        self._order = [*range(len(images)), *range(len(images) - 2, 0, -1)]
        self._place = 0

    def next(self) -> tuple[array, np.ndarray]:
        """The payload of the next image, and the turn since the one before (3,) [rad] in the camera's axes."""
        before = self._order[self._place]
        self._place = (self._place + 1) % len(self._order)
        now = self._order[self._place]
        turn, _ = cv2.Rodrigues(self._rotations[before].T @ self._rotations[now])
        return self._payloads[now], turn.ravel()
