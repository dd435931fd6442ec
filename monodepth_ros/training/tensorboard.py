# SPDX-License-Identifier: Apache-2.0
"""Event files for TensorBoard, if it is installed."""

import math
from pathlib import Path
from typing import Any

from torch import Tensor


class TensorBoard:
    """Writes event files into `folder`, or nothing if TensorBoard is not installed (`pip install tensorboard`).

    step: TensorBoard drops the events of an earlier run after this step.
    """

    def __init__(self, folder: Path, step: int = 0):
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - optional
        except ImportError:
            self._writer = None
        else:
            self._writer = SummaryWriter(str(folder), purge_step=step)

    def numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """Add a point to the curve '<kind>/<name>' of each finite number."""
        if self._writer is None:
            return
        for name, value in values.items():
            if isinstance(value, (int, float)) and math.isfinite(value):
                self._writer.add_scalar(f"{kind}/{name}", value, step)

    def pictures(self, step: int, pictures: dict[str, Tensor]) -> None:
        """Add pictures (C, H, W) by name. Values outside [0, 1] are scaled to it."""
        if self._writer is None:
            return
        for name, picture in pictures.items():
            low, high = picture.min(), picture.max()
            if low < 0 or high > 1:
                picture = (picture - low) / (high - low).clamp(min=1e-6)
            self._writer.add_image(name, picture, step)

    def close(self) -> None:
        """Write the remaining events."""
        if self._writer is not None:
            self._writer.close()
