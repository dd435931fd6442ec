# SPDX-License-Identifier: Apache-2.0
"""The trajectory as ROS wants it: nav_msgs/Odometry, TF and Path, for the robot's base."""

from typing import NamedTuple

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, Quaternion, TransformStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry, Path
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from monodepth_ros.errors import typed_line
from monodepth_ros.geometry.motion import R_BODY_OPTICAL, invert, make_transform
from monodepth_ros.odometry.base_frame import BaseOdometry, express_in_base
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.interop import quaternion_from_rotation
from monodepth_ros.ros.live.frame_worker import FrameWorker
from monodepth_ros.ros.live.outputs import create_output
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.transforms import (
    TF_QOS,
    TopicTransforms,
    TransformError,
    TransformLookup,
    create_transform_lookup,
)

# A path is sent whole each time: often enough to look at, rarely enough to cost nothing.
PATH_PERIOD_NS = 500_000_000


class _Publication(NamedTuple):
    """An estimate on its way out; `trajectory` counts the resets up to it."""

    estimate: OdometryEstimate
    trajectory: int
    header: Header
    config: NodeConfig
    publish_tf: bool


class OdometryOutput:
    """Publishes odom, twist, path and odom_frame -> base_frame; finds the camera's place on the base through TF.

    That may have to be waited for, so it is done on a thread of its own: no depth, and no other camera, waits
    with it. With an empty base_frame the moving frame is the camera's own optical frame, and odom is x
    forward, y left, z up where the camera stood first.
    """

    def __init__(self, node, config: NodeConfig, problems: Problems):
        self._node = node
        self._problems = problems
        self._worker: FrameWorker[str, _Publication] | None = None
        self._submitted_trajectory = self._trajectory = 0
        self._base_frame = config.base_frame
        self._odom_frame = config.odom_frame
        self._odometry = create_output(node, Odometry, "odom")
        self._twist = create_output(node, TwistWithCovarianceStamped, "twist")
        self._path = create_output(node, Path, "path")
        self._tf = node.create_lifecycle_publisher(TFMessage, "/tf", TF_QOS)
        # Without a base nothing is looked up; but a camera that is mounted on something must not get a second
        # parent.
        self._transforms: TransformLookup | TopicTransforms = (
            create_transform_lookup(node) if config.base_frame else TopicTransforms(node, static_only=True)
        )
        self._forget()

    def close(self) -> None:
        """Release publishers and subscriptions."""
        self.stop()
        for publisher in (self._odometry, self._twist, self._path, self._tf):
            self._node.destroy_lifecycle_publisher(publisher)
        self._transforms.close()

    @property
    def transforms(self) -> TransformLookup | TopicTransforms:
        """The transforms that place the camera on the base or, without a base, give its frame's parent."""
        return self._transforms

    def start(self) -> None:
        """Be ready for estimates."""
        self._worker = FrameWorker(self._handle, lambda source, replaced: None, name="odometry")

    def stop(self) -> None:
        """Publish the estimate in work and no more."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _forget(self) -> None:
        """A new trajectory begins: drop the path and the origin."""
        self._T_odom_start: np.ndarray | None = None
        self._poses: list[PoseStamped] = []
        self._path_stamp_ns: int | None = None

    def is_wanted(self, publish_tf: bool) -> bool:
        """Whether somebody listens; a transform to publish counts as demand."""
        listened = (self._odometry, self._twist, self._path)
        return publish_tf or any(publisher.get_subscription_count() > 0 for publisher in listened)

    def submit(self, estimate: OdometryEstimate, header: Header, config: NodeConfig, publish_tf: bool) -> None:
        """Publish an estimate for the image of this header, soon; a newer one replaces one that still waits."""
        self._submitted_trajectory += estimate.has_reset
        if self._worker is not None:
            self._worker.submit(
                "odometry", _Publication(estimate, self._submitted_trajectory, header, config, publish_tf)
            )

    def _handle(self, waiting: dict[str, _Publication]) -> None:
        try:
            self._publish(*waiting["odometry"])
        except TransformError as error:
            self._problems.note("transform", f"odometry: {error}")
        except Exception as error:  # a bug must not end the odometry
            reason = typed_line(error)
            self._problems.note("odometry output", f"odometry not published: {reason}", is_error=True)

    def _publish(
        self,
        estimate: OdometryEstimate,
        trajectory: int,
        header: Header,
        config: NodeConfig,
        publish_tf: bool,
    ) -> None:
        """TransformError where the camera's name or its place on the base is not known (nothing is published
        then), or where the transform would give the camera a second parent (everything else is published).
        """
        if not header.frame_id:
            raise TransformError("the images have no frame_id, so nobody knows what moves: set it in the camera driver")
        if trajectory != self._trajectory:
            self._trajectory = trajectory
            self._forget()
        if self._base_frame:
            T_base_camera = self._transforms.lookup(
                self._base_frame, header.frame_id, estimate.stamp_ns, config.tf_timeout
            )
            T_odom_start = T_base_camera
        else:
            T_base_camera = np.eye(4)
            T_odom_start = make_transform(R_BODY_OPTICAL, np.zeros(3))
        if self._T_odom_start is None:
            self._T_odom_start = T_odom_start
        moving = express_in_base(estimate, self._T_odom_start, T_base_camera)
        frame = self._base_frame or header.frame_id
        message = odometry_message(moving, header.stamp, self._odom_frame, frame)
        self._odometry.publish(message)
        if self._twist.get_subscription_count() > 0:
            header_in_frame = Header(stamp=header.stamp, frame_id=frame)
            self._twist.publish(TwistWithCovarianceStamped(header=header_in_frame, twist=message.twist))
        if estimate.state is not TrackingState.LOST:
            # A held pose is no news: it belongs neither into the tree nor on the path.
            self._extend_path(message, estimate.stamp_ns, config.path_length)
            if publish_tf:
                self._refuse_second_parent(frame, config.invert_odom_tf)
                self._tf.publish(TFMessage(transforms=[_transform(moving, message, config.invert_odom_tf)]))

    def _refuse_second_parent(self, frame: str, inverted: bool) -> None:
        parent = "" if self._base_frame or inverted else self._transforms.parent_of(frame)
        if parent and parent != self._odom_frame:
            raise TransformError(
                f"no TF from {self._odom_frame!r}: {frame!r} has the parent {parent!r} already; set base_frame to the "
                "robot's base (or publish_tf to false)"
            )

    def _extend_path(self, message: Odometry, stamp_ns: int, length: int) -> None:
        self._poses.append(PoseStamped(header=message.header, pose=message.pose.pose))
        del self._poses[: max(0, len(self._poses) - length)]
        due = self._path_stamp_ns is None or stamp_ns - self._path_stamp_ns >= PATH_PERIOD_NS
        if due and self._path.get_subscription_count() > 0:
            self._path.publish(Path(header=message.header, poses=self._poses))
            self._path_stamp_ns = stamp_ns


def odometry_message(moving: BaseOdometry, stamp: Time, odom_frame: str, frame: str) -> Odometry:
    """nav_msgs/Odometry: pose in odom_frame, twist in the moving frame, both with covariance."""
    message = Odometry(header=Header(stamp=stamp, frame_id=odom_frame), child_frame_id=frame)
    position, pose = message.pose.pose.position, moving.T_odom_base
    position.x, position.y, position.z = (float(value) for value in pose[:3, 3])
    message.pose.pose.orientation = _quaternion(pose[:3, :3])
    message.pose.covariance = moving.pose_covariance.reshape(-1)
    linear, angular = message.twist.twist.linear, message.twist.twist.angular
    linear.x, linear.y, linear.z, angular.x, angular.y, angular.z = (float(value) for value in moving.twist)
    message.twist.covariance = moving.twist_covariance.reshape(-1)
    return message


def _transform(moving: BaseOdometry, message: Odometry, inverted: bool) -> TransformStamped:
    pose = invert(moving.T_odom_base) if inverted else moving.T_odom_base
    frames = message.header.frame_id, message.child_frame_id
    parent, child = frames[::-1] if inverted else frames
    result = TransformStamped(header=Header(stamp=message.header.stamp, frame_id=parent), child_frame_id=child)
    translation = result.transform.translation
    translation.x, translation.y, translation.z = (float(value) for value in pose[:3, 3])
    result.transform.rotation = _quaternion(pose[:3, :3])
    return result


def _quaternion(rotation: np.ndarray) -> Quaternion:
    x, y, z, w = (float(value) for value in quaternion_from_rotation(rotation))
    return Quaternion(x=x, y=y, z=z, w=w)
