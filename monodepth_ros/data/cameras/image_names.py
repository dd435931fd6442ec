# SPDX-License-Identifier: Apache-2.0
"""What the name of an image topic says: its transport, the kind of its pictures, and the camera that they are from."""

import re
from functools import lru_cache

# Last segments that image_transport and its plugins append to the name of the raw image.
TRANSPORTS = (
    "compressed",
    "compressedDepth",
    "compressed_video",
    "video",
    "ffmpeg",
    "foxglove",
    "theora",
    "zstd",
    "draco",
    "h264",
    "h265",
    "hevc",
    "av1",
    "vp8",
    "vp9",
)
INFRARED = {"ir", "infra", "infrared"}
DEPTH, DISPARITY, OTHER, PICTURE, COLOR = (
    "depth",
    "disparity",
    "no picture of a camera",
    "grey picture",
    "colour picture",
)
# fmt: off
_KINDS = {
    DEPTH: {"depth"},
    DISPARITY: {"disparity", "disparities", "disp"},
    OTHER: {
        "confidence", "mask", "masks", "label", "labels", "segmentation", "segmented", "semantic",
        "semantics", "instance", "instances", "panoptic", "annotated", "annotation", "annotations", "overlay",
        "detection", "detections", "heatmap", "saliency", "normals", "flow", "edges", "debug",
        "visualization", "visualisation", "visualized", "colorized", "colormap", "costmap", "correspondences",
        "preview", "thumbnail", "rendering", "renderings", "rendered", "dbg", "bev", "yolo", "aruco", "apriltag",
        "detector", "keypoints", "result", "results", "matches", "feature", "features", "track", "tracks", "tracking",
    },
    PICTURE: {
        *INFRARED, "gray", "grey", "mono", "thermal", "thermo", "lwir", "mwir", "swir", "nir",
        "intensity", "amplitude", "ambient", "signal", "reflectivity",
        "reflec", "nearir",
    },
    COLOR: {"color", "colour", "rgb", "bgr"},
}
# Words about the processing of a picture, which do not tell one camera from another.
PROCESSING = {
    "image", "images", "img", "raw", "rect", "rectified", "unrectified", "undistorted", "color", "colour", "bgr",
    "rgb", "mono", "gray", "grey", "debayered", "data", "throttle", "throttled", "resized", "resize", "scaled",
    "small", "republished", "repub", "repeated", "relay", "hd", "qhd", "sd",
}
# fmt: on
_OF_LIDAR = {"intensity", "ambient", "signal", "reflectivity", "reflec", "nearir", "nir"}
_DEVICE = {"camera", "cam", "sensor", "device"}
_RECTIFIED = {"rect", "rectified", "undistorted", "unwarped"}
_RESIZED = {
    "throttle", "throttled", "resized", "resize", "scaled", "small", "republished", "repub", "repeated", "relay"
}  # fmt: skip
_INVERSE = {"inverse", "inv"}


KEPT_NAMES = 4096


def base_name(topic: str) -> str:
    """The name of the raw image: the topic without the segment of its transport."""
    head, _, last = topic.rpartition("/")
    return head if head and last in TRANSPORTS else topic


def words(text: str) -> list[str]:
    """The words of a name in lower case, without digits: 'Depth_0/imageRect' has depth, image, rect."""
    return list(_words(text))


def tokens(text: str) -> list[str]:
    """The parts of a name between '/', '_' and '-' in lower case, with their digits: 'cam0/image_raw' has cam0."""
    return list(_tokens(text))


# Recordings of hundreds of topics ask for the parts of each name hundreds of times.
@lru_cache(maxsize=KEPT_NAMES)
def _words(text: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text))


@lru_cache(maxsize=KEPT_NAMES)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(token for token in re.split(r"[/_\-.]+", text.lower()) if token)


