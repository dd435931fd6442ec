# SPDX-License-Identifier: Apache-2.0
"""The pictures of a recorded stream: front to back, and again by their times."""

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from monodepth_ros.data.bags.recording import RawMessage, Recording
from monodepth_ros.data.images.image_codec import ImageError
from monodepth_ros.data.video_stream.codecs import H264, HEVC, TITLES, codec_of, import_av
from monodepth_ros.data.video_stream.decoder import Outcome, StreamDecoder
from monodepth_ros.data.video_stream.frame_store import FrameStore, Times
from monodepth_ros.data.video_stream.lossless import keepable
from monodepth_ros.data.video_stream.packets import Packet, PacketParser, video_format

# How far before a picture its key frame is looked for [s], as the first guess; it grows by this factor.
FIRST_WINDOW, WINDOW_GROWTH = 2.0, 8
# Messages at the start of a recording in which parameter sets are looked for, if a key frame has none.
FIRST_MESSAGES = 100
# Key frames to begin with in turn: pictures right after one may need those before it.
ENTRIES = 4
# Pictures in memory, where the disk takes none.
REMEMBERED = 48
# Pictures to decode beyond the one that was asked for then: a training wants its neighbours, too.
NEIGHBOURS = 4


class _Coded(NamedTuple):
    """A packet and its times."""

    times: Times
    packet: Packet


class StreamReader:
    """The stream on one topic of a recording.

    offset_ns: of the stamps from the receive times, for packets without a stamp. Raises ImageError, with what the topic
    holds, where PyAV is not installed.
    """

    def __init__(self, recording: Recording, topic: str, offset_ns: int = 0):
        self._recording, self._topic, self._offset_ns = recording, topic, offset_ns
        first = recording.first(topic)
        self._codec = codec_of(video_format(first))
        title = TITLES.get(self._codec, repr(video_format(first)))
        import_av(f"{topic} of {recording.path} holds {title} video")
        self._reading = threading.Lock()  # the recording has one position in the file
        self._decoding: defaultdict[Times, threading.Lock] = defaultdict(threading.Lock)
        self._store: FrameStore | None = None
        self._is_kept = False
        self._sets: bytes | None = None
        self._remembered: OrderedDict[Times, Any] = OrderedDict()
        self._guard = threading.Lock()

    def keep_decoded(self) -> None:
        """Keep the pictures of `decoder_from` from now on for `read`."""
        self._is_kept = True

    def in_order(self, start_ns: int) -> "OrderedStream":
        """A decoder for the messages received from `start_ns` on, in their order."""
        lead_in = [] if start_ns <= self._recording.start_ns else self._before(start_ns, 1)[-1:]
        writer = self._kept().writer() if self._is_kept else None
        keep = writer.add if writer is not None else None
        parser = PacketParser(self._offset_ns)
        stream = OrderedStream(self._recording, StreamDecoder(self._parameter_sets()), start_ns, keep, parser)
        for group in lead_in:
            stream.lead_in(group)
        stream.end_keeping = writer.flush if writer is not None else None
        return stream

    def key_frame_before(self, received_ns: int) -> int:
        """Receive time [ns] of the key frame with which decoding of the packet of this time begins."""
        groups = self._before(received_ns + 1, 1)
        return groups[-1][0].times[1] if groups else received_ns

    def read(self, times: Times) -> Any:
        """The av.VideoFrame of a picture by its (stamp, receive time) [ns]; None if there is none that is whole."""
        found = self._known(times)
        if found is not None:
            return found
        before: list[list[_Coded]] = []
        for entries in range(1, ENTRIES + 1):
            groups = self._before(times[1] + 1, entries)
            if len(groups) == len(before):
                return None
            before = groups
            key = groups[0][0].times
            with self._decoding[key]:  # threads want pictures of one group as a rule
                found = self._known(times) or self._decode([one for group in groups for one in group], times)
            if found is not None:
                return found
        return None

    def _known(self, times: Times) -> Any:
        with self._guard:
            found = self._remembered.get(times)
        return found if found is not None else self._kept().read(times)

    def _kept(self) -> FrameStore:
        with self._guard:
            if self._store is None:
                self._store = FrameStore(self._recording.path, self._topic)
            return self._store

    def _decode(self, coded: list[_Coded], wanted: Times) -> Any:
        """Decode from a key frame to the end of its group, and keep what comes out; the wanted picture."""
        decoder: StreamDecoder[Times] = StreamDecoder(self._parameter_sets())
        writer = self._kept().writer()
        found = None

        def take(outcomes: list[Outcome[Times]]) -> None:
            nonlocal found
            for outcome in outcomes:
                if outcome.frame is None:
                    continue
                if outcome.tag == wanted:
                    found = outcome.frame
                writer.add(outcome.tag, outcome.frame)
                if self._kept().is_full:
                    self._remember(outcome.tag, outcome.frame)

        for times, packet in coded:
            take(decoder.feed(packet, times))
        more = NEIGHBOURS
        for times, packet in self._to_next_key(wanted[1] + 1):
            if found is not None and self._kept().is_full:
                more -= 1
            if more < 0:
                break
            take(decoder.feed(packet, times))
        take(decoder.flush())
        writer.flush()
        return found

    def _remember(self, times: Times, frame: Any) -> None:
        with self._guard:
            self._remembered[times] = keepable(frame)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)

    def _before(self, stop_ns: int, entries: int) -> list[list[_Coded]]:
        """The packets before `stop_ns` in groups that begin with a key frame each: the last `entries` of them."""
        window = FIRST_WINDOW
        while True:
            start_ns = max(self._recording.start_ns, stop_ns - round(window * 1e9))
            groups: list[list[_Coded]] = []
            for coded in self._coded(start_ns, stop_ns):
                if coded.packet.is_key:
                    groups.append([])
                if groups:
                    groups[-1].append(coded)
            if len(groups) >= entries or start_ns <= self._recording.start_ns:
                return groups[-entries:]
            window *= WINDOW_GROWTH

    def _to_next_key(self, start_ns: int) -> Iterator[_Coded]:
        """The packets from `start_ns` up to the next key frame."""
        window_ns = round(FIRST_WINDOW * 1e9)
        while start_ns <= self._recording.end_ns:
            for coded in self._coded(start_ns, start_ns + window_ns):
                if coded.packet.is_key:
                    return
                yield coded
            start_ns += window_ns

    def _coded(self, start_ns: int, stop_ns: int) -> list[_Coded]:
        parser = PacketParser(self._offset_ns)
        with self._reading:
            messages = list(self._recording.messages([self._topic], start_ns, stop_ns))
        found = []
        for message in messages:
            coded = parsed(self._recording, parser, message)
            if coded is not None:
                found.append(coded)
        return found

    def _parameter_sets(self) -> bytes:
        """Those of the first messages, for a stream that does not repeat them."""
        if self._sets is None and self._codec in (H264, HEVC):
            parser, sets = PacketParser(), b""
            with self._reading:
                messages = self._recording.messages([self._topic])
                for _, message in zip(range(FIRST_MESSAGES), messages):
                    coded = parsed(self._recording, parser, message)
                    sets = coded.packet.parameter_sets if coded is not None else b""
                    if sets:
                        break
            self._sets = sets
        return self._sets or b""


