# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON from outside: bounded in depth and number of values, without code, errors on one line.

YAML is read as ROS reads its parameter files: 12:30, 2024-05-01, 1_000 and 010 are texts, 1e-4 is a number. Texts are
read from files by `input_file.read_text`, which bounds their size.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import yaml
from yaml.composer import Composer

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.foreign_text import shown
from monodepth_ros.limits import DEEPEST_NESTING, MOST_YAML_VALUES

# The parser in C is ten times as fast as that in Python.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
# What the constructors of PyYAML raise for values that do not fit their tags, such as an impossible date.
_UNFIT = (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError)


class StructuredTextError(MonodepthError):
    """A text that is not YAML or JSON, or exceeds the limits of either."""


def parse_yaml(text: str, name: str) -> Any:
    """The only document of a YAML text, None if it is empty.

    name: of the text's origin, with which an error begins. Raises StructuredTextError for a text that is not YAML, has
    a key twice, refers to itself, or is nested deeper or holds more values than the limits allow, each alias counted
    as what it stands for.
    """
    documents = yaml_documents(text, name)
    document = next(documents, None)
    if next(documents, None) is not None:
        raise StructuredTextError(f"{name} holds several YAML documents (between ---): keep one of them")
    return document


def yaml_documents(text: str, name: str) -> Iterator[Any]:
    """The documents of a YAML text, one after the other; an error comes as late as its document. As `parse_yaml`."""
    try:
        loader = _Loader(text)
        try:
            while loader.check_node():
                yield loader.construct_document(loader.get_node())
        finally:
            loader.dispose()
    except _Refused as error:
        raise StructuredTextError(f"{name}: {error}") from None
    except (yaml.YAMLError, *_UNFIT) as error:
        raise StructuredTextError(f"{name} is not YAML: {_yaml_problem(error, text)}") from None


def parse_json(text: str, name: str, **options: Any) -> Any:
    """The value of a JSON text. options: of `json.loads`. Raises StructuredTextError, which begins with `name`, for a
    text that is not JSON or is nested too deep."""
    try:
        found = json.loads(text, **options)
    except json.JSONDecodeError as error:
        raise StructuredTextError(f"{name} is not JSON: line {error.lineno}: {one_line(error.msg)}") from None
    except RecursionError:
        raise StructuredTextError(f"{name}: {_TOO_DEEP}") from None
    except ValueError as error:  # numbers of thousands of digits
        raise StructuredTextError(f"{name} is not JSON: {one_line(error, 100)}") from None
    if _is_too_deep(found):
        raise StructuredTextError(f"{name}: {_TOO_DEEP}")
    return found


_TOO_DEEP = f"nested deeper than {DEEPEST_NESTING} levels"


def _is_too_deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(DEEPEST_NESTING + 1):
        containers = [item for item in level if isinstance(item, (dict, list))]
        if not containers:
            return False
        level = [
            item
            for container in containers
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, (dict, list))
        ]
    return True


def _yaml_problem(error: Exception, text: str) -> str:
    """What is wrong, and the line."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "context", None)
    if isinstance(error, yaml.reader.ReaderError):
        at = error.position if isinstance(error.position, int) else 0
        character = error.character if isinstance(error.character, int) else ord(text[at : at + 1] or "\0")
        return f"line {text.count(chr(10), 0, at) + 1}: the control character #x{character:02x}"
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    reason = one_line(reason if isinstance(reason, Exception) else ValueError(reason or str(error)), 200)
    return f"line {mark.line + 1}: {reason}" if mark else reason


class _Refused(Exception):
    """YAML that is not taken, in words with the line."""


class _BoundedComposer(Composer):
    """Composes the nodes of a document, and refuses it as soon as it exceeds a limit."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = self._values = 0
        self._sizes: dict[int, int] = {}  # values of complete nodes with an anchor, by id

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        is_alias, before = isinstance(event, yaml.AliasEvent), self._values
        if self._depth >= DEEPEST_NESTING and isinstance(event, yaml.CollectionStartEvent):
            raise _refusal(_TOO_DEEP, event.start_mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias:
            if id(node) not in self._sizes:
                raise _refusal(f"*{event.anchor} refers to itself", event.start_mark)
            self._values += self._sizes[id(node)]
        else:
            self._values += 1
            if event.anchor:
                self._sizes[id(node)] = self._values - before
        if self._values > MOST_YAML_VALUES:
            raise _refusal(f"more than {MOST_YAML_VALUES} values", event.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            line = key.start_mark.line + 1
            if (key.tag, key.value) in lines:
                first = lines[key.tag, key.value]
                raise _refusal(f"the key {shown(key.value, 60)!r} stands twice, first in line {first}", key.start_mark)
            lines[key.tag, key.value] = line
        return node


def _refusal(reason: str, mark: Any) -> _Refused:
    return _Refused(f"line {mark.line + 1}: {reason}")


class _Loader(_BoundedComposer, _SafeLoader):
    """A safe loader that knows OpenCV's tags, and takes for numbers and booleans what ROS takes for them."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def __init__(self, text: str):
        _SafeLoader.__init__(self, text)
        _BoundedComposer.__init__(self)


_NUMBER = "-+.0123456789"
_DIGITS = r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
for _tag, _pattern, _first in (
    ("bool", r"(?i:yes|no|true|false|on|off)", "yYnNtTfFoO"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)", _NUMBER),
    ("float", rf"[-+]?(?:{_DIGITS}|\.(?i:inf))|\.(?i:nan)", _NUMBER),
    ("null", r"(?i:null)|~|", ["~", "n", "N", ""]),
    ("merge", "<<", "<"),
):
    for _letter in _first:
        _Loader.yaml_implicit_resolvers.setdefault(_letter, []).append(
            (f"tag:yaml.org,2002:{_tag}", re.compile(rf"\A(?:{_pattern})\Z"))
        )
for _tag in ("opencv-matrix", "opencv-nd-matrix"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _SafeLoader.construct_yaml_map)