def name_says(topic: str, in_colour: bool = False) -> str:
    """DEPTH, DISPARITY, OTHER, PICTURE or COLOR by the last segment of the name that says any of it; '' for none.

    'a_to_b' is a in the view of b. 'depth/color' is depth made visible. in_colour: the pictures are of 8 bits, so that
    a depth_camera may have taken them.
    """
    segments = base_name(topic).strip("/").split("/")
    found = [_segment_says(segment, in_colour) for segment in segments]
    known = [number for number, kind in enumerate(found) if kind]
    if not known:
        return DEPTH if segments[-2:-1] == ["stereo"] and set(tokens(segments[-1])) <= PROCESSING else ""
    last = known[-1]
    if (
        last == len(segments) - 1
        and found[last - 1 :] == [DEPTH, COLOR]
        and set(words(segments[last])) <= _KINDS[COLOR]
    ):
        return DEPTH
    return found[last]


def _segment_says(segment: str, in_colour: bool) -> str:
    content = set(words(segment.split("_to_")[0]))
    if content & _INVERSE and content & _KINDS[DEPTH]:
        return DISPARITY
    for kind in (DISPARITY, OTHER, DEPTH, PICTURE, COLOR):
        # A depth_camera has other pictures too, a tracking_camera none that are drawn.
        is_device = content & _DEVICE and (kind == OTHER or (kind == DEPTH and in_colour))
        if content & _KINDS[kind] and not is_device:
            return kind
    return ""


def is_rectified_name(topic: str) -> bool:
    """Whether the name says that the images are rectified, as image_rect, image_rect_color and rect/image do."""
    segments = [words(segment) for segment in base_name(topic).strip("/").split("/")[-2:]]
    return any(_RECTIFIED & set(segment) for segment in segments)


@lru_cache(maxsize=KEPT_NAMES)
def camera_key(topic: str) -> tuple[str, ...]:
    """What the name says about the camera: topics of one camera have equal keys.

    Left out are the transport, and words about the processing in the last segment and in segments that consist of them.
    """
    *spaces, leaf = base_name(topic).strip("/").split("/")
    no_camera = PROCESSING | set(TRANSPORTS)  # image_raw/compressed/throttled, image_raw/compressed_throttle
    kept = [space for space in spaces if not set(tokens(space)) <= no_camera]
    return (*kept, "", *(token for token in tokens(leaf) if token not in no_camera))


def is_infrared_name(topic: str) -> bool:
    """Whether the name says infrared, as the pictures of the sensor of a depth camera."""
    return any(INFRARED & set(words(segment)) for segment in topic.split("/"))


def is_lidar_name(topic: str) -> bool:
    """Whether the name says what a LiDAR makes panoramas of, besides distances."""
    return bool(_OF_LIDAR & {word for segment in topic.split("/") for word in words(segment)})


def is_made_for_another_view(topic: str) -> bool:
    """Whether the pictures were computed for the view of another camera, as those of rgb_to_depth."""
    return any("_to_" in segment for segment in base_name(topic).split("/"))


@lru_cache(maxsize=KEPT_NAMES)
def device_key(topic: str) -> tuple[str, ...]:
    """What the name says about the device that a camera is part of: /k4a for /k4a/rgb/image_raw and /k4a/ir/image."""
    *spaces, leaf = base_name(topic).strip("/").split("/")
    named = [number for number, segment in enumerate([*spaces, leaf]) if _names_a_part(segment)]
    spaces = spaces[: named[0]] if named else spaces
    return tuple(space for space in spaces if not set(words(space)) <= PROCESSING | {"sensor"})


def _names_a_part(segment: str) -> bool:
    """Whether a segment names nothing but one camera of a device, as color, infra1 and left_ir do."""
    found, parts = set(words(segment)), INFRARED | _KINDS[COLOR]
    return bool(found & parts) and found <= parts | PROCESSING | {"left", "right"}


def processing_rank(topic: str) -> int:
    """Order of preference among the images of one camera, the least first: those that the driver publishes, before
    those that others make from them."""
    leaf = {word for segment in base_name(topic).split("/")[-2:] for word in words(segment) if word in PROCESSING}
    if leaf & _RESIZED:
        return 6
    if leaf & {"mono", "gray", "grey"}:
        return 5
    if leaf & _RECTIFIED:
        return 3 if leaf & {"color", "colour", "rgb"} else 4
    if "raw" in leaf:
        return 0
    return 2 if leaf & {"color", "colour", "rgb"} else 1
