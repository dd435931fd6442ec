# SPDX-License-Identifier: Apache-2.0
"""Open the frame source for what a user names: a path, a pattern, several images, a camera or a stream."""

import os
import re
from pathlib import Path

from monodepth_ros.data.bags.files import is_recording_file
from monodepth_ros.data.bags.folder import recordings_within
from monodepth_ros.data.bags.storage.file_kind import archive_command, content_kind, journal_of
from monodepth_ros.data.calibration import calibration_note
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.datasets.recognise import NAMES, contained, open_data_set
from monodepth_ros.data.sources.film import VideoSource
from monodepth_ros.data.sources.film_format import VIDEO_SUFFIXES, check_video
from monodepth_ros.data.sources.image_files import is_image, is_pattern, matches, open_images
from monodepth_ros.data.sources.image_folder import open_image_folder
from monodepth_ros.data.sources.image_sequence import SUFFIXES
from monodepth_ros.data.sources.live_camera import LiveCamera
from monodepth_ros.data.sources.source import FrameSource, SourceError, SourceOptions
from monodepth_ros.geometry.lens_plausibility import lens_problem
from monodepth_ros.input_file import ordinary_file

EXPECTED = (
    f"a bag (folder, .mcap, .db3, .bag), a folder of images, images, a folder of a data set ({NAMES}), a video, a"
    " camera (0, /dev/video0) or a stream (rtsp://, http://)"
)

Place = str | tuple[str, ...]
"""What a user names as one source; several words are the image files of one sequence."""


def open_source(place: Place, options: SourceOptions = SourceOptions()) -> FrameSource:
    """Open the source that a path, a pattern of images, image files, a camera (number or device) or a URL names.

    Raises SourceError, or RecordingError or CalibrationError of a reader, if the source cannot be read.
    """
    source = _open(place, options)
    source.opened_with = place, options
    if options.calibration_file and source.given_camera is not None:
        if note := calibration_note(options.calibration_file):
            source.notes.append(f"{options.calibration_file}: {note}")
        if problem := lens_problem(source.given_camera):
            source.notes.append(f"warning: {options.calibration_file} can hardly be right: {problem}")
    return source


def _open(place: Place, options: SourceOptions) -> FrameSource:
    if not place:
        raise SourceError(f"the source's name is empty: expected {EXPECTED}")
    if not isinstance(place, str):
        return open_images(place, f"{place[0]}, ...", options)
    if _is_url(place) and not is_live(place):
        return VideoSource(place, options)
    if is_live(place):
        return LiveCamera(int(place) if place.isdigit() else place, options)
    if is_pattern(place):
        return _open_pattern(place, options)
    path = Path(place)
    if not os.path.exists(path):
        raise SourceError(f"{place} does not exist: expected {EXPECTED}")
    if path.is_dir():
        return _open_folder(path, options)
    if is_image(place):
        return open_images([path], place, options)
    if is_recording_file(path) or content_kind(path) or archive_command(path):
        return BagSource(path, options)
    if (of := journal_of(path)) is not None:
        raise SourceError(f"{path} is a part of the database {of.name}: give that, or its folder")
    check_video(ordinary_file(path), EXPECTED)
    return VideoSource(path, options)


def is_live(place: str) -> bool:
    """Whether the source is a camera or a stream, which can be read only once: digits, /dev/video0, or a URL that does
    not name a video file."""
    is_number = place.isascii() and place.isdigit() and not os.path.exists(place)
    if _is_url(place):
        is_file = Path(place.partition("?")[0]).suffix.lower() in VIDEO_SUFFIXES
        return not (is_file and place.lower().startswith("http"))
    return is_number or re.fullmatch(r"/dev/(video|v4l/).*", place) is not None


def _is_url(place: str) -> bool:
    return re.match(r"(https?|rtsps?|rtmps?|udp|rtp|srt|tcp)://", place, re.IGNORECASE) is not None


def _open_pattern(pattern: str, options: SourceOptions) -> FrameSource:
    found = matches(pattern)
    images = [path for path in found if is_image(str(path))]
    if images:
        return open_images(images, pattern, options)
    if len(found) == 1:
        return open_source(str(found[0]), options)
    raise SourceError(
        f"{pattern} matches {len(found)} files that are not images: give one of them, {found[0]} first, or the folder"
        " of a split recording"
    )


def _open_folder(folder: Path, options: SourceOptions) -> FrameSource:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f"{folder} cannot be read: {error.strerror or error}") from None
    data_set = open_data_set(folder, options)
    if data_set is not None:
        return data_set
    is_bag = any(is_recording_file(entry) for entry in inside)
    if not is_bag and any(entry.suffix.lower() in SUFFIXES for entry in inside):
        return open_image_folder(folder, options)
    if not is_bag and not recordings_within(folder):
        films = [entry for entry in inside if entry.suffix.lower() in VIDEO_SUFFIXES]
        within = None if films else contained(folder)
        if within is None and len(films) == 1:
            return VideoSource(films[0], options)
        if films and within is None:
            raise SourceError(f"{folder} holds {len(films)} videos: give one of them, {films[0].name} first")
        if within is None:
            raise SourceError(f"{folder} contains no frames: expected {EXPECTED}")
        return open_data_set(within, options) or open_image_folder(within, options)
    return BagSource(folder, options)
