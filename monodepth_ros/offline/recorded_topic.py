# SPDX-License-Identifier: Apache-2.0
"""One topic of a recording, read along with the frames."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from monodepth_ros.data.bags.message_times import doubtful_clocks, first_times, two_clocks
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.sources.source import SourceFrame
from monodepth_ros.stamps import nanoseconds

# A message may be recorded this much later than the image of its time.
LATE_NS = 500_000_000


class RecordedTopic:
    """The messages of one topic, up to each frame.

    images: topic of the images. type, count: of its messages. doubt: a warning about their clock, or an empty string.
    Messages without a stamp get their receive time. Raises RecordingError for an unknown topic, and for one whose
    stamps are of another clock than the images'.
    """

    def __init__(self, path: Path, name: str, images: str):
        self._recording = Recording(path)
        try:
            topic = self._recording.topic(name)
            times = [first_times(self._recording, each) for each in (images, topic.name)]
            if reason := two_clocks(*times):
                raise RecordingError(reason)
            self.doubt = doubtful_clocks(*times)
            self._offset_ns = times[1].offset_ns or 0
        except Exception:
            self._recording.close()
            raise
        self.name, self.type, self.count = topic.name, topic.type, topic.count
        self._messages = self._recording.read([topic.name])
        self._read_until_ns = -1

    def until(self, frame: SourceFrame) -> Iterator[Any]:
        """The messages since the last call that a node would have received when it processes this frame."""
        while self._read_until_ns < frame.received_ns + LATE_NS:
            _, self._read_until_ns, message = next(self._messages, ("", 2**63, None))
            if message is not None:
                stamp = message.header.stamp
                if nanoseconds(stamp) == 0:
                    stamp.sec, stamp.nanosec = divmod(self._read_until_ns + self._offset_ns, 1_000_000_000)
                yield message

    def close(self) -> None:
        """Release the file; may be called twice."""
        self._recording.close()
