#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Readers of MCAP files leave out messages that stand outside chunks, in silence, as soon as the file has one chunk index.
#
# Seen with:  mcap 1.6.0 and rosbags 0.11.9, CPython 3.11.
# Behaviour:  of a file with 3 messages in a chunk and 2 after it, mcap's seeking reader (make_reader on a file) and rosbags give
#             3, although the statistics in the summary that both have read say 5. mcap's stream reader gives all 5.
# One would guess: that iter_messages() gives every message of the file, or that the contradiction is an error.
# Why:        the format lets messages stand in chunks or outside of them. Only those in chunks can be indexed; both readers
#             visit the indexed chunks if there are any, and look at the whole file only if there are none.
# Why it matters: half of a recording is missing without a word. This package compares the statistics with the chunks' message
#             indexes and walks through the file where they differ (monodepth_ros/data/bags/storage/mcap_summary.py).
# Source:     mcap.dev/spec, section "Data Section"; mcap/reader.py, SeekingReader.iter_messages; rosbags/rosbag2/storage_mcap.py,
#             McapReader.messages.
#
# Prints the messages that each reader gives; exits 1 if either of the two gives all of them, or the stream reader does not.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mcap==1.6.0 rosbags==0.11.9
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import sys
from io import BytesIO
from pathlib import Path

from mcap.data_stream import RecordBuilder
from mcap.reader import NonSeekingReader, make_reader
from mcap.records import Channel, Chunk, ChunkIndex, DataEnd, Footer, Header, Message, MessageIndex, Schema, Statistics
from rosbags.highlevel import AnyReader

MAGIC = b"\x89MCAP0\r\n"
TYPE, SCHEMA = "std_msgs/msg/Int32", b"int32 data\n"
IN_CHUNK, OUTSIDE = (0, 1, 2), (3, 4)


def built(*records):
    builder = RecordBuilder()
    for record in records:
        record.write(builder)
    return builder.end()


def message(number):
    data = b"\0\1\0\0" + number.to_bytes(4, "little")
    return Message(channel_id=1, log_time=number, data=data, publish_time=number, sequence=number)


definitions = (
    Schema(id=1, data=SCHEMA, encoding="ros2msg", name=TYPE),
    Channel(id=1, topic="/numbers", message_encoding="cdr", metadata={"offered_qos_profiles": ""}, schema_id=1),
)
content, entries = built(*definitions), []
for number in IN_CHUNK:
    entries.append((number, len(content)))
    content += built(message(number))
file = MAGIC + built(Header("ros2", "finding"))
chunk = built(Chunk(compression="", data=content, message_end_time=2, message_start_time=0, uncompressed_crc=0,
                    uncompressed_size=len(content)))  # fmt: skip
index = built(MessageIndex(1, entries))
chunk_index = ChunkIndex(
    chunk_length=len(chunk), chunk_start_offset=len(file), compression="", compressed_size=len(content),
    message_end_time=2, message_index_length=len(index), message_index_offsets={1: len(file) + len(chunk)},
    message_start_time=0, uncompressed_size=len(content),
)  # fmt: skip
file += chunk + index + b"".join(built(message(number)) for number in OUTSIDE) + built(DataEnd(0))
statistics = Statistics(
    attachment_count=0, channel_count=1, channel_message_counts={1: 5}, chunk_count=1, message_count=5,
    message_end_time=4, message_start_time=0, metadata_count=0, schema_count=1,
)  # fmt: skip
summary = built(*definitions, chunk_index, statistics)
path = Path(sys.argv[1]) / "mixed.mcap"
path.write_bytes(file + summary + built(Footer(len(file), 0, 0)) + MAGIC)

with path.open("rb") as stream:
    seeking = [found.log_time for _, _, found in make_reader(stream).iter_messages()]
streamed = [found.log_time for _, _, found in NonSeekingReader(BytesIO(path.read_bytes())).iter_messages()]
with AnyReader([path]) as reader:
    stated, rosbags = reader.message_count, [stamp for _, stamp, _ in reader.messages()]
print(f"mcap, seeking reader: {seeking}")
print(f"mcap, stream reader:  {streamed}")
print(f"rosbags:              {rosbags} (it states {stated})")
sys.exit(0 if seeking == rosbags == [0, 1, 2] and streamed == [0, 1, 2, 3, 4] else 1)
PYTHON
