# SPDX-License-Identifier: Apache-2.0
"""What every storage file gives: its topics, and messages in the order of their receive times."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rosbags.interfaces import MessageDefinition, MessageDefinitionFormat

NO_DEFINITION = MessageDefinition(MessageDefinitionFormat.NONE, "")

# Read by a pattern and not as YAML: recorders of all versions, editors and later versions write it in several forms,
# and parsing a hundred of them takes longer than opening the recording.
_TRANSIENT_LOCAL = re.compile(r"durability['\"]?\s*:\s*['\"]?(1\b|transient_local)", re.IGNORECASE)

StoredMessage = tuple[int, int, bytes]
"""Receive time [ns], id of the topic within its file, bytes as stored."""


@dataclass(frozen=True)
class StoredTopic:
    """One topic of a storage file.

    type: as stored. definition: of the type. latched: None if the file does not say. is_ros1: the bytes are those of
    ROS 1. translate: makes CDR bytes of the stored ones and their receive time [ns], for messages that are not
    ROS's; raises TranslationError.
    """

    id: int
    name: str
    type: str
    count: int
    definition: MessageDefinition = NO_DEFINITION
    latched: bool | None = None
    is_ros1: bool = False
    translate: Callable[[bytes, int], bytes] | None = None


class StoredFile(Protocol):
    """An open storage file.

    start_ns, end_ns: first and last receive time [ns], None without messages. notes: remarks for the user, of the whole
    file. foreign: topics that cannot be read, with what they hold. lost: messages found damaged while reading, by topic
    and by their place [bytes]. encounters: how often reading has come to damaged ones.
    """

    path: Path
    topics: list[StoredTopic]
    start_ns: int | None
    end_ns: int | None
    notes: list[str]
    foreign: dict[str, str]
    lost: dict[tuple[str, int], int]
    encounters: int

    def messages(
        self, ids: Collection[int], start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[StoredMessage]:
        """Yield the messages of topics with start_ns <= receive time < stop_ns, in the order of time."""

    def close(self) -> None:
        """Close the file; may be called twice."""


def is_transient_local(profiles: object) -> bool:
    """Whether QoS profiles, in any version's form, offer messages to late subscribers."""
    return _TRANSIENT_LOCAL.search(str(profiles)) is not None
