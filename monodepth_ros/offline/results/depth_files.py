# SPDX-License-Identifier: Apache-2.0
"""Depth images in files: 16-bit PNG, or floating point."""

import io
import json
from pathlib import Path

import cv2
import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.output_file import one_line_for, write_file, write_frame_file

KINDS = ("png", "npz", "none")
COUNTS_PER_UNIT = 256.0
_MAX_COUNT = 65535


class DepthFiles:
    """Writes <folder>/<name>.png or .npz for each frame, and format.json with the meaning of the numbers.

    kind: png, npz or none. unit: 'm', or 'network units' for a relative scale. MonodepthError for another kind.
    """

    def __init__(self, folder: Path, kind: str, unit: str):
        self._folder, self._kind = folder, kind
        if kind not in KINDS:
            raise MonodepthError(f"depth files of kind {kind!r}: expected {', '.join(KINDS)}")
        if kind == "none":
            return
        with one_line_for(folder):
            folder.mkdir()
        facts = {"quantity": "depth along the optical axis", "unit": unit}
        if kind == "png":
            facts |= {
                "files": "PNG, one channel, 16 bits (as KITTI's depth benchmark)",
                "counts_per_unit": COUNTS_PER_UNIT,
                "zero": "no depth: not seen, too near, too far, or 256 units and more",
            }
        else:
            facts |= {
                "files": "NumPy, float32 array 'depth'",
                "nan": "not seen",
                "inf": "too far",
                "-inf": "too near",
            }
        write_file(folder / "format.json", json.dumps(facts, indent=2) + "\n")

    def write(self, name: str, depth: np.ndarray) -> None:
        """Write depth (H, W), float32 as in the pipeline, whole or not; MonodepthError if the disk is full or gone."""
        if self._kind == "none":
            return
        path = self._folder / f"{name}.{self._kind}"
        if self._kind == "npz":
            packed = io.BytesIO()
            np.savez_compressed(packed, depth=depth)
            data = packed.getvalue()
        else:
            # Depth compresses well at low levels; the highest take longer than the networks.
            data = cv2.imencode(".png", depth_counts(depth), [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()
        write_frame_file(path, data)


def depth_counts(depth: np.ndarray) -> np.ndarray:
    """Depth as uint16 (H, W), 256 counts per unit; 0 if it is not finite, not positive or too large."""
    with np.errstate(invalid="ignore"):
        counts = np.rint(depth * COUNTS_PER_UNIT)
        return np.where((counts > 0) & (counts <= _MAX_COUNT), counts, 0).astype(np.uint16)


def in_units(depth: np.ndarray) -> np.ndarray:
    """Depth as float32 in its unit, from either encoding; 0 millimetres become NaN."""
    if depth.dtype == np.float32:
        return depth
    return np.where(depth == 0, np.float32(np.nan), depth.astype(np.float32) / 1000.0)
