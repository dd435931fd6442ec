# SPDX-License-Identifier: Apache-2.0
"""Predicted and ground-truth depth maps of many images in one file."""

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.evaluation.array_file import ArrayFile, array_data, check_member, check_size, read_header
from monodepth_ros.evaluation.array_pickle import ArrayUnpickler
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.foreign_text import shown
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_ARRAY
from monodepth_ros.networks.disparity import depth_at_size

_TRUTH = "an .npz of ground-truth depth"
_EXPECTED = "expected ground-truth depth maps (height, width), one per image"
TRUTH_NAME = "data"  # name of the array in monodepth2's gt_depths.npz


class DepthPredictions:
    """Predictions (N, h, w) in a .npy file: inverse depth as monodepth2 saves it, or depth with `is_depth`.

    EvaluationError for a file without such an array. `depth` raises it for an image with inverse depth that is negative
    or not finite (0 is infinitely far), or with depth that is not positive. NaN in depth means no prediction.
    """

    def __init__(self, path: str | Path, is_depth: bool = False):
        self._path, self._is_depth = Path(path), is_depth
        array = ArrayFile(path, "a .npy of predictions (N, height, width)")
        shape = array.header.shape
        if len(shape) == 4 and shape[1] == 1:
            shape = (shape[0], *shape[2:])
        if len(shape) != 3 or array.header.dtype.kind != "f" or 0 in shape:
            raise EvaluationError(f"{path}: {array.header}, expected floating point (N, height, width)")
        self._array, self._shape = array, shape[1:]

    def __len__(self) -> int:
        return len(self._array)

    def depth(self, index: int, size: tuple[int, int]) -> np.ndarray:
        """Depth (height, width) of an image in the unit of the file; size: (width, height) of the ground truth."""
        with np.errstate(all="ignore"):  # numbers that float32 does not hold become infinite
            image = np.array(self._array[index], np.float32).reshape(self._shape)
        fits = (image > 0) | np.isnan(image) if self._is_depth else (image >= 0) & np.isfinite(image)
        if not fits.all():
            kind = "depth" if self._is_depth else "inverse depth"
            raise EvaluationError(
                f"{self._path}: {int((~fits).sum())} values of image {index} are no {kind}, the first is"
                f" {image[~fits][0]:g}; expected {'positive' if self._is_depth else 'finite'} numbers"
                f"{'' if self._is_depth else ' from 0 on (for depths say so: --depths)'}"
            )
        with np.errstate(divide="ignore"):
            return depth_at_size(1.0 / image if self._is_depth else image, size)


def read_truth_archive(path: str | Path) -> Sequence[np.ndarray]:
    """Ground truth [m], (H, W) each, from an .npz in the format of monodepth2's gt_depths, or an array (N, H, W).

    A file with images of several sizes contains pickled arrays: they are read without executing anything in it.
    EvaluationError for any other file.
    """
    path = Path(path)
    if path.suffix.lower() != ".npz":
        array = ArrayFile(path, _TRUTH)
        if len(array.header.shape) != 3 or array.header.dtype.kind not in "fiu" or 0 in array.header.shape:
            raise EvaluationError(f"{path}: {array.header}, {_EXPECTED}")
        return array
    try:
        with zipfile.ZipFile(ordinary_file(path, LARGEST_ARRAY)) as archive:
            maps = _read_archive(path, archive)
    except pickle.UnpicklingError as error:
        raise EvaluationError(f"{path}: {error}; expected depth maps only, do not trust this file") from None
    except MonodepthError as error:
        raise EvaluationError(str(error)) from None
    except Exception as error:  # damaged archives raise errors of many kinds
        reason = getattr(error, "strerror", None) or "not an archive of arrays, or damaged"
        raise EvaluationError(f"{path}: {reason}; expected {_TRUTH}") from None
    is_maps = all(isinstance(m, np.ndarray) and m.ndim == 2 and m.size and m.dtype.kind in "fiu" for m in maps)
    if not len(maps) or not is_maps:
        raise EvaluationError(f"{path}: {_EXPECTED}")
    return maps


def _read_archive(path: Path, archive: zipfile.ZipFile) -> Sequence[np.ndarray]:
    names = archive.namelist()
    name = f"{TRUTH_NAME}.npy"
    if name not in names:
        if len(names) != 1:
            raise EvaluationError(
                f"{path}: holds {', '.join(map(shown, names[:5])) or 'nothing'}; expected an array named {TRUTH_NAME}"
            )
        name = names[0]
    member, what = archive.getinfo(name), f"{path}: {shown(name)}"
    check_member(member, what)
    with archive.open(member) as file:
        header = read_header(file, what, _TRUTH)
        if header.dtype.hasobject:
            content = ArrayUnpickler(file).load()
            return [] if not isinstance(content, np.ndarray) else list(content)
        check_size(header, member.file_size, what)
        array = array_data(file, header, what)
        return array if array.ndim else []
