# SPDX-License-Identifier: Apache-2.0
"""A calibration file's text and the tree of values in it, whatever it is written in."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

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
    """The content of a text.

    OpenCV's own reader is not used, because some damaged files keep it busy for ever.
    """
    start = re.sub(r"\A(\s*(#[^\n]*)?\n)*\s*", "", text + "\n")  # without comments ahead
    if not start:
        return FileContent(text, {}, "an empty file")
    if start.startswith("<"):
        return _of_xml(text)
    if start.startswith(("{", "[")):
        try:
            return _of_tree(text, json.loads(text), "JSON")
        except (json.JSONDecodeError, RecursionError):
            pass  # YAML's flow style begins alike
    try:
        found, others = _documents(yaml.load_all(_plain_yaml(start), _Loader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError for impossible dates
        mark = getattr(error, "problem_mark", None)
        skipped = text.count("\n") + 1 - start.count("\n")
        where = f" (line {skipped + mark.line + 1})" if mark else ""
        return FileContent(text, {}, "text", f"is not YAML{where}")
    if not isinstance(found, dict) or not any(_differs(found, other) for other in others):
        return _of_tree(text, found, "YAML")
    problem = f"holds {1 + len(others)} YAML documents (between ---) that differ: keep one of them"
    return FileContent(text, {}, "YAML", problem)


def _documents(parts: Iterator[Any]) -> tuple[Any, list[Tree]]:
    """The first document and those after it, up to a damaged one: a printed topic may end anywhere."""
    first = next((part for part in parts if part is not None), None)
    others = []
    with suppress(yaml.YAMLError, ValueError, RecursionError):
        for part in parts:
            others.append(part)
    return first, [other for other in others if isinstance(other, dict)]


def _differs(one: Tree, other: Tree) -> bool:
    """Whether another document states other values; headers with their stamps do not count."""
    return any(other[key] != one[key] for key in one.keys() & other.keys() - {"header"})


class _Loader(yaml.SafeLoader):
    """A safe loader that knows OpenCV's tags."""


for _tag in ("opencv-matrix", "opencv-nd-matrix"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _Loader.construct_yaml_map)


def _plain_yaml(text: str) -> str:
    """YAML of what OpenCV takes for it: a version with a colon, tabs, and keys without a space behind their colon."""
    if not text.startswith("%YAML:") and not text.startswith("%YAML 1."):
        return text
    rest = text.partition("\n")[2].replace("\t", "    ")
    return "\n" + re.sub(r"^(\s*[\w.]+):(?=[^\s:])", r"\1: ", rest, flags=re.MULTILINE)


def _of_xml(text: str) -> FileContent:
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        return FileContent(text, {}, "XML", f"is not XML (line {error.position[0]})")
    if root.tag != "opencv_storage":
        return FileContent(text, {}, f"XML with the root {root.tag}")
    return _of_tree(text, {child.tag: _xml_value(child) for child in root}, "OpenCV's XML")


def _xml_value(element: ElementTree.Element) -> Any:
    """A number, a text, a list of numbers or a dictionary: OpenCV writes sequences with spaces between."""
    if len(element):
        return {child.tag: _xml_value(child) for child in element}
    words = (element.text or "").split()
    values = [_xml_word(word) for word in words]
    if element.tag == "data" or (len(values) > 1 and not any(isinstance(value, str) for value in values)):
        return values
    return values[0] if len(values) == 1 else " ".join(words).strip('"')


def _xml_word(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word.strip('"')


def _of_tree(text: str, tree: object, language: str) -> FileContent:
    if isinstance(tree, dict):
        tree = {str(key): value for key, value in tree.items()}
        return FileContent(text, tree, f"{language} with {_keys(tree)}")
    return FileContent(text, {}, "text" if isinstance(tree, str) else f"{language} without keys")


def _keys(tree: Tree) -> str:
    shown = ", ".join(list(tree)[:6])
    return f"the keys {shown}{', ...' if len(tree) > 6 else ''}" if tree else "no keys"


def get(tree: Tree, *names: str) -> Any:
    """The value of the first of these keys that is there. Raises CalibrationError if none is."""
    for name in names:
        if name in tree:
            return tree[name]
    raise CalibrationError(f"{' or '.join(names)} is missing, found {', '.join(map(str, tree)) or 'no keys'}")


def whole_number(value: object, name: str) -> int:
    """A size in pixels, which some tools write as 640.0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:  # also inf and NaN
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
