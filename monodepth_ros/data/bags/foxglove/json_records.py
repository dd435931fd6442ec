# SPDX-License-Identifier: Apache-2.0
"""JSON messages as records."""

import json
from typing import Any

from monodepth_ros.data.bags.foxglove.records import Record, TranslationError, key
from monodepth_ros.errors import one_line
from monodepth_ros.limits import LARGEST_DEFINITION


def decode_json(data: bytes | memoryview) -> Record:
    """The record of a JSON object. Raises TranslationError for anything else."""
    try:
        record = json.loads(bytes(data), object_hook=_with_keys)
    except (ValueError, RecursionError) as error:
        # Without the position, so that the same damage of many messages counts as one reason.
        reason = getattr(error, "msg", "") or getattr(error, "reason", "") or one_line(error)
        raise TranslationError(f"its JSON is damaged: {reason}") from error
    if not isinstance(record, dict):
        raise TranslationError("its JSON is no object")
    return record


def schema_title(data: bytes) -> str:
    """The title of a JSON schema; '' without one."""
    try:
        schema = json.loads(data) if len(data) <= LARGEST_DEFINITION else None
    except (ValueError, RecursionError):
        return ""
    title = schema.get("title") if isinstance(schema, dict) else None
    return title if isinstance(title, str) else ""


def _with_keys(record: dict[str, Any]) -> dict[str, Any]:
    return {key(name): value for name, value in record.items()}