class OrderedStream:
    """The decoding of messages in their order; only outcomes of messages received from `start_ns` on count.

    keep: called with the times and the picture of each of them. end_keeping: at the end.
    """

    def __init__(
        self,
        recording: Recording,
        decoder: StreamDecoder[Times],
        start_ns: int,
        keep: Callable[[Times, Any], None] | None,
        parser: PacketParser,
    ):
        self._recording, self._decoder, self._start_ns, self._keep = recording, decoder, start_ns, keep
        self._parser = parser
        self.end_keeping: Callable[[], None] | None = None

    def lead_in(self, group: list[_Coded]) -> None:
        """Decode packets that later ones need."""
        for times, packet in group:
            self._decoder.feed(packet, times)

    def feed(self, message: RawMessage) -> list[Outcome[Times]]:
        """Outcomes that are known with this message."""
        try:
            coded = parsed(self._recording, self._parser, message, strict=True)
        except ImageError as error:
            return [Outcome((message.stamp_ns, message.stamp_ns), None, str(error))]
        return self._counted(self._decoder.feed(coded.packet, coded.times))

    def flush(self) -> list[Outcome[Times]]:
        """The last outcomes."""
        outcomes = self._counted(self._decoder.flush())
        if self.end_keeping is not None:
            self.end_keeping()
        return outcomes

    def _counted(self, outcomes: list[Outcome[Times]]) -> list[Outcome[Times]]:
        outcomes = [outcome for outcome in outcomes if outcome.tag[1] >= self._start_ns]
        if self._keep is not None:
            for outcome in outcomes:
                if outcome.frame is not None:
                    self._keep(outcome.tag, outcome.frame)
        return outcomes


def parsed(recording: Recording, parser: PacketParser, message: RawMessage, strict: bool = False) -> _Coded | None:
    """The packet of a message with its times. None for a message without video; with strict, ImageError."""
    try:
        packet = parser.parse(recording.deserialize(message))
    except ImageError:
        if strict:
            raise
        return None
    return _Coded((packet.stamp_ns or message.stamp_ns + parser.offset_ns, message.stamp_ns), packet)
