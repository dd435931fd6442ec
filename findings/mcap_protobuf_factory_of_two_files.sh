#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A protobuf DecoderFactory that is used for two MCAP files reads the second file by the first file's schema.
#
# Seen with:  mcap-protobuf-support 0.6.0, mcap 1.6.0, protobuf 7.36.2, CPython 3.11, Linux on x86-64.
# Behaviour:  mcap_protobuf.decoder.DecoderFactory keeps message classes by schema id for as long as it lives. Ids count from 1
#             in every file, so the second file's messages are parsed with a class of the first file: its values are swapped,
#             zero, or of another message altogether. Nothing is raised, since protobuf skips what it does not know.
# One would guess: that the schema stored in the file is the one that its messages are read by, as the class's text says. Split
#             recordings and data sets are read in a loop, and a factory made before the loop looks right.
# Why it matters: a recording is often several files. This package makes the classes of each channel anew, in a pool of their
#             own (monodepth_ros/data/bags/foxglove/protobuf_records.py).
# Source:     mcap_protobuf/decoder.py, DecoderFactory._types; MCAP specification, Schema (an id is unique within its file).
#
# Prints what one and two factories read; exits 1 if a shared factory reads the second file rightly.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check mcap-protobuf-support==0.6.0 mcap==1.6.0 protobuf==7.36.2
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from mcap.reader import make_reader
from mcap.writer import Writer
from mcap_protobuf.decoder import DecoderFactory


def recording(names):
    """An MCAP file with one message p.Point, whose fields of these names hold 1, 2 and 3."""
    schema = descriptor_pb2.FileDescriptorSet()
    message = schema.file.add(name="point.proto", package="p", syntax="proto3").message_type.add(name="Point")
    for number, name in enumerate(names, 1):
        message.field.add(name=name, number=number, type=1, label=1)  # an optional double
    pool = descriptor_pool.DescriptorPool()
    pool.Add(schema.file[0])
    point = message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Point"))
    stream = io.BytesIO()
    writer = Writer(stream)
    writer.start()
    schema_id = writer.register_schema("p.Point", "protobuf", schema.SerializeToString())
    channel = writer.register_channel("/point", "protobuf", schema_id)
    data = point(**{name: float(value) for value, name in enumerate(names, 1)}).SerializeToString()
    writer.add_message(channel, 1, data, 1)
    writer.finish()
    return stream


def point(stream, factory):
    stream.seek(0)
    message = next(make_reader(stream, decoder_factories=[factory]).iter_decoded_messages()).decoded_message
    return message.x, message.y, message.z


first, second = recording("xyz"), recording("zyx")
shared = DecoderFactory()
print("first file, x y z:                    ", point(first, shared))
wrong = point(second, shared)
print("second file, with the same factory:   ", wrong)
right = point(second, DecoderFactory())
print("second file, with a factory of its own:", right)
sys.exit(0 if right == (3.0, 2.0, 1.0) and wrong == (1.0, 2.0, 3.0) else 1)
PYTHON
