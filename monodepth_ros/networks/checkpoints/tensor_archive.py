# SPDX-License-Identifier: Apache-2.0
"""`torch.save` files judged before PyTorch reads them: plain data only, and no more of it than the file holds.

The description of the content (a pickle) is read by a machine that knows nothing but containers, numbers and texts. A
tensor is a claim there, for which no memory is allocated. Both forms are understood: archives, and the plain files that
PyTorch wrote before version 1.6.
"""

import pickle
import re
import tarfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar, NamedTuple

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import LONGEST_TENSOR_INDEX

_OLD_MAGIC = 0x1950A86A20F9469CFC6C  # the first object in a file from before archives
_SIZES = {
    **dict.fromkeys(("Double", "Long", "ComplexFloat"), 8),
    **dict.fromkeys(("Float", "Int", "QInt32"), 4),
    **dict.fromkeys(("Half", "BFloat16", "Short"), 2),
    **dict.fromkeys(("Char", "Byte", "Bool", "QInt8", "QUInt8", "Untyped"), 1),
    "ComplexDouble": 16,
}
# The instructions of a pickle that state dicts need: nothing that allocates more than it reads.
_INSTRUCTIONS = (
    *("ADDITEMS", "APPEND", "APPENDS", "BINFLOAT", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID", "BINPUT"),
    *("BINSTRING", "BINUNICODE", "BUILD", "DICT", "DUP", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET", "EMPTY_TUPLE"),
    *("FLOAT", "GET", "GLOBAL", "INT", "LIST", "LONG", "LONG1", "LONG4", "LONG_BINGET", "LONG_BINPUT", "MARK"),
    *("NEWFALSE", "NEWTRUE", "NONE", "POP", "POP_MARK", "PROTO", "PUT", "REDUCE", "SETITEM", "SETITEMS"),
    *("SHORT_BINSTRING", "STOP", "STRING", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "UNICODE"),
)


_CODES = {getattr(pickle, name)[0] for name in _INSTRUCTIONS}


class TensorArchiveError(MonodepthError):
    """A file that is no `torch.save` file of plain data, or claims more than it holds."""


class _StorageKind(NamedTuple):
    """Named in place of a class, so that nothing can be built of it."""

    bytes_per_value: int


def check_tensor_archive(file: BinaryIO) -> None:
    """Raise TensorArchiveError unless PyTorch can read the file, open at its beginning, without running code from it
    and without allocating more than its size.

    Archives that `torch.save` does not write are refused: tar, and zip archives that unpack to far more.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if tarfile.is_tarfile(file):
        raise TensorArchiveError("a tar archive, not a PyTorch weight file; unpack it first")
    file.seek(0)
    is_archive = file.read(2) == b"PK"
    file.seek(0)
    try:
        if is_archive:
            _check_zip(file, size)
        else:
            _check_old(file, size)
    except TensorArchiveError:
        raise
    except Exception:  # damaged input makes both machines raise errors of many kinds
        raise TensorArchiveError("not a PyTorch weight file, or damaged") from None


def _check_zip(file: BinaryIO, size: int) -> None:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise TensorArchiveError("the archive is damaged or truncated") from None
    with archive:
        entries = {item.filename: item.file_size for item in archive.infolist()}
        unpacked = sum(entries.values())
        if unpacked > 2 * size + 2**20:
            raise TensorArchiveError(f"unpacks to {unpacked} bytes from {size}; not a file that PyTorch wrote")
        (index,) = (name for name in entries if re.fullmatch(r"[^/]*/data\.pkl", name))
        if entries[index] > LONGEST_TENSOR_INDEX:
            raise TensorArchiveError(f"lists its tensors in {entries[index]} bytes; not a file of weights")
        folder = index.removesuffix("data.pkl")
        with archive.open(index) as pickled:
            _Machine(pickled, lambda key: entries[f"{folder}data/{key}"]).load()


def _check_old(file: BinaryIO, size: int) -> None:
    if _Machine(file, lambda key: size).load() != _OLD_MAGIC:
        raise TensorArchiveError("not a PyTorch weight file, or damaged")
    for _ in ("version of the format", "properties of the system"):
        _Machine(file, lambda key: size).load()
    claims = _Machine(file, lambda key: size)
    claims.load()
    if sum(claims.claimed.values()) > size:
        raise TensorArchiveError(
            f"truncated or damaged: claims tensors of {sum(claims.claimed.values())} bytes and has {size}"
        )


class _Machine(pickle._Unpickler):  # the one in C has no list of instructions
    """Reads a pickle's containers, numbers and texts. available: bytes of the tensor of a name."""

    dispatch: ClassVar = {code: run for code, run in pickle._Unpickler.dispatch.items() if code in _CODES}

    def __init__(self, file: Any, available: Callable[[str], int]):
        super().__init__(_Bounded(file))
        self._available = available
        self.claimed: dict[str, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module in ("torch", "torch.storage") and name.removesuffix("Storage") in _SIZES and name.endswith("Storage"):
            return _StorageKind(_SIZES[name.removesuffix("Storage")])
        if module == "torch._utils" and name.startswith("_rebuild_"):
            return _claim
        if (module, name) in (("torch", "Size"), ("torch", "device"), ("torch.serialization", "_get_layout")):
            return _claim
        if module == "torch" and re.fullmatch(r"[a-z]+\d*(_[a-z]+)?", name):  # a type such as float32
            return name
        raise TensorArchiveError(
            f"holds code or objects ({shown(f'{module}.{name}', 80)}), nothing of it was run; expected tensors only, do"
            " not trust this file"
        )

    def persistent_load(self, reference: Any) -> str:
        word, kind, key, _, count, *_ = reference
        if word != "storage" or type(key) is not str or type(count) is not int or count < 0:
            raise TensorArchiveError("not a PyTorch weight file, or damaged")
        self.claimed[key] = claimed = count * kind.bytes_per_value
        if claimed > self._available(key):
            raise TensorArchiveError(f"truncated or damaged: claims {claimed} bytes for {self._available(key)}")
        return "storage"


def _claim(*_: object) -> str:
    return "tensor"


class _Bounded:
    """A file of which no more than LONGEST_TENSOR_INDEX bytes are read."""

    def __init__(self, file: BinaryIO):
        self._file, self._left = file, LONGEST_TENSOR_INDEX

    def read(self, size: int) -> bytes:
        """As for files."""
        return self._counted(self._file.read(min(size, self._left)))

    def readline(self) -> bytes:
        """As for files."""
        return self._counted(self._file.readline(self._left))

    def readinto(self, buffer: Any) -> int:
        """As for files; state dicts do not need it."""
        raise TensorArchiveError("not a PyTorch weight file, or damaged")

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if not self._left:
            raise TensorArchiveError(f"lists its tensors in more than {LONGEST_TENSOR_INDEX} bytes")
        return data
