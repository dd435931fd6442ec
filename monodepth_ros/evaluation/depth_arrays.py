# SPDX-License-Identifier: Apache-2.0
"""Predicted and ground-truth depth maps of many images in one file."""

import pickle
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.networks.disparity import depth_at_size

TRUTH_NAME = "data"  # name of the array in monodepth2's gt_depths.npz


class DepthPredictions:
    """Predictions (N, h, w) in a .npy file: inverse depth as monodepth2 saves it, or depth with `is_depth`.

    EvaluationError for a file without such an array. `depth` raises it for an image with inverse depth that is negative
    or not finite (0 is infinitely far), or with depth that is not positive. NaN in depth means no prediction.
    """

    def __init__(self, path: str | Path, is_depth: bool = False):
        self._path, self._is_depth = Path(path), is_depth
        try:
            array = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            reason = getattr(error, "strerror", None) or "not an array file"
            raise EvaluationError(f"{path}: {reason}; expected a .npy of predictions (N, height, width)") from None
        if isinstance(array, np.ndarray) and array.ndim == 4 and array.shape[1] == 1:
            array = array[:, 0]
        if not isinstance(array, np.ndarray) or array.ndim != 3 or array.dtype.kind != "f":
            found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "several arrays"
            raise EvaluationError(f"{path}: {found}, expected floating point (N, height, width)")
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def depth(self, index: int, size: tuple[int, int]) -> np.ndarray:
        """Depth (height, width) of an image in the unit of the file; size: (width, height) of the ground truth."""
        image = np.array(self._array[index], np.float32)
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
    try:
        if path.suffix.lower() == ".npz":
            maps = _read_archive(path)
        else:
            maps = np.load(path, mmap_mode="r", allow_pickle=False)
    except pickle.UnpicklingError as error:
        raise EvaluationError(f"{path}: {error}; expected depth maps only, do not trust this file") from None
    except EvaluationError:
        raise
    except Exception as error:  # damaged archives raise errors of many kinds
        reason = getattr(error, "strerror", None) or "not an archive of arrays, or damaged"
        raise EvaluationError(f"{path}: {reason}; expected an .npz of ground-truth depth") from None
    is_maps = all(isinstance(m, np.ndarray) and m.ndim == 2 and m.dtype.kind in "fiu" for m in maps)
    if not len(maps) or not is_maps:
        raise EvaluationError(f"{path}: expected ground-truth depth maps (height, width), one per image")
    return maps


def _read_archive(path: Path) -> Sequence[np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        name = f"{TRUTH_NAME}.npy"
        if name not in names:
            if len(names) != 1:
                raise EvaluationError(
                    f"{path}: holds {', '.join(names[:5]) or 'nothing'}; expected an array named {TRUTH_NAME}"
                )
            name = names[0]
        with archive.open(name) as file:
            version = np.lib.format.read_magic(file)
            read_header = getattr(np.lib.format, f"read_array_header_{version[0]}_0")
            _, _, dtype = read_header(file)
            if dtype.hasobject:
                content = _ArrayUnpickler(file).load()
                return [] if not isinstance(content, np.ndarray) else list(content)
        with archive.open(name) as file:
            return np.lib.format.read_array(file, allow_pickle=False)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles numpy arrays and nothing else, so that no code in the file can run."""

    def find_class(self, module: str, name: str):
        # The functions that numpy 1 and 2 pickle arrays with.
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        if module == "numpy" and name in ("ndarray", "dtype"):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"holds {module}.{name}, nothing of it was run")
