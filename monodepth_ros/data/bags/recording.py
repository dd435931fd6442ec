# SPDX-License-Identifier: Apache-2.0
"""Recordings: topics, and messages in the order of their receive times, of bags of ROS 2 and ROS 1."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from monodepth_ros.data.bags.files import OpenFiles, open_files
from monodepth_ros.data.bags.recording_error import RecordingError
from monodepth_ros.data.bags.storage.stored_file import StoredFile
from monodepth_ros.data.bags.storage.time_order import in_time_order
from monodepth_ros.data.bags.types import MessageTypes
from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import SafeLines, few
from monodepth_ros.limits import LATEST_TIME_NS

__all__ = ["RawMessage", "Recording", "RecordingError", "Topic"]


@dataclass(frozen=True)
class Topic:
    """One topic of a recording. type: always in the form pkg/msg/Name. latched: offered transient local."""

    name: str
    type: str
    count: int
    latched: bool = False


class RawMessage(NamedTuple):
    """One recorded message. stamp_ns: receive time [ns]. data: CDR bytes, for ROS 1 as well. type: pkg/msg/Name."""

    topic: str
    stamp_ns: int
    data: bytes
    type: str


class _Route(NamedTuple):
    """How the stored messages of one topic of one file are published."""

    topic: str
    type: str
    to_cdr: Callable[[bytes, int], bytes]


class Recording:
    """A recording opened for reading: `with Recording(path) as recording: ...`.

    path: a rosbag2 folder, a single .mcap or .db3 file, or a ROS 1 .bag, compressed or not. Times and counts are those
    of the storage files, whatever metadata.yaml says. Raises RecordingError, one line, for a path that is missing,
    empty, or not a recording. notes: remarks for the user about what is left out, lost or out of the ordinary.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._open: OpenFiles = open_files(self.path)
        self._untranslated: dict[tuple[str, int], str] = {}
        try:
            types = MessageTypes(topic for file in self._open.files for topic in file.topics)
            self._types = types
            self._routes = {
                (number, topic.id): _Route(topic.name, types.published_name(topic), types.converter(topic))
                for number, file in enumerate(self._open.files)
                for topic in file.topics
            }
            self.topics: dict[str, Topic] = self._collect_topics()
            self.notes: list[str] = SafeLines([*self._open.notes, *self._foreign_note()])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._open.close()

    @property
    def message_count(self) -> int:
        return sum(topic.count for topic in self.topics.values())

    @property
    def start_ns(self) -> int:
        """Receive time of the first message [ns]; 0 for a recording without messages."""
        return min((_possible(file.start_ns) for file in self._files() if file.start_ns is not None), default=0)

    @property
    def end_ns(self) -> int:
        """Receive time of the last message [ns]; 0 for a recording without messages."""
        return max((_possible(file.end_ns) for file in self._files() if file.end_ns is not None), default=0)

    @property
    def duration(self) -> float:
        """Time from the first message to the last [s]."""
        return (self.end_ns - self.start_ns) * 1e-9

    def messages(
        self,
        topics: Iterable[str] | None = None,
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[RawMessage]:
        """Yield the messages of some topics (None: all) with start_ns <= receive time < stop_ns, in order of time.

        Damaged chunks of MCAP files and messages that cannot be unpacked or translated are left out, see `lost`. Raises
        RecordingError for a topic that the recording does not have, on reaching other damaged bytes, and if nothing but
        damaged chunks or messages is there.
        """
        wanted = None if topics is None else {self.topic(name).name for name in topics}
        return self._iterate(wanted, start_ns, stop_ns)

    def lost(self, topic: str) -> Counter[str]:
        """Number of the topic's messages that reading has found damaged so far, by the file or what is wrong."""
        found: Counter[str] = Counter()
        for file in self._open.files:
            count = sum(count for (name, _), count in file.lost.items() if name == topic)
            if count:
                found[f"damaged parts of {file.path.name}"] = count
        found.update(reason for (name, _), reason in self._untranslated.items() if name == topic)
        return found

    def deserialize(self, message: RawMessage) -> Any:
        """The message as an object with its fields as attributes; arrays are read-only numpy arrays."""
        return self._types.deserialize(message.data, message.type)

    def read(
        self, topics: Iterable[str] | None = None, start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[tuple[str, int, Any]]:
        """Yield (topic, receive time [ns], message object); arguments and errors as for `messages`."""
        for message in self.messages(topics, start_ns, stop_ns):
            yield message.topic, message.stamp_ns, self.deserialize(message)

    def first(self, topic: str) -> Any:
        """The first message of a topic as an object. Raises RecordingError if there is none."""
        for _, _, message in self.read([topic]):
            return message
        raise RecordingError(f"topic {topic} of {self.path} has no messages")

    def topic(self, name: str) -> Topic:
        """Look up a topic, with or without its leading slash. Raises RecordingError, which lists the topics."""
        for candidate in (name, f"/{name}", name.removeprefix("/")):
            if candidate in self.topics:
                return self.topics[candidate]
        known = few(list(self.topics)) or "none at all"
        raise RecordingError(f"no topic {name} in {self.path}: it has {known}")

    def _collect_topics(self) -> dict[str, Topic]:
        topics: dict[str, Topic] = {}
        for number, file in enumerate(self._open.files):
            for stored in file.topics:
                earlier = topics.get(stored.name)
                latched = stored.latched
                if latched is None:
                    latched = self._open.metadata.latched.get(stored.name, False)
                topics[stored.name] = Topic(
                    stored.name,
                    earlier.type if earlier else self._routes[number, stored.id].type,
                    stored.count + (earlier.count if earlier else 0),
                    latched or (earlier is not None and earlier.latched),
                )
        return dict(sorted(topics.items()))

    def _foreign_note(self) -> list[str]:
        """The note about topics that are left out. Raises RecordingError if there are no others."""
        foreign = {name: words for file in self._open.files for name, words in file.foreign.items()}
        if not foreign:
            return []
        listing = few([f"{name} ({words})" for name, words in sorted(foreign.items())], 8)
        if not self.topics:
            raise RecordingError(f"{self.path} has no messages of a known type: its topics are {listing}")
        return [f"topics left out, not of ROS: {listing}"]

    def _files(self) -> list[StoredFile]:
        if not self._open.files:
            raise RecordingError(f"{self.path} has been closed")
        return self._open.files

    def _iterate(self, wanted: set[str] | None, start_ns: int | None, stop_ns: int | None) -> Iterator[RawMessage]:
        streams = []
        for number, file in enumerate(self._files()):
            ids = [topic.id for topic in file.topics if topic.count and (wanted is None or topic.name in wanted)]
            if ids and file.start_ns is not None:
                streams.append((file.start_ns, partial(self._stored, number, ids, start_ns, stop_ns)))
        streams.sort(key=lambda stream: stream[0])
        encounters = sum(file.encounters for file in self._open.files)
        is_empty, reason = True, ""
        merged = streams[0][1]() if len(streams) == 1 else in_time_order(streams)
        for stamp_ns, (topic, type_name, to_cdr), data in merged:
            try:
                if stamp_ns != _possible(stamp_ns):
                    raise RecordingError("its receive time is not within 1970 to 2199")
                cdr = to_cdr(data, stamp_ns)
            except RecordingError as error:
                self._untranslated[topic, stamp_ns] = reason = f"a damaged message: {error}"
                continue
            is_empty = False
            yield RawMessage(topic, stamp_ns, cdr, type_name)
        if is_empty and reason and start_ns is None and stop_ns is None:
            raise RecordingError(f"{self.path} has nothing but damaged messages there, such as {reason}")
        if is_empty and sum(file.encounters for file in self._open.files) > encounters:
            raise RecordingError(f"{self.path} is damaged: what was to be read there is not whole")

    def _stored(
        self, number: int, ids: list[int], start_ns: int | None, stop_ns: int | None
    ) -> Iterator[tuple[int, _Route, bytes]]:
        file = self._open.files[number]
        routes = {topic: self._routes[number, topic] for topic in ids}
        try:
            for stamp_ns, topic, data in file.messages(ids, start_ns, stop_ns):
                yield stamp_ns, routes[topic], data
        except Exception as error:  # damaged bytes make rosbags and sqlite3 raise errors of many types
            raise RecordingError(f"{self.path} is damaged: {one_line(error)}") from error


def _possible(receive_ns: int) -> int:
    """The time, or the nearest one that a recording can have [ns]."""
    return min(max(receive_ns, 0), LATEST_TIME_NS)
