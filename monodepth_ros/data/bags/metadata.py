# SPDX-License-Identifier: Apache-2.0
"""metadata.yaml of a rosbag2 folder: what it says that the storage files do not say themselves.

Times and counts are not taken from it: recorders that split, were killed or restarted leave wrong ones.
"""

import os
import stat
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from monodepth_ros.data.bags.storage.stored_file import is_transient_local
from monodepth_ros.data.bags.types import normalize_type
from monodepth_ros.errors import MonodepthError
from monodepth_ros.input_file import read_text
from monodepth_ros.structured_text import parse_yaml

METADATA = "metadata.yaml"


@dataclass
class Metadata:
    """What metadata.yaml says. files: the storage files, relative to the folder. types, latched: by topic.

    count: of all messages; None if it is not stated. problem: why it cannot be read, or ''.
    """

    files: list[PurePosixPath] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    latched: dict[str, bool] = field(default_factory=dict)
    count: int | None = None
    problem: str = ""


def read_metadata(folder: Path) -> Metadata | None:
    """What the folder's metadata.yaml says, of any version; None if there is none. Parts that are odd are left out."""
    path = folder / METADATA
    try:
        now = os.stat(path)
    except OSError:
        return None
    return _read(path, now.st_mtime_ns, now.st_size, now.st_ino) if stat.S_ISREG(now.st_mode) else None


@lru_cache(maxsize=4)
def _read(path: Path, *_state: int) -> Metadata:
    """As `read_metadata`, once for each state of the file: of thousands of topics it takes seconds."""
    try:
        content = parse_yaml(read_text(path), "it")
    except MonodepthError as error:
        return Metadata(problem=str(error))
    information = content.get("rosbag2_bagfile_information") if isinstance(content, dict) else None
    if not isinstance(information, dict):
        return Metadata(problem="it has no rosbag2_bagfile_information")
    metadata = Metadata()
    for name in _list(information.get("relative_file_paths")):
        if isinstance(name, str) and name:
            metadata.files.append(PurePosixPath(name))
    for entry in _list(information.get("topics_with_message_count")):
        topic = entry.get("topic_metadata") if isinstance(entry, dict) else None
        if isinstance(topic, dict) and isinstance(topic.get("name"), str):
            metadata.latched[topic["name"]] = is_transient_local(topic.get("offered_qos_profiles", ""))
            if isinstance(topic.get("type"), str):
                metadata.types[topic["name"]] = normalize_type(topic["type"])
    count = information.get("message_count")
    metadata.count = count if isinstance(count, int) and count >= 0 else None
    return metadata


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
