# SPDX-License-Identifier: Apache-2.0
"""Static transforms: chains, unconnected frames, cycles and invalid rotations."""

import numpy as np
import pytest

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.static_transforms import StaticTransformError, StaticTransforms
from monodepth_ros.geometry.motion import exp_se3, invert


def stamped(parent, child, T):
    return messages.transform_stamped(messages.header(0, parent), child, T)


def test_transforms_are_chained_up_and_down_the_tree():
    T_base_mast, T_mast_camera, T_base_lidar = (exp_se3(np.random.default_rng(i).normal(0, 1, 6)) for i in range(3))
    tree = StaticTransforms()
    tree.add(
        [
            stamped("mast", "camera", T_mast_camera),
            stamped("/base", "mast", T_base_mast),
            stamped("base", "lidar", T_base_lidar),
        ]
    )
    np.testing.assert_allclose(tree.lookup("base", "camera"), T_base_mast @ T_mast_camera, atol=1e-12)
    np.testing.assert_allclose(
        tree.lookup("lidar", "camera"), invert(T_base_lidar) @ T_base_mast @ T_mast_camera, atol=1e-12
    )
    np.testing.assert_allclose(tree.lookup("camera", "camera"), np.eye(4))
    assert tree.parent_of("camera") == "mast" and tree.parent_of("base") == ""


def test_frames_without_a_connection_raise_an_error():
    tree = StaticTransforms()
    tree.add([stamped("a", "b", np.eye(4))])
    with pytest.raises(StaticTransformError, match="from 'c' to 'a': the recording connects a, b"):
        tree.lookup("a", "c")


def test_cycles_end_and_invalid_rotations_are_skipped():
    tree = StaticTransforms()
    invalid = stamped("x", "y", np.eye(4))
    invalid.transform.rotation.w = 0.0
    tree.add([stamped("a", "b", np.eye(4)), stamped("b", "a", np.eye(4)), invalid])
    np.testing.assert_allclose(tree.lookup("a", "b"), np.eye(4))
    assert tree.parent_of("y") == ""
