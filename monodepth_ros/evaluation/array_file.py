# SPDX-License-Identifier: Apache-2.0
"""Arrays in .npy files and in members of .npz archives, whose header is judged before anything is allocated for it."""

import io
import math
from pathlib import Path
from typing import BinaryIO

import numpy as np

from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import LARGEST_ARRAY

_FORMAT = np.lib.format
_LONGEST_HEADER = 10_000  # characters, as numpy's own


class ArrayHeaderError(ValueError):
    """A header of no array, or of one that is larger than its bytes; the reason in words."""


def read_array_header(stream: BinaryIO, size: int) -> tuple[tuple[int, ...], bool, np.dtype]:
    """(shape, whether its order is Fortran's, type) of the array that begins at the place of a stream.

    size: bytes from there to the end. Afterwards the stream is at the array's values. Raises ArrayHeaderError for
    anything but an array of numbers whose bytes are there; an array of objects has no bytes that could be counted.
    """
    try:
        begin = stream.tell()
        version = _FORMAT.read_magic(stream)
        read = _FORMAT.read_array_header_1_0 if version == (1, 0) else _FORMAT.read_array_header_2_0
        shape, is_fortran, dtype = read(stream, max_header_size=_LONGEST_HEADER)
        left = size - (stream.tell() - begin)
    except OSError:
        raise
    except Exception:  # numpy parses the header as Python's source, and raises what that raises
        raise ArrayHeaderError("not an array file") from None
    if dtype.hasobject:
        return shape, is_fortran, dtype
    if any(type(side) is not int or side < 0 for side in shape):
        raise ArrayHeaderError(f"an array of shape {shape}")
    needed = math.prod(shape) * dtype.itemsize
    if needed > min(left, LARGEST_ARRAY):
        most = "the largest" if needed > LARGEST_ARRAY else "all that is there"
        raise ArrayHeaderError(f"an array of {needed} bytes, and {min(left, LARGEST_ARRAY)} are {most}")
    return shape, is_fortran, dtype


def map_array(path: str | Path) -> np.ndarray:
    """The array of numbers in a .npy file, mapped for reading.

    Raises MonodepthError for what is no ordinary file, OSError, and ArrayHeaderError.
    """
    path = ordinary_file(path)
    with path.open("rb") as stream:
        shape, is_fortran, dtype = read_array_header(stream, path.stat().st_size)
        place = stream.tell()
    if dtype.hasobject:
        raise ArrayHeaderError("an array of objects")
    order = "F" if is_fortran else "C"
    if not math.prod(shape) * dtype.itemsize:
        return np.zeros(shape, dtype, order)
    return np.memmap(path, dtype, "r", place, shape, order)


def array_of(data: bytes) -> np.ndarray:
    """The array of numbers in the bytes of a .npy file. Raises ArrayHeaderError."""
    stream = io.BytesIO(data)
    shape, is_fortran, dtype = read_array_header(stream, len(data))
    if dtype.hasobject:
        raise ArrayHeaderError("an array of objects")
    count = math.prod(shape)
    values = np.frombuffer(data, dtype, count, stream.tell()) if count and dtype.itemsize else np.zeros(shape, dtype)
    return values.reshape(shape, order="F" if is_fortran else "C")
