# SPDX-License-Identifier: Apache-2.0
"""What a target of the fuzzing is."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from hypothesis.strategies import SearchStrategy


class Target(NamedTuple):
    """A reader of something from outside.

    examples: makes the strategy of its inputs, as bytes. read: reads them. name: of the file, inside an empty folder,
    in which they are when `read` is called. made: further files that the reader may leave in that folder.
    """

    examples: Callable[[], SearchStrategy[bytes]]
    read: Callable[[Path], None]
    name: str
    made: tuple[str, ...] = ()
