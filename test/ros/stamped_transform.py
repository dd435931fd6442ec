# SPDX-License-Identifier: Apache-2.0
"""Transforms as ROS messages."""

from geometry_msgs.msg import TransformStamped

from monodepth_ros.ros.interop import quaternion_from_rotation

SECOND = 1_000_000_000


def stamped(parent, child, T, stamp_ns=0):
    """geometry_msgs/TransformStamped of T_parent_child (4, 4)."""
    item = TransformStamped(child_frame_id=child)
    item.header.frame_id = parent
    item.header.stamp.sec, item.header.stamp.nanosec = divmod(stamp_ns, SECOND)
    t, r = item.transform.translation, item.transform.rotation
    t.x, t.y, t.z = (float(v) for v in T[:3, 3])
    r.x, r.y, r.z, r.w = (float(v) for v in quaternion_from_rotation(T[:3, :3]))
    return item
