# SPDX-License-Identifier: Apache-2.0
"""The right camera of a stereo pair, found from its left one."""

from dataclasses import replace

from monodepth_ros.data.bags.recording import RecordingError
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError, SourceError, SourceOptions


def one_camera(path: str, options: SourceOptions) -> tuple[SourceOptions, str]:
    """(options that open one camera, a note or ''): of a bag with several the first, which is the left one of
    a pair."""
    try:
        open_source(path, options).close()
    except SourceChoiceError as error:
        topic = error.choices[0][1]
        return replace(options, topic=topic), f"{path} has {len(error.choices)} cameras: {topic} is used"
    return options, ""


def stereo_partner(path: str, options: SourceOptions, source: FrameSource, topic: str = "") -> SourceOptions | None:
    """How the right camera beside `source` (opened from `path` with `options`) is opened; None where there is
    none.

    Of a bag: `topic`, else the topic that says right where this one says left. Of a KITTI folder: the right
    camera, of the same kind where this one was named. Raises RecordingError for a `topic` that the bag does
    not have.
    """
    if isinstance(source, BagSource):
        other = topic or source.stream.image.replace("left", "right")
        candidate = replace(options, topic=other, camera_info="")
        is_itself = other == source.stream.image
    else:
        name = options.camera
        if name and name != "left":
            if name[-1] not in "02":
                return None
            name = f"{name[:-1]}{int(name[-1]) + 1}"
        else:
            name = "right"
        candidate, is_itself = replace(options, camera=name), False
    if is_itself:
        return None
    try:
        with open_source(path, candidate) as partner:
            return None if partner.description == source.description else candidate
    except (SourceError, RecordingError):
        if topic:
            raise
        return None
