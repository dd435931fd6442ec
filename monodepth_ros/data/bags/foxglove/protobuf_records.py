# SPDX-License-Identifier: Apache-2.0
"""Protobuf messages as records, by the descriptors that an MCAP file stores as their schema."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from monodepth_ros.data.bags.foxglove.records import Record, TranslationError, key
from monodepth_ros.errors import one_line

_BULK = "data"
"""The field with the pixels, points or packets of Foxglove's messages."""
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


@lru_cache(maxsize=64)  # channels share their schema
def protobuf_decoder(schema_data: bytes, name: str) -> Callable[[bytes | memoryview], Record]:
    """A decoder of messages of the type `name`.

    schema_data: a serialised FileDescriptorSet. Unknown fields are left out, fields that are not set have no key.
    Raises ImportError without protobuf, TranslationError if the schema is damaged or lacks the type. The decoder
    raises TranslationError for damaged bytes.
    """
    message_class = _message_class(schema_data, name)
    fields = {field.name: field for field in message_class.DESCRIPTOR.fields}
    bulk = fields.get(_BULK)
    number = bulk.number if bulk is not None and bulk.type == bulk.TYPE_BYTES else 0

    def decode(data: bytes | memoryview) -> Record:
        rest, content = split_field(data, number) if number else (data, None)
        message = message_class()
        try:
            message.ParseFromString(bytes(rest))
        except Exception as error:  # upb and the pure Python library raise errors of several types
            raise TranslationError(f"its protobuf is damaged: {one_line(error)}") from error
        record = _record(message)
        if content is not None:
            record[_BULK] = content
        return record

    return decode


def split_field(data: bytes | memoryview, number: int) -> tuple[bytes | memoryview, memoryview | None]:
    """The message without a field of bytes, and that field as a view: the library would copy megabytes twice.

    Returns the data as they are, and None, if the field is missing, or where the bytes are damaged or use groups.
    """
    view, position, end = memoryview(data), 0, len(data)
    found, pieces, start = None, [], 0
    try:
        while position < end:
            begin = position
            tag, position = _varint(view, position)
            kind = tag & 7
            if kind == _LENGTH:
                length, position = _varint(view, position)
                position += length
                if tag >> 3 == number and position <= end:
                    found = view[position - length : position]
                    pieces.append(view[start:begin])
                    start = position
            elif kind == _VARINT:
                position = _varint(view, position)[1]
            elif kind in (_FIXED64, _FIXED32):
                position += 8 if kind == _FIXED64 else 4
            else:
                return data, None
    except IndexError:
        return data, None
    if found is None or position != end:
        return data, None
    return b"".join([*pieces, view[start:]]), found


def _varint(view: memoryview, position: int) -> tuple[int, int]:
    """A number and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        byte = view[position]
        value |= (byte & 127) << shift
        position += 1
        if byte < 128:
            return value, position
    raise IndexError("a number has more than ten bytes")


def _message_class(schema_data: bytes, name: str) -> Any:
    """The class of a message, in a pool of its own: other files may define other fields under the same name."""
    # An optional library.
    from google.protobuf import (  # noqa: PLC0415
        descriptor_pb2,
        descriptor_pool,
        duration_pb2,
        message_factory,
        timestamp_pb2,
    )

    try:
        files = {file.name: file for file in descriptor_pb2.FileDescriptorSet.FromString(schema_data).file}
        # Some writers leave out the types that every protobuf library has.
        for known in (timestamp_pb2, duration_pb2):
            file = descriptor_pb2.FileDescriptorProto.FromString(known.DESCRIPTOR.serialized_pb)
            files.setdefault(file.name, file)
        pool = descriptor_pool.DescriptorPool()
        for file in _by_dependency(files):
            pool.Add(file)
        return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    except Exception as error:  # of the library: DecodeError, TypeError, KeyError
        raise TranslationError(f"the protobuf schema of {name} is damaged: {one_line(error)}") from error


def _by_dependency(files: dict[str, Any]) -> list[Any]:
    """The files, each after those that it imports."""
    order: dict[str, Any] = {}

    def add(name: str, above: tuple[str, ...]) -> None:
        if name in order or name in above or name not in files:
            return
        for dependency in files[name].dependency:
            add(dependency, (*above, name))
        order[name] = files[name]

    for name in files:
        add(name, ())
    return list(order.values())


def _record(message: Any) -> dict[str, Any]:
    """The fields that are set."""
    record = {}
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            value = [_record(item) for item in value] if _is_repeated(field) else _record(value)
        elif _is_repeated(field):
            value = list(value)
        record[key(field.name)] = value
    return record


def _is_repeated(field: Any) -> bool:
    # Releases before 6.31 have `label` alone, and it is to go.
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
