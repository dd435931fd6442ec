# SPDX-License-Identifier: Apache-2.0
"""A calibration file's text and the tree of values in it, whatever it is written in."""

import os
import re
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from monodepth_ros.errors import MonodepthError
from monodepth_ros.foreign_text import shown
from monodepth_ros.geometry.camera import CalibrationError
from monodepth_ros.input_file import ordinary_file, read_text
from monodepth_ros.limits import DEEPEST_NESTING, LARGEST_CALIBRATION
from monodepth_ros.structured_text import StructuredTextError, parse_json, yaml_documents

Tree = dict[str, Any]
LARGEST_NUMBER = 1e12  # of pixels, before the limits of a camera are asked for
MOST_DOCUMENTS = 1000  # of a printed topic that are compared


@dataclass(frozen=True)
class FileContent:
    """text: the whole file. tree: its keys and values, {} if it is not YAML, JSON or OpenCV's XML. looks: what it is,
    in words. problem: why there is no tree."""

    text: str
    tree: Tree
    looks: str
    problem: str = ""


def load(path: Path) -> FileContent:
    """Read a file. Raises CalibrationError if it is missing, not text, or larger than LARGEST_CALIBRATION."""
    if not os.path.exists(path):
        raise CalibrationError(f"calibration file {path} does not exist: check the path")
    try:
        # Read twice, for its notes, so that it cannot be a pipe.
        return parse(read_text(ordinary_file(path, LARGEST_CALIBRATION), exact=True))
    except CalibrationError:
        raise
    except MonodepthError as error:
        raise CalibrationError(f"calibration file {error}") from None


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
        with suppress(StructuredTextError):  # YAML's flow style begins alike
            return _of_tree(text, parse_json(text, "it"), "JSON")
    try:
        skipped = "\n" * (text.count("\n") + 1 - start.count("\n"))
        found, others = _documents(yaml_documents(skipped + _plain_yaml(start), ""))
    except StructuredTextError as error:
        return FileContent(text, {}, "text", str(error).lstrip(": "))
    if not isinstance(found, dict) or not any(_differs(found, other) for other in others):
        return _of_tree(text, found, "YAML")
    problem = f"holds {1 + len(others)} YAML documents (between ---) that differ: keep one of them"
    return FileContent(text, {}, "YAML", problem)


def _documents(parts: Iterator[Any]) -> tuple[Any, list[Tree]]:
    """The first document and those after it, up to a damaged one: a printed topic may end anywhere."""
    first = next((part for part in parts if part is not None), None)
    others = []
    with suppress(StructuredTextError):
        for part in islice(parts, MOST_DOCUMENTS):
            others.append(part)
    return first, [other for other in others if isinstance(other, dict)]


def _differs(one: Tree, other: Tree) -> bool:
    """Whether another document states other values; headers with their stamps do not count."""
    return any(other[key] != one[key] for key in one.keys() & other.keys() - {"header"})


def _plain_yaml(text: str) -> str:
    """YAML of what OpenCV takes for it: a version with a colon, tabs, and keys without a space behind their colon."""
    if not text.startswith("%YAML:") and not text.startswith("%YAML 1."):
        return text
    rest = text.partition("\n")[2].replace("\t", "    ")
    return "\n" + re.sub(r"^(\s*[\w.]+):(?=[^\s:])", r"\1: ", rest, flags=re.MULTILINE)


class _ShallowTree(ElementTree.TreeBuilder):
    """Builds the tree of a document without definitions, up to a depth; raises CalibrationError for others.

    Definitions of entities let some lines of XML stand for gigabytes.
    """

    _depth = 0

    def start(self, tag: Any, attributes: Any) -> Any:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise CalibrationError(f"is nested deeper than {DEEPEST_NESTING} levels")
        return super().start(tag, attributes)

    def end(self, tag: Any) -> Any:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, *_: Any) -> None:
        raise CalibrationError("holds a definition of its document type (<!DOCTYPE): remove it")


def _of_xml(text: str) -> FileContent:
    try:
        root = ElementTree.fromstring(text, ElementTree.XMLParser(target=_ShallowTree()))
    except ElementTree.ParseError as error:
        return FileContent(text, {}, "XML", f"is not XML (line {error.position[0]})")
    except CalibrationError as error:
        return FileContent(text, {}, "XML", str(error))
    if root.tag != "opencv_storage":
        return FileContent(text, {}, f"XML with the root {shown(root.tag, 60)}")
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
    return f"the keys {_listed(tree, 6)}" if tree else "no keys"


def _listed(tree: Tree, most: int) -> str:
    names = [shown(key, 60) for key in list(tree)[:most]]
    return ", ".join([*names, "..."] if len(tree) > most else names)


def get(tree: Tree, *names: str) -> Any:
    """The value of the first of these keys that is there. Raises CalibrationError if none is."""
    for name in names:
        if name in tree:
            return tree[name]
    raise CalibrationError(f"{' or '.join(names)} is missing, found {_listed(tree, 20) or 'no keys'}")


def whole_number(value: object, name: str) -> int:
    """A size in pixels, which some tools write as 640.0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value % 1 != 0 or abs(value) > LARGEST_NUMBER:  # also inf and NaN
        raise CalibrationError(f"{name} is {_short(value)}, expected a whole number of pixels")
    return int(value)


def image_size(value: object, name: str) -> tuple[int, int]:
    """(width, height) from a list of the two, or a matrix with data."""
    value = value.get("data") if isinstance(value, dict) else value
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise CalibrationError(f"{name} is {_short(value)}, expected [width, height] in pixels")
    return whole_number(value[0], name), whole_number(value[1], name)


def numbers(value: object, name: str, count: int | None = None) -> np.ndarray:
    """The numbers (N,) of a list, of nested lists, or of a matrix with rows, cols and data; row after row.

    Raises CalibrationError for another count and for values that are not finite numbers.
    """
    data = value.get("data") if isinstance(value, dict) else value
    if not isinstance(data, list):
        raise CalibrationError(f"{name} is {_short(value)}, expected rows, cols and data, or a list of numbers")
    found = [_number(item, data, name) for row in data for item in (row if isinstance(row, list) else [row])]
    values = np.array(found, np.float64)
    if count is not None and values.size != count:
        raise CalibrationError(f"{name} has {values.size} numbers, expected {count}")
    if not np.isfinite(values).all():
        raise CalibrationError(f"{name} has data {_short(data)}, expected finite numbers")
    return values


def number(value: object, name: str) -> float:
    """A finite number."""
    return float(numbers([value], name, 1)[0])


def _number(item: Any, data: list[Any], name: str) -> float:
    try:
        if isinstance(item, bool):
            raise TypeError
        return float(item)  # of texts as well: YAML takes 1e-05 and OpenCV's 1. for some
    except (TypeError, ValueError, OverflowError):
        raise CalibrationError(f"{name} has data {_short(data)}, expected numbers") from None


def _short(value: object) -> str:
    """A value in a message; of a long one the beginning."""
    return reprlib.repr(value)[:60]
