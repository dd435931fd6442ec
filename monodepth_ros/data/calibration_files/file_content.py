# SPDX-License-Identifier: Apache-2.0
"""A calibration file's text and the tree of values in it, whatever it is written in."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from monodepth_ros.geometry.camera import CalibrationError

Tree = dict[str, Any]


@dataclass(frozen=True)
class FileContent:
    """text: the whole file. tree: its keys and values, {} if it is not YAML, JSON or OpenCV's XML. looks: what it is,
    in words. problem: why there is no tree."""

    text: str
    tree: Tree
    looks: str
    problem: str = ""


def load(path: Path) -> FileContent:
    """Read a file. Raises CalibrationError if it is missing or not text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CalibrationError(f"calibration file {path} does not exist: check the path") from None
    except UnicodeDecodeError:
        raise CalibrationError(f"calibration file {path} is not text, expected a calibration") from None
    except OSError as error:
        raise CalibrationError(f"calibration file {path} cannot be read: {error.strerror}") from None
    return parse(text)


def parse(text: str) -> FileContent:
    """The content of a text."""
    start = re.sub(r"\A(\s*(#[^\n]*)?\n)*\s*", "", text + "\n")  # without comments ahead
    if not start:
        return FileContent(text, {}, "an empty file")
    if "<opencv_storage" in text or "!!opencv-matrix" in text or start.startswith("%YAML"):
        is_complete = start.startswith(("%YAML", "<"))
        tree = _opencv_tree(start if is_complete else f"%YAML:1.0\n---\n{start.removeprefix('---')}")
        if tree is not None:
            return FileContent(text, tree, f"OpenCV's storage with {_keys(tree)}")
        if not re.match(r"%YAML \d", start):
            return FileContent(text, {}, "a file of OpenCV's", "is not a storage that OpenCV can read")
    if start.startswith("<"):
        return FileContent(text, {}, "XML")
    if start.startswith(("{", "[")):
        try:
            return _of_tree(text, json.loads(text), "JSON")
        except json.JSONDecodeError:
            pass  # YAML's flow style begins alike
    try:
        found = next((document for document in yaml.safe_load_all(text) if document is not None), None)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        return FileContent(text, {}, "text", f"is not YAML{where}")
    return _of_tree(text, found, "YAML")


def _of_tree(text: str, tree: object, language: str) -> FileContent:
    if isinstance(tree, dict):
        tree = {str(key): value for key, value in tree.items()}
        return FileContent(text, tree, f"{language} with {_keys(tree)}")
    return FileContent(text, {}, "text" if isinstance(tree, str) else f"{language} without keys")


def _keys(tree: Tree) -> str:
    shown = ", ".join(list(tree)[:6])
    return f"the keys {shown}{', ...' if len(tree) > 6 else ''}" if tree else "no keys"


def _opencv_tree(text: str) -> Tree | None:
    """The values of OpenCV's FileStorage (YAML or XML); None if OpenCV cannot read it."""
    try:
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        tree = _values(storage.root()) if storage.isOpened() else None
    except (cv2.error, SystemError):  # OpenCV 5's constructor raises the latter
        return None
    return tree if isinstance(tree, dict) else None


def _values(node: Any) -> Any:
    if node.isMap():
        names = node.keys()
        return {name: _values(node.getNode(name)) for name in names}
    if node.isSeq():
        return [_values(node.at(i)) for i in range(node.size())]
    if node.isInt():
        return int(node.real())
    return node.real() if node.isReal() else node.string() if node.isString() else None


def get(tree: Tree, *names: str) -> Any:
    """The value of the first of these keys that is there. Raises CalibrationError if none is."""
    for name in names:
        if name in tree:
            return tree[name]
    raise CalibrationError(f"{' or '.join(names)} is missing, found {', '.join(map(str, tree)) or 'no keys'}")


def whole_number(value: object, name: str) -> int:
    """A size in pixels, which some tools write as 640.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise CalibrationError(f"{name} is {value!r}, expected a whole number of pixels")
    return int(value)


def image_size(value: object, name: str) -> tuple[int, int]:
    """(width, height) from a list of the two, or a matrix with data."""
    value = value.get("data") if isinstance(value, dict) else value
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise CalibrationError(f"{name} is {value!r:.60}, expected [width, height] in pixels")
    return whole_number(value[0], name), whole_number(value[1], name)


def numbers(value: object, name: str, count: int | None = None) -> np.ndarray:
    """The numbers (N,) of a list, of nested lists, or of a matrix with rows, cols and data; row after row.

    Raises CalibrationError for another count and for values that are not finite numbers.
    """
    data = value.get("data") if isinstance(value, dict) else value
    if not isinstance(data, list):
        raise CalibrationError(f"{name} is {value!r:.60}, expected rows, cols and data, or a list of numbers")
    try:
        values = np.array([float(item) for row in data for item in (row if isinstance(row, list) else [row])])
    except (TypeError, ValueError):  # float() as well: PyYAML reads 1e-05 as text
        raise CalibrationError(f"{name} has data {data!r:.60}, expected numbers") from None
    if count is not None and values.size != count:
        raise CalibrationError(f"{name} has {values.size} numbers, expected {count}")
    if not np.isfinite(values).all():
        raise CalibrationError(f"{name} has data {data!r:.60}, expected finite numbers")
    return values


def number(value: object, name: str) -> float:
    """A finite number."""
    return float(numbers([value], name, 1)[0])
