# SPDX-License-Identifier: Apache-2.0
"""Pickled numpy arrays, as a .npy file holds maps of several sizes, without running anything that is in the file."""

import math
import pickle
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from monodepth_ros.foreign_text import shown

_ARRAY_TYPE, _NUMBERS = object(), re.compile(r"[<>|=]?(O8?|[fiu][1248])")
_ORDERS = ("<", ">", "|", "=")
# Operations that arrays do not need: other ways to make objects, and those that allocate by a number in the file.
_UNUSED = (
    *(pickle.BYTEARRAY8, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER, pickle.PERSID, pickle.BINPERSID, pickle.INST),
    *(pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX),
)


class ArrayUnpickler(pickle._Unpickler):  # type: ignore[name-defined, misc]
    """Unpickles numpy arrays of numbers, and arrays of them; nothing else.

    It is the unpickler in Python, because that in C allocates by the numbers in a file, and the state of arrays and of
    their types is judged before numpy gets it. `load` raises UnpicklingError for anything else, and errors of many
    types for damaged data.
    """

    def find_class(self, module: str, name: str) -> Any:
        # The functions that numpy 1 and 2 pickle arrays with.
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return _empty_array
        if (module, name) == ("numpy", "ndarray"):
            return _ARRAY_TYPE
        if (module, name) == ("numpy", "dtype"):
            return _number_type
        raise pickle.UnpicklingError(f"holds {shown(f'{module}.{name}')}, nothing of it was run")

    def load_build(self) -> None:
        state = self.stack.pop()
        made = self.stack[-1]
        if isinstance(made, np.dtype):
            self.stack[-1] = _ordered(made, state)
        elif isinstance(made, np.ndarray):
            _fill(made, state)
        else:
            raise pickle.UnpicklingError("holds an object that is no array, nothing of it was run")

    def load_reduce(self) -> None:
        arguments = self.stack.pop()
        make = self.stack[-1]
        if make not in (_empty_array, _number_type):
            raise pickle.UnpicklingError("holds an object that is no array, nothing of it was run")
        self.stack[-1] = make(*arguments)

    dispatch: dict[int, Callable] = {
        code: run for code, run in pickle._Unpickler.dispatch.items() if bytes([code]) not in _UNUSED
    } | {pickle.BUILD[0]: load_build, pickle.REDUCE[0]: load_reduce}


def _empty_array(kind: object, shape: tuple[int, ...], code: bytes) -> np.ndarray:
    """What numpy begins an array with, whose shape and data come with its state."""
    if kind is not _ARRAY_TYPE or shape != (0,):
        raise pickle.UnpicklingError("holds an array of another form, nothing of it was run")
    return np.empty(0, np.int8)


def _number_type(code: str, *_: object) -> np.dtype:
    if not isinstance(code, str) or not _NUMBERS.fullmatch(code):
        raise pickle.UnpicklingError(f"holds an array of type {shown(code)}, expected numbers")
    return np.dtype(code)


def _ordered(kind: np.dtype, state: Any) -> np.dtype:
    """A type with the byte order of its state."""
    if not isinstance(state, tuple) or len(state) < 2 or state[1] not in _ORDERS:
        raise pickle.UnpicklingError("holds an array of an unknown type, expected numbers")
    return kind if state[1] == "|" else kind.newbyteorder(state[1])


def _fill(array: np.ndarray, state: Any) -> None:
    """Give an array its state: (version, shape, type, whether it is in Fortran's order, data)."""
    if not isinstance(state, tuple) or len(state) != 5:
        raise pickle.UnpicklingError("holds an array without its state")
    _, shape, kind, is_fortran, data = state
    sides = shape if isinstance(shape, tuple) else (-1,)
    if not all(type(side) is int and side >= 0 for side in sides) or not isinstance(kind, np.dtype):
        raise pickle.UnpicklingError("holds an array of an impossible shape or type")
    expected, found = (list, math.prod(sides)) if kind.hasobject else (bytes, math.prod(sides) * kind.itemsize)
    if not isinstance(data, expected) or len(data) != found:
        raise pickle.UnpicklingError(f"holds an array of shape {sides} with data of another size")
    array.__setstate__((1, sides, kind, bool(is_fortran), data))
