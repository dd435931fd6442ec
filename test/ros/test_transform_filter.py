# SPDX-License-Identifier: Apache-2.0
"""Single wrong transforms are passed over by name, and a flood of frame names is bounded."""

import numpy as np
import pytest
from stamped_transform import stamped
from tf2_msgs.msg import TFMessage

from monodepth_ros.limits import MOST_LINKS
from monodepth_ros.ros.transforms import TransformBuffer, TransformError

SECOND = 1_000_000_000
START = 1000 * SECOND
NAN, HUGE = float("nan"), 1e300
WRONG = {
    "NaN translation": (dict(translation=(NAN, 0, 0)), "up to 1e+08 m"),
    "huge translation": (dict(translation=(0, HUGE, 0)), "up to 1e+08 m"),
    "zero quaternion": (dict(quaternion=(0, 0, 0, 0)), "expected length 1"),
    "NaN quaternion": (dict(quaternion=(0, NAN, 0, 1)), "finite"),
    "huge quaternion": (dict(quaternion=(0, 0, 0, HUGE)), "expected length 1"),
    "long name": (dict(child="x" * 100_000), "100000 characters"),
    "steering name": (dict(child="camera\x1b[2J\n"), "cannot be printed"),
    "no parent": (dict(parent=""), "names of two frames"),
    "own parent": (dict(parent="camera"), "names of two frames"),
    "far future": (dict(stamp_ns=10**9 * SECOND), "ahead of the one before"),
    "zero stamp": (dict(stamp_ns=0), "behind the one before"),
}


def transform(parent="base", child="camera", translation=(1.0, 2.0, 3.0), quaternion=(0, 0, 0, 1), stamp_ns=START):
    item = stamped(parent, child, np.eye(4), stamp_ns)
    t, q = item.transform.translation, item.transform.rotation
    t.x, t.y, t.z = map(float, translation)
    q.x, q.y, q.z, q.w = map(float, quaternion)
    return item


@pytest.mark.parametrize("name", WRONG)
def test_one_wrong_transform_is_passed_over_by_name_and_changes_nothing(name):
    changes, words = WRONG[name]
    said = []
    buffer = TransformBuffer(said.append)
    for i in range(20):
        stamp_ns = START + i * SECOND // 10
        buffer.add(TFMessage(transforms=[transform(stamp_ns=stamp_ns)]), is_static=False)
        if i == 10:
            wrong = transform(**{"stamp_ns": stamp_ns, "translation": (7, 7, 7)} | changes)
            buffer.add(TFMessage(transforms=[wrong]), is_static=False)
            np.testing.assert_allclose(buffer.lookup("base", "camera", 0, 0.0)[:3, 3], (1, 2, 3))
    for stamp_ns in (0, START, START + SECOND // 2 + 1, START + 19 * SECOND // 10):
        np.testing.assert_allclose(buffer.lookup("base", "camera", stamp_ns, 0.0)[:3, 3], (1, 2, 3))
    assert len(said) == 1 and words in said[0] and len(said[0]) < 1000, said


def test_quaternions_that_are_not_quite_of_length_1_are_normalised():
    buffer = TransformBuffer()
    buffer.add(TFMessage(transforms=[transform(quaternion=(0, 0, 2, 2))]), is_static=True)
    R = buffer.lookup("base", "camera", 0, 0.0)[:3, :3]
    np.testing.assert_allclose(R, [[0, -1, 0], [1, 0, 0], [0, 0, 1]], atol=1e-12)


def test_a_recording_that_begins_again_is_followed():
    buffer = TransformBuffer()
    for begin in (START, START - 900 * SECOND):
        for i in range(20):
            item = transform(stamp_ns=begin + i * SECOND // 10, translation=(begin / START, 0, 0))
            buffer.add(TFMessage(transforms=[item]), is_static=False)
    np.testing.assert_allclose(buffer.lookup("base", "camera", START - 900 * SECOND, 0.0)[0, 3], 0.1)


@pytest.mark.parametrize("is_static", [False, True])
def test_ten_thousand_frames_are_not_kept_and_those_known_stay(is_static):
    said = []
    buffer = TransformBuffer(said.append)
    buffer.add(TFMessage(transforms=[transform()]), is_static=False)
    for i in range(10_000):
        buffer.add(TFMessage(transforms=[transform(parent=f"p{i}", child=f"c{i}")]), is_static)
    assert len(buffer._tracks) <= MOST_LINKS and len(buffer.tree._parents) <= MOST_LINKS
    assert any("more than 5000 transforms" in text for text in said)
    with pytest.raises(TransformError) as unknown:
        buffer.lookup("base", "c1", 0, 0.0)
    assert len(str(unknown.value)) < 1000
    buffer.add(TFMessage(transforms=[transform(translation=(4, 5, 6), stamp_ns=START + SECOND)]), is_static=False)
    np.testing.assert_allclose(buffer.lookup("base", "camera", 0, 0.0)[:3, 3], (4, 5, 6))
