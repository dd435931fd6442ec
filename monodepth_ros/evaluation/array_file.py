# SPDX-License-Identifier: Apache-2.0
"""Arrays in .npy and .npz files, judged by their headers before anything is allocated for them."""

import os
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.evaluation.depth_metrics import EvaluationError
from monodepth_ros.input_file import ordinary_file
from monodepth_ros.limits import FREE_EXPANSION, LARGEST_ARRAY, LARGEST_EXPANSION

MOST_DIMENSIONS = 8


class ArrayHeader(NamedTuple):
    """The header of an array. is_fortran: its first index runs fastest. offset: of its data [bytes]."""

    shape: tuple[int, ...]
    is_fortran: bool
    dtype: np.dtype
    offset: int

    @property
    def size(self) -> int:
        """Bytes of the data."""
        count = 1
        for side in self.shape:
            count *= side
        return count * self.dtype.itemsize

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


class ArrayFile(Sequence[np.ndarray]):
    """The array of a .npy file, read one item of its first dimension at a time.

    expected: in words, for errors. Raises EvaluationError for a file without an array of numbers, or with fewer bytes
    than its header claims, also later on for a file that has shrunk.
    """

    def __init__(self, path: str | Path, expected: str):
        self._path = Path(path)
        with _errors_of(path, expected), open(ordinary_file(path, LARGEST_ARRAY), "rb") as file:
            self.header = read_header(file, str(path), expected)
            check_size(self.header, os.fstat(file.fileno()).st_size, str(path))
        self._whole: np.ndarray | None = None
        if self.header.is_fortran and len(self.header.shape) > 1:
            self._whole = read_array(path, expected)

    def __len__(self) -> int:
        return self.header.shape[0]

    def __getitem__(self, index: Any) -> Any:
        number = range(len(self))[index]
        if self._whole is not None:
            return self._whole[number]
        shape, dtype = self.header.shape[1:], self.header.dtype
        count = int(np.prod(shape, dtype=np.int64))
        with _errors_of(self._path, "an array"), open(self._path, "rb") as file:
            file.seek(self.header.offset + number * count * dtype.itemsize)
            return _numbers(file, count, dtype, str(self._path)).reshape(shape)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))


def read_array(path: str | Path, expected: str) -> np.ndarray:
    """The array of a .npy file. Raises EvaluationError as ArrayFile; expected: in words, for it."""
    with _errors_of(path, expected), open(ordinary_file(path, LARGEST_ARRAY), "rb") as file:
        header = read_header(file, str(path), expected)
        check_size(header, os.fstat(file.fileno()).st_size, str(path))
        return array_data(file, header, str(path))


def read_header(file: IO[bytes], name: str, expected: str) -> ArrayHeader:
    """The header of an array, whose data is then next in the file. Raises EvaluationError for an impossible one."""
    try:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise EvaluationError(f"{name} is an array of format {version[0]}.{version[1]}; expected {expected}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
    except EvaluationError:
        raise
    except Exception:  # of a header that is Python's text: errors of many types
        raise EvaluationError(f"{name} is not an array file; expected {expected}") from None
    header = ArrayHeader(tuple(shape), bool(is_fortran), dtype, file.tell())
    sides = header.shape
    if not all(type(side) is int and side >= 0 for side in sides) or len(sides) > MOST_DIMENSIONS:
        raise EvaluationError(f"{name} claims the shape {sides}; expected {expected}")
    if dtype.hasobject and dtype.kind == "O":
        return header
    if dtype.kind not in "fiub" or dtype.itemsize > 8:
        raise EvaluationError(f"{name} holds {dtype} values, no numbers that depth or poses have; expected {expected}")
    return header


def check_size(header: ArrayHeader, there: int, name: str) -> None:
    """Raise EvaluationError for an array that claims more bytes than a file of `there` bytes, or the memory, has."""
    if header.size > there - header.offset:
        raise EvaluationError(
            f"{name} claims {header} with {header.size} bytes and holds {max(0, there - header.offset)}: it is cut or "
            "damaged"
        )
    check_memory(header.size, name)


def check_memory(size: int, name: str) -> None:
    """Raise EvaluationError for more bytes than the machine has free."""
    free = _free_memory()
    if size > free:
        raise EvaluationError(f"{name} takes {size / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free")


def array_data(file: IO[bytes], header: ArrayHeader, name: str) -> np.ndarray:
    """The array behind a checked header. Raises EvaluationError for missing data."""
    flat = _numbers(file, int(np.prod(header.shape, dtype=np.int64)), header.dtype, name)
    return flat.reshape(header.shape, order="F" if header.is_fortran else "C")


def check_member(member: zipfile.ZipInfo, name: str) -> None:
    """Raise EvaluationError for a member that would expand to more than archives of arrays do, or is encrypted."""
    if member.flag_bits & 1:
        raise EvaluationError(f"{name} is encrypted")
    most = max(FREE_EXPANSION, LARGEST_EXPANSION * member.compress_size)
    if member.file_size > min(most, LARGEST_ARRAY):
        raise EvaluationError(
            f"{name} expands from {member.compress_size} to {member.file_size} bytes, no more than {most} are read"
        )
    check_memory(member.file_size, name)


def _numbers(file: IO[bytes], count: int, dtype: np.dtype, name: str) -> np.ndarray:
    data = file.read(count * dtype.itemsize)
    if len(data) < count * dtype.itemsize:
        raise EvaluationError(f"{name} ends after {len(data)} of {count * dtype.itemsize} bytes of an array: it is cut")
    return np.frombuffer(data, dtype)


@contextmanager
def _errors_of(path: str | Path, expected: str) -> Iterator[None]:
    """Turn the operating system's errors, and those of the checks of files, into EvaluationError."""
    try:
        yield
    except EvaluationError:
        raise
    except MonodepthError as error:
        raise EvaluationError(f"{error}; expected {expected}") from None
    except (OSError, MemoryError) as error:
        raise EvaluationError(f"{path}: {one_line(error)}; expected {expected}") from None


def _free_memory() -> int:
    """Bytes that can be allocated without swapping; where the system does not say, as many as the largest array has."""
    try:
        with open("/proc/meminfo") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        return LARGEST_ARRAY
