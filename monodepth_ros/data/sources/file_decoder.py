# SPDX-License-Identifier: Apache-2.0
"""Image files to pixels, decided as for the compressed images of a recording."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from monodepth_ros.data.images.image_codec import DecoderOptions, ImageDecoder, ImageError, Pixels
from monodepth_ros.data.images.picture_file import picture_bytes

# Files that decide what all of them leave open, spread over the whole folder.
SAMPLE = 16
_HEAD = 64  # bytes that tell whether anything is open


class _Content(NamedTuple):
    """The content of a file as a compressed image."""

    data: np.ndarray
    format: str = ""


class FileDecoder:
    """Decoder of the image files of one camera.

    What they leave open, such as the bits in use of 16-bit images, is decided once by a sample of all of them, so that
    every part of them is read alike. remark: called with what a user should know about them. Raises ImageError for
    options that cannot be.
    """

    def __init__(
        self,
        files: Sequence[Path] = (),
        options: DecoderOptions = DecoderOptions(),
        remark: Callable[[str], None] = lambda text: None,
    ):
        self._decoder = ImageDecoder(options, remark)
        count = min(SAMPLE, len(files))
        sample = [files[len(files) * number // count] for number in range(count)]
        heads = [head for head in (_read(file, _HEAD) for file in sample) if head is not None]
        if any(self._decoder.needs_sample(head) for head in heads):
            contents = (_read(file) for file in sample)
            self._decoder.learn(content for content in contents if content is not None)

    def pixels(self, content: np.ndarray, name: str) -> Pixels:
        """Pixels of a file's content, (N,) bytes, as they are stored. Raises ImageError, with the name of the file."""
        try:
            return self._decoder.decode(_Content(content))
        except ImageError as error:
            raise ImageError(f"{name}: {error}") from None


def _read(file: Path, count: int = -1) -> _Content | None:
    with suppress(ImageError):
        return _Content(picture_bytes(file, count))
    return None
