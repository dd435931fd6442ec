# SPDX-License-Identifier: Apache-2.0
"""The right camera that belongs to the left camera of a stereo pair."""

from dataclasses import replace

from monodepth_ros.data.bags.recording import RecordingError
from monodepth_ros.data.sources.bag import BagSource
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.reference_topics import NONE
from monodepth_ros.data.sources.source import FrameSource, SourceChoiceError, SourceError, SourceOptions


def one_camera(path: str, options: SourceOptions) -> tuple[SourceOptions, str]:
    """Options that open a single camera, and a note or ''. Among several cameras of a bag the first one is selected.

    The first camera is the left one of a pair, because topics are sorted by name, and none of 16 bits beside others.
    """
    try:
        open_source(path, options).close()
    except SourceChoiceError as error:
        topic = error.choices[0][1]
        return replace(
            options, topic=topic
        ), f"{path} has {len(error.choices)} cameras: {topic} is used (--topic chooses)"
    return options, ""


def stereo_partner(path: str, options: SourceOptions, source: FrameSource, topic: str = "") -> SourceOptions | None:
    """Options that open the right camera of the pair whose left camera is `source`; None if there is no right camera.

    path, options: those that `source` was opened with. In a bag the right camera is `topic`, or else the topic of
    `source` with "right" in place of "left". In a KITTI folder it is the right camera, grey or colour like a left one
    that was named. Raises RecordingError for a `topic` that the bag does not have.
    """
    if isinstance(source, BagSource):
        other = topic or source.stream.image.replace("left", "right")
        # A depth topic that was named is the left camera's.
        depth_topic = options.depth_topic if options.depth_topic == NONE else ""
        candidate = replace(options, topic=other, camera_info="", depth_topic=depth_topic)
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
