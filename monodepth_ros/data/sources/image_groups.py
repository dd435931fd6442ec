# SPDX-License-Identifier: Apache-2.0
"""Images of one folder that belong to several cameras, or are depth or masks, told apart by words in their names."""

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from monodepth_ros.data.sources.source import SourceError

# In the order in which a camera is taken that nobody named; '' are images without such a word.
CAMERAS = ("left", "", "rgb", "color", "colour", "image_2", "image_02", "cam0")
OTHER_CAMERAS = ("right", "image_3", "image_03", "cam1")
NO_CAMERAS = ("disparity", "disp", "depth", "mask", "masks", "label", "labels", "seg", "semantic", "flow", "confidence")
SIDES = {"left": ("image_2", "image_02", "cam0"), "right": OTHER_CAMERAS[1:]}
SHARED = 0.5  # of the names of the smaller group must be in the other one too
_WORDS = "|".join(sorted(filter(None, (*CAMERAS, *OTHER_CAMERAS, *NO_CAMERAS)), key=len, reverse=True))
_AT_END = re.compile(rf"(.*[^a-z])??[-_.]?({_WORDS})", re.IGNORECASE)
_AT_START = re.compile(rf"({_WORDS})[-_.]?([^a-z].*)", re.IGNORECASE)


def images_of_camera(folder: Path, files: list[Path], camera: str) -> tuple[list[Path], list[str]]:
    """The images of one camera, and notes about the others; all images if they are of one camera.

    They are of several if the same names occur with different words of those above (0001_left, 0001_right; depth_7,
    rgb_7). camera: the word, or 'left' or 'right'; '' takes the left or colour camera. Raises SourceError for a camera
    that is not among several.
    """
    groups = _groups(files)
    if len(groups) < 2 or any(re.search(r"image_0?[014-9]\d*$", file.stem) for file in files):  # image_1, image_2, ...
        return files, []
    there = [word for word in (*CAMERAS, *OTHER_CAMERAS) if word in groups]
    if not there:
        return files, []
    wanted = (camera.lower(), *SIDES.get(camera.lower(), ())) if camera else there[:1]
    word = next((word for word in wanted if word in there), None)
    if word is None:
        named = ", ".join(filter(None, there))
        raise SourceError(f"{folder} has no images of camera {camera!r}: give --camera {named or 'nothing'}")
    others = [f"--camera {other}" for other in there if other not in (word, "")]
    unused = [f"{len(groups[other])} {other}" for other in NO_CAMERAS if other in groups]
    text = f"the folder holds images of several kinds: {len(groups[word])} {word or 'without a word'} ones are read"
    text += f"; others: {', '.join(others)}" if others else ""
    return groups[word], [text + (f"; not used: {', '.join(unused)}" if unused else "")]


def _groups(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Files by their word, for words that stand with the same names as those of another group."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for file in files:
        word, rest = _word(file.stem)
        found[word][rest] = file
    groups = {}
    for word, own in found.items():
        for other, theirs in found.items():
            shared = own.keys() & theirs.keys()
            if other != word and len(shared) > SHARED * min(len(own), len(theirs)) and len(shared) > 1:
                groups[word] = list(own.values())
    return groups


def _word(stem: str) -> tuple[str, str]:
    """The word of a name in small letters, '' without one, and the rest of the name."""
    at_end, at_start = _AT_END.fullmatch(stem), _AT_START.fullmatch(stem)
    if at_end:
        return at_end[2].lower(), (at_end[1] or "").rstrip("-_.")
    if at_start:
        return at_start[1].lower(), at_start[2]
    return "", stem
