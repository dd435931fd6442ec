# SPDX-License-Identifier: Apache-2.0
"""Parameter files and values on the command line: whether they can be read, and whether they are for this node.

ROS drops without a word what is written for a node of another name.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.foreign_text import shown
from monodepth_ros.input_file import read_text
from monodepth_ros.settings.files import flatten
from monodepth_ros.settings.schema import ConfigError

PARAMETERS = "ros__parameters"
ALIKE = 0.7  # similarity of two names, of which one may be a slip of the pen
SHOWN_NAMES = 5


class Section(NamedTuple):
    """Parameters for the node of one full name, which may hold wildcards."""

    node: str
    parameters: dict[str, Any]

    def is_for(self, node: str) -> bool:
        """Whether they are for the node of this full name."""
        wildcards = {"**": "(/[^/]+)*", "*": "/[^/]+"}
        pattern = "".join(wildcards.get(part) or "/" + re.escape(part) for part in self.node.split("/") if part)
        return re.fullmatch(pattern, node) is not None

    @property
    def is_for_all(self) -> bool:
        return self.node == "/**"


def ros_arguments(arguments: list[str]) -> Iterator[tuple[str, str]]:
    """The ROS arguments that come with a value, as (option, value)."""
    is_ros, words = False, iter(arguments)
    for word in words:
        if word in ("--ros-args", "--"):
            is_ros = word == "--ros-args"
        elif is_ros and word in ("--params-file", "-p", "--param", "-r", "--remap"):
            yield word, next(words, "")


def check_parameter_files(arguments: list[str]) -> None:
    """Raise ConfigError, on one line, for a parameter file of the command line that cannot be read."""
    for option, value in ros_arguments(arguments):
        if option == "--params-file":
            list(_sections(value, _document(value)))


def notes_on_parameter_files(arguments: list[str], node: str, known: Collection[str]) -> list[str]:
    """What the command line states for other nodes, and seems meant for this one, of the full name `node`.

    known: the names of this node's parameters.
    """
    notes = []
    for option, value in ros_arguments(arguments):
        if option == "--params-file":
            notes += _notes(f"parameter file {value}", list(_sections(value, _document(value))), node, known)
        elif option in ("-p", "--param") and (match := re.fullmatch(r"([^:=]+):([^:=]+):=.*", value, re.DOTALL)):
            section = Section("/" + match[1].strip("/"), {match[2]: None})
            notes += _notes(f"{option} {match[1]}:{match[2]}", [section], node, known)
    return notes


def _notes(title: str, sections: list[Section], node: str, known: Collection[str]) -> Iterator[str]:
    ours = [section for section in sections if section.is_for(node)]
    if any(not section.is_for_all for section in ours):
        return  # the others are for other nodes
    suspects = [section for section in sections if section not in ours and _may_be_meant(section, node, known)]
    if not ours and not suspects:
        suspects = [section for section in sections if section.parameters]
    if suspects:
        suspects.sort(key=lambda section: -_likeness(section.node, node))
        names = ", ".join(shown(section.node) for section in suspects[:SHOWN_NAMES])
        yield (
            f"{title} is ignored as far as it is for {names}: this node is {node}; write {node} or /** there, or give "
            "the node that name (-r __node:=NAME -r __ns:=/NAMESPACE)"
        )


def _may_be_meant(section: Section, node: str, known: Collection[str]) -> bool:
    own = [name for name in section.parameters if name in known]
    return _likeness(section.node, node) >= ALIKE or (bool(own) and 2 * len(own) >= len(section.parameters))


def _likeness(name: str, node: str) -> float:
    """Similarity of two full names, 0 to 1, by their last parts."""
    return difflib.SequenceMatcher(None, name.rpartition("/")[2], node.rpartition("/")[2]).ratio()


def _document(path: str) -> Any:
    try:
        return yaml.safe_load(read_text(Path(path)))
    except MonodepthError as error:
        raise ConfigError(f"parameter file {error}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"parameter file {path} is not YAML: {one_line(error)}") from None


def _sections(path: str, document: Any, prefix: str = "") -> Iterator[Section]:
    """The sections of a file; ConfigError for values outside of them."""
    if document is None and not prefix:
        return
    if not isinstance(document, Mapping):
        where = f"{prefix.lstrip('/')!r} stands outside of {PARAMETERS}" if prefix else "it holds no nodes"
        raise ConfigError(
            f"parameter file {path}: {where}; begin it with '/**:' or a node's name, then '{PARAMETERS}:'"
        )
    if PARAMETERS in document and not prefix:
        raise ConfigError(f"parameter file {path} begins with {PARAMETERS}: put '/**:' or a node's name above it")
    for key, value in document.items():
        name = f"{prefix}/{str(key).strip('/')}"
        if isinstance(value, Mapping) and PARAMETERS in value:
            group = value[PARAMETERS]
            yield Section(name, flatten(group) if isinstance(group, Mapping) else {})
        elif value is not None:
            yield from _sections(path, value, name)
