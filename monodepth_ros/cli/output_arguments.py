# SPDX-License-Identifier: Apache-2.0
"""Options that name files to write: checked before the work, against what the call reads and what is there."""

import argparse
import glob
from collections.abc import Iterable, Mapping
from typing import Any

from monodepth_ros.cli.result_files import json_text
from monodepth_ros.own_outputs import Outputs, marked_json

# Arguments that name no file that is read.
NO_INPUTS = {
    "out",
    "results",
    "json",
    "csv",
    "plot",
    "write_mask",
    "animation",
    "rerun",
    "arguments",
    "verb",
    "subject",
}


def add_force(group: argparse._ActionsContainer, what: str = "files that another program or you have written") -> None:
    """Add --force, for `chosen_outputs`. what: the things that it replaces."""
    group.add_argument("--force", action="store_true", help=f"replace {what}")


def chosen_outputs(
    verb: str,
    options: argparse.Namespace,
    paths: Mapping[str, str],
    more_inputs: Iterable[object] = (),
    headers: Mapping[str, str] | None = None,
) -> Outputs:
    """The outputs of a call, by option. more_inputs: files that settings name. Raises MonodepthError, see Outputs."""
    inputs = [*input_paths(options), *filter(None, _texts(more_inputs))]
    return Outputs(verb, paths, inputs, options.force, headers)


def input_paths(options: argparse.Namespace) -> list[str]:
    """Every argument of a call that may name a file or folder to read: recordings, checkpoints, settings and so on."""
    found: list[str] = []
    for name, value in vars(options).items():
        if name == "set":
            found += [text.partition("=")[2] for text in value]
        elif name not in NO_INPUTS:
            for text in _texts([value]):
                found += [text, text.rpartition("#")[0]] if "#" in text else [text]
                found += glob.glob(text, recursive=True) if glob.has_magic(text) else []
    return [text for text in found if text and "\0" not in text]


def write_marked_json(outputs: Outputs, option: str, content: Mapping[str, Any]) -> None:
    """Write JSON with the verb's mark to the file of an option, or print it for '-'. Raises MonodepthError."""
    text = json_text(marked_json(content, outputs.verb))
    if outputs.paths[option] == "-":
        print(text, end="")
    else:
        outputs.write(option, text)


def _texts(values: Iterable[object]) -> list[str]:
    found: list[str] = []
    for value in values:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _texts(value)
    return found
