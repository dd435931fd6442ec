# SPDX-License-Identifier: Apache-2.0
"""References whose stamps are of another clock than the images': refused, with the two times."""

from dataclasses import replace
from typing import TypeVar

import numpy as np

from monodepth_ros.data.bags.message_times import MessageTimes, doubtful_clocks, first_times, two_clocks
from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.sources.reference_depth import DepthChoice
from monodepth_ros.data.sources.reference_poses import PosesChoice
from monodepth_ros.data.sources.reference_topics import PATH, TF

Choice = TypeVar("Choice", DepthChoice, PosesChoice)


def of_the_same_clock(recording: Recording, images: MessageTimes, choice: Choice, is_named: bool) -> Choice:
    """The choice, without a topic whose stamps are of another clock than the images'; notes then have the reason.

    A candidate of another clock is noted as well: a user who names it would get the same answer. is_named: the user has
    named the chosen topic, so RecordingError is raised instead.
    """
    if choice.chosen is not None:
        reason = _reason(recording, images, choice.chosen.topic)
        if reason and is_named:
            raise RecordingError(reason)
        if reason:
            return replace(choice, chosen=None, notes=[*choice.notes, reason])
        doubt = doubtful_clocks(images, stamped_times(recording, choice.chosen.topic))
        return replace(choice, notes=[*choice.notes, doubt]) if doubt else choice
    reasons = (_reason(recording, images, topic) for topic in choice.others)
    reason = next(filter(None, reasons), "")
    return replace(choice, notes=[*choice.notes, reason]) if reason else choice


def _reason(recording: Recording, images: MessageTimes, topic: str) -> str:
    return two_clocks(images, stamped_times(recording, topic))


def stamped_times(recording: Recording, topic: str) -> MessageTimes:
    """Times of a topic's first messages; none for poses that are collected in one message, whose stamps are inside."""
    if recording.topics[topic].type in (PATH, TF):
        return MessageTimes(topic, np.array([], np.int64), np.array([], np.int64))
    return first_times(recording, topic)
