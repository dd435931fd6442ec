# SPDX-License-Identifier: Apache-2.0
"""Command-line parsing of a verb: options and recordings in any order, and a typo answered with the nearest name."""

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, NoReturn


class VerbParser(argparse.ArgumentParser):
    """An argument parser whose errors are short: the verb's usage on one line, then what is wrong and the nearest name.

    Options may stand between the positional arguments, as in `monodepth train a.mcap --preset compact b.mcap`.
    """

    def __init__(self, *words: Any, **named: Any):
        super().__init__(*words, **named)
        self._has_verbs = self._is_parsing = False
        self._usage_line = ""

    def add_subparsers(self, **named: Any) -> Any:
        self._has_verbs = True
        return super().add_subparsers(**named)

    def parse_known_args(
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[Any, list[str]]:
        # The second call is argparse's own: parsing in any order parses twice.
        if self._is_parsing or args is None:
            return super().parse_known_args(args, namespace)
        # Taken now, because argparse changes the positional arguments while it parses.
        self._usage_line = self.short_usage()
        self._refuse_unknown_options(args)
        if self._has_verbs:
            return super().parse_known_args(args, namespace)
        self._is_parsing = True
        try:
            options, others = self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_parsing = False
        if others:
            self.error(f"unexpected argument {others[0]!r}")
        return options, others

    def _refuse_unknown_options(self, words: Sequence[str]) -> None:
        known = list(self._option_string_actions)
        for word in words:
            # Behind a verb the options are that verb's. Words with a space are never options.
            if word == "--" or (self._has_verbs and not word.startswith("-")):
                return
            name = word.partition("=")[0]
            is_option = word.startswith("--") and " " not in word
            if is_option and not any(option.startswith(name) for option in known):
                self.error(f"unknown option {name}{did_you_mean(name, known)}")

    def error(self, message: str) -> NoReturn:
        """End the program with exit code 2, the usage and the message."""
        usage = self._usage_line or self.short_usage()
        self.exit(2, f"usage: {usage}\n{self.prog}: {message} (`{self.prog} --help` lists all options)\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            names = list(map(str, action.choices))
            text = f"{value!r} is none of {', '.join(names)}{did_you_mean(str(value), names)}"
            raise argparse.ArgumentError(action, text)

    def short_usage(self) -> str:
        """The usage on one line: required options and positional arguments only."""
        words = [self.prog]
        for action in self._actions:
            name = str(action.metavar or action.dest)
            if action.option_strings and action.required:
                words.append(f"{action.option_strings[0]} {name}")
            elif not action.option_strings:
                many = {"*": f"[{name} ...]", "+": f"{name} ...", "?": f"[{name}]"}
                words.append(many.get(str(action.nargs), name))
        return " ".join([*words, "..." if self._has_verbs else "[options]"])


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """': did you mean ...?' with the known names that are nearest to a mistyped one; '' if none is near."""
    near = difflib.get_close_matches(name, known, n=2, cutoff=0.7)
    return f": did you mean {' or '.join(near)}?" if near else ""
