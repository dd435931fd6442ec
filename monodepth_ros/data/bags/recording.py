# SPDX-License-Identifier: Apache-2.0
"""Recordings: topics, and messages in the order of their receive times, of any bag that `rosbags` reads."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rosbags.interfaces import ConnectionExtRosbag1, QosDurability

from monodepth_ros.data.bags.files import ROS1_SUFFIX, RecordingError, close_readers, open_readers
from monodepth_ros.data.bags.types import Ros1Types, Ros2Types
from monodepth_ros.errors import one_line

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


class Recording:
    """A recording opened for reading: `with Recording(path) as recording: ...`.

    path: a rosbag2 folder, a single .mcap or .db3 file, or a ROS 1 .bag, compressed or not. Raises RecordingError, one
    line, for a path that is missing, empty, truncated or not a recording.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._readers = open_readers(self.path)
        connections = [connection for reader in self._readers for connection in reader.connections]
        self.is_ros1 = getattr(self._readers[0], "path", self.path).suffix == ROS1_SUFFIX
        self._types = Ros1Types(connections) if self.is_ros1 else Ros2Types(connections)
        self.topics: dict[str, Topic] = self._collect_topics(connections)

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; may be called twice."""
        close_readers(self._readers)
        self._readers = []

    @property
    def message_count(self) -> int:
        return sum(topic.count for topic in self.topics.values())

    @property
    def start_ns(self) -> int:
        """Receive time of the first message [ns]; 0 for a recording without messages."""
        return min((reader.start_time for reader in self._filled_readers()), default=0)

    @property
    def end_ns(self) -> int:
        """Receive time of the last message [ns]; 0 for a recording without messages."""
        return max((reader.end_time - 1 for reader in self._filled_readers()), default=0)

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

        Raises RecordingError for a topic that the recording does not have, and on reaching damaged bytes.
        """
        wanted = None if topics is None else {self.topic(name).name for name in topics}
        return self._iterate(wanted, start_ns, stop_ns)

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
        known = ", ".join(self.topics) or "none at all"
        raise RecordingError(f"no topic {name} in {self.path}: it has {known}")

    def _collect_topics(self, connections: list[Any]) -> dict[str, Topic]:
        topics: dict[str, Topic] = {}
        for connection in connections:
            earlier = topics.get(connection.topic)
            topics[connection.topic] = Topic(
                connection.topic,
                earlier.type if earlier else self._types.published_name(connection.msgtype),
                connection.msgcount + (earlier.count if earlier else 0),
                _is_latched(connection) or (earlier is not None and earlier.latched),
            )
        return dict(sorted(topics.items()))

    def _filled_readers(self) -> list[Any]:
        if not self._readers:
            raise RecordingError(f"{self.path} has been closed")
        return [reader for reader in self._readers if reader.message_count]

    def _iterate(self, wanted: set[str] | None, start_ns: int | None, stop_ns: int | None) -> Iterator[RawMessage]:
        streams = []
        for reader in self._filled_readers():
            selected = [c for c in reader.connections if c.msgcount and (wanted is None or c.topic in wanted)]
            if selected:
                streams.append(self._guarded(reader.messages(selected, start_ns, stop_ns)))
        for connection, stamp_ns, data in heapq.merge(*streams, key=lambda item: item[1]):
            cdr = self._types.to_cdr(data, connection.msgtype)
            yield RawMessage(connection.topic, stamp_ns, cdr, self._types.published_name(connection.msgtype))

    def _guarded(self, messages: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from messages
        except Exception as error:  # damaged bytes make rosbags raise errors of many types
            raise RecordingError(f"{self.path} is damaged: {one_line(error)}") from error


def _is_latched(connection: Any) -> bool:
    if isinstance(connection.ext, ConnectionExtRosbag1):
        return bool(connection.ext.latching)
    return any(q.durability == QosDurability.TRANSIENT_LOCAL for q in connection.ext.offered_qos_profiles)
