# SPDX-License-Identifier: Apache-2.0
"""A user's word about the bytes of a camera's images."""

from dataclasses import dataclass

from monodepth_ros.data.images.encodings import check_name
from monodepth_ros.data.images.intensity import parse_range


@dataclass(frozen=True)
class DecoderOptions:
    """A user's word about the bytes of images.

    encoding: replaces the encoding that raw messages state; for compressed ones it says what the decoded array is, a
    Bayer pattern or the order of its channels. '' trusts the messages. intensity_range: LOW:HIGH, the 16-bit values
    that become black and white; '' stretches by the bits in use.
    """

    encoding: str = ""
    intensity_range: str = ""

    def check(self) -> None:
        """Raise ImageError for an unknown encoding or a malformed range."""
        parse_range(self.intensity_range)
        if self.encoding:
            check_name(self.encoding)
