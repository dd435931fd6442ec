# SPDX-License-Identifier: Apache-2.0
"""The storage files of a rosbag2 folder, whether its metadata.yaml lists them or not."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from monodepth_ros.data.bags.metadata import METADATA, Metadata
from monodepth_ros.data.bags.recording_error import EXPECTED, RecordingError
from monodepth_ros.data.bags.storage.file_kind import KINDS, named_kind, storage_kind
from monodepth_ros.data.bags.storage.unpacked import PACKED
from monodepth_ros.limits import MOST_FILES


@dataclass
class FolderContents:
    """Storage files of a folder, those that metadata.yaml lists first. notes: for the user."""

    files: list[Path]
    notes: list[str] = field(default_factory=list)


def storage_files(folder: Path, metadata: Metadata | None) -> FolderContents:
    """The files to read. Raises RecordingError, which names what is missing, if there is none; OSError."""
    notes = []
    if metadata is not None and metadata.problem:
        notes.append(f"{METADATA} cannot be read ({metadata.problem}): the storage files are read without it")
    listed, missing = _listed(folder, metadata)
    inside = sorted((entry for entry in folder.iterdir() if storage_kind(entry) and entry.is_file()), key=_natural)
    others = [entry for entry in inside if entry not in listed]
    files = listed + others
    # A file stays beside its unpacked form after `zstd -d`, and half written beside it if its recorder was killed.
    unpacked = {file.with_name(file.stem) for file in files if file.suffix in PACKED} & set(files)
    files = [file for file in files if file.suffix not in PACKED or file.with_name(file.stem) not in unpacked]
    if missing:
        names = _enumerate(missing)
        if not files:
            raise RecordingError(f"{folder} lacks its storage: {METADATA} lists {names}; copy it there as well")
        unlisted = [entry.name for entry in others]
        is_renamed = not listed and len(unlisted) == len(missing)
        what = f"{_enumerate(unlisted)} is read instead" if is_renamed else "the rest is read"
        notes.append(f"{METADATA} lists {names}, missing in {folder}: {what}; copy what is missing there as well")
    if not files:
        raise RecordingError(_nothing_in(folder))
    kind = storage_kind(listed[0]) if listed else min(map(storage_kind, files), key=KINDS.index)
    foreign = [file.name for file in files if storage_kind(file) != kind]
    if foreign:
        notes.append(f"left out: {_enumerate(foreign)}, of another storage than the {kind} files of {folder.name}")
    files = [file for file in files if storage_kind(file) == kind]
    unlisted = [file.name for file in files if file not in listed]
    if metadata is None and not _are_split(files):
        notes.append(f"{_enumerate(unlisted)} are read as one recording (a file can be given alone)")
    if listed and unlisted and not all(_is_listed(file, listed) for file in files):
        notes.append(f"{METADATA} does not list {_enumerate(unlisted)}: read as well")
    return FolderContents(files, notes)


def _listed(folder: Path, metadata: Metadata | None) -> tuple[list[Path], list[str]]:
    """Existing files that metadata.yaml lists, and the names of those that do not exist in any form."""
    found: list[Path] = []
    missing = []
    listed = metadata.files if metadata is not None else []
    if len(listed) > MOST_FILES:
        raise RecordingError(f"{folder / METADATA} lists {len(listed)} files, more than {MOST_FILES}")
    for name in listed:
        # Before version 4 the paths began with the folder's name. No path leads out of the folder.
        places = (
            [folder / name.name] if name.is_absolute() or ".." in name.parts else [folder / name, folder / name.name]
        )
        packed = [place.with_name(place.name + suffix) for place in places for suffix in PACKED]
        unpacked = [place.with_name(place.stem) for place in places if place.suffix in PACKED]
        existing = [place for place in (*places, *unpacked, *packed) if os.path.isfile(place) and storage_kind(place)]
        if not existing:
            missing.append(name.name)
        elif existing[0] not in found:
            found.append(existing[0])
    return found, missing


def _is_listed(file: Path, listed: list[Path]) -> bool:
    return file in listed or any(other.with_name(other.stem) == file for other in listed if other.suffix in PACKED)


def _are_split(files: list[Path]) -> bool:
    """Whether files are the parts of one recording by their names, as run_0.mcap and run_1.mcap."""
    return len({re.sub(r"_?\d+$", "", file.name.partition(".")[0]) for file in files}) < 2


def is_recording_folder(folder: Path) -> bool:
    """Whether a folder has a metadata.yaml or a storage file."""
    with suppress(OSError):
        return folder.is_dir() and any(entry.name == METADATA or named_kind(entry) for entry in folder.iterdir())
    return False


def recordings_within(folder: Path) -> list[Path]:
    """The recordings that are folders of a folder which is none itself, sorted. Raises OSError."""
    return [] if is_recording_folder(folder) else sorted(filter(is_recording_folder, folder.iterdir()))


def _nothing_in(folder: Path) -> str:
    inside = [entry.name for entry in sorted(folder.iterdir())]
    if not inside:
        return f"folder {folder} is empty: {EXPECTED}"
    bags = [entry.name for entry in recordings_within(folder)]
    if bags:
        return f"folder {folder} is not a recording but contains some: give one of {_enumerate(bags)}"
    broken = [name for name in inside if named_kind(folder / name) and not (folder / name).exists()]
    if broken:
        return f"folder {folder} has links to files that do not exist, {_enumerate(broken)}: copy the files there"
    if inside == [METADATA]:
        return f"folder {folder} has {METADATA} alone, without storage files: copy its .mcap or .db3 there as well"
    return f"folder {folder} contains no metadata.yaml, .mcap, .db3 or .bag: {EXPECTED}"


def _natural(path: Path) -> tuple[int, str]:
    """Orders bag_2 before bag_10."""
    return len(path.name), path.name


def _enumerate(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
