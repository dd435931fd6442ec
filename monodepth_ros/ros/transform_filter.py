# SPDX-License-Identifier: Apache-2.0
"""The transforms on /tf and /tf_static that are used; others are passed over by name."""

from collections.abc import Callable

from geometry_msgs.msg import TransformStamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.data.transform_messages import TransformMessageError, link_of
from monodepth_ros.limits import MOST_LINKS
from monodepth_ros.odd_samples import OddSamples
from monodepth_ros.stamps import nanoseconds

# A stamp further than this from the one before [s] is odd: one of them would empty the history of a transform.
FAR = 10.0


class TransformFilter:
    """Leaves out transforms whose names or numbers are none, single ones of a far stamp, and more than MOST_LINKS.

    Quaternions that are left have length 1. say: called with what is passed over and why.
    """

    def __init__(self, say: Callable[[str], None]):
        self._say = say
        self._stamps: dict[tuple[str, str], OddSamples[TransformStamped]] = {}

    def usable(self, message: TFMessage, is_static: bool) -> TFMessage:
        """The transforms to use now. One of a far stamp waits for the next one (see `OddSamples`)."""
        kept: list[TransformStamped] = []
        topic = "/tf_static" if is_static else "/tf"
        for item in message.transforms:
            try:
                parent, child = link_of(item)
            except TransformMessageError as error:
                self._say(f"a transform on {topic} is passed over: {error}")
                continue
            series = self._series((parent, child))
            if series is None:
                self._say(
                    f"TF has more than {MOST_LINKS} transforms: {parent} -> {child} and others are left out; let no "
                    "publisher invent new frame names"
                )
            elif is_static:
                kept.append(_normalised(item))
            else:
                used, reason = series.admit(_normalised(item))
                kept += used
                if reason:
                    self._say(f"a transform {parent} -> {child} on {topic} is passed over: {reason}")
        return TFMessage(transforms=kept)

    def _series(self, link: tuple[str, str]) -> OddSamples[TransformStamped] | None:
        found = self._stamps.get(link)
        if found is None and len(self._stamps) < MOST_LINKS:
            found = self._stamps[link] = OddSamples(_far)
        return found


def _far(before: TransformStamped, item: TransformStamped) -> str:
    seconds = (nanoseconds(item.header.stamp) - nanoseconds(before.header.stamp)) * 1e-9
    if abs(seconds) <= FAR:
        return ""
    stamp = nanoseconds(item.header.stamp) * 1e-9
    return f"its stamp {stamp:.3f} s is {abs(seconds):.3g} s {'ahead of' if seconds > 0 else 'behind'} the one before"


def _normalised(item: TransformStamped) -> TransformStamped:
    """The item with a quaternion of length 1, as tf2 demands it. One that has it stays bit for bit: a transform of our
    own is known by its numbers when it comes back."""
    q = item.transform.rotation
    length = (q.x**2 + q.y**2 + q.z**2 + q.w**2) ** 0.5
    if abs(length - 1.0) > 1e-6:
        q.x, q.y, q.z, q.w = q.x / length, q.y / length, q.z / length, q.w / length
    return item
