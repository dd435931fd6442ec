# SPDX-License-Identifier: Apache-2.0
"""What a training says, for TensorBoard, where it is installed."""

import math
from pathlib import Path
from typing import Any

from torch import Tensor


class TensorBoard:
    """Event files in `folder`; nothing is written where TensorBoard is not installed (`pip install tensorboard`).

    step: what an earlier run logged after it is passed over.
    """

    def __init__(self, folder: Path, step: int = 0):
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            self._writer = None
        else:
            self._writer = SummaryWriter(str(folder), purge_step=step)

    def numbers(self, step: int, kind: str, values: dict[str, Any]) -> None:
        """One curve for each finite number, named '<kind>/<name>'."""
        if self._writer is None:
            return
        for name, value in values.items():
            if isinstance(value, (int, float)) and math.isfinite(value):
                self._writer.add_scalar(f"{kind}/{name}", value, step)

    def pictures(self, step: int, pictures: dict[str, Tensor]) -> None:
        """Images (C, H, W) by name; one that is not in [0, 1] is stretched to it."""
        if self._writer is None:
            return
        for name, picture in pictures.items():
            low, high = picture.min(), picture.max()
            if low < 0 or high > 1:
                picture = (picture - low) / (high - low).clamp(min=1e-6)
            self._writer.add_image(name, picture, step)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
