# SPDX-License-Identifier: Apache-2.0
"""The odometry in ROS: nav_msgs/Odometry, twist, TF and Path of the robot's base."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped, Quaternion, TransformStamped, TwistWithCovarianceStamped
from nav_msgs.msg import Odometry, Path
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from monodepth_ros.errors import typed_line
from monodepth_ros.odometry.base_frame import BaseOdometry, express_in_base
from monodepth_ros.odometry.visual_odometry import OdometryEstimate, TrackingState
from monodepth_ros.pipeline.moving_frame import T_ODOM_START, odometry_transform
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.pipeline.robot_inputs.optical_frame import axes_problem
from monodepth_ros.pipeline.run_config import PATH_PERIOD_NS
from monodepth_ros.ros.interop import quaternion_from_rotation
from monodepth_ros.ros.live.frame_worker import FrameWorker
from monodepth_ros.ros.live.moving_base import MovingBase
from monodepth_ros.ros.live.outputs import create_output
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.transforms import (
    TF_QOS,
    TransformError,
    TransformLookup,
    create_transform_lookup,
)


class _Publication(NamedTuple):
    """An estimate on its way out; `trajectory` counts the resets up to it."""

    estimate: OdometryEstimate
    trajectory: int
    header: Header
    config: NodeConfig
    publish_tf: bool


class OdometryOutput:
    """Publishes odom, twist, path and odom_frame -> base_frame, with the camera's pose on the base from TF.

    TF may have to be waited for, on a thread of this object, so that neither depth nor another camera waits. If the
    moving frame is the camera's own, odom is x forward, y left, z up at its first pose.
    """

    def __init__(self, node, config: NodeConfig, problems: Problems):
        self._node = node
        self._problems = problems
        self._worker: FrameWorker[str, _Publication] | None = None
        self._submitted_trajectory = self._trajectory = 0
        self._odom_frame = config.odom_frame
        self._odometry = create_output(node, Odometry, "odom")
        self._twist = create_output(node, TwistWithCovarianceStamped, "twist")
        self._path = create_output(node, Path, "path")
        self._tf = node.create_lifecycle_publisher(TFMessage, "/tf", TF_QOS)
        # Also without a base: the camera's frame may have a parent.
        self._transforms: TransformLookup = create_transform_lookup(node, problems.note_refused_transform)
        self._base = MovingBase(config, self._transforms.tree, node)
        self._forget()

    def close(self) -> None:
        """Release publishers and subscriptions."""
        self.stop()
        for publisher in (self._odometry, self._twist, self._path, self._tf):
            self._node.destroy_lifecycle_publisher(publisher)
        self._transforms.close()

    @property
    def transforms(self) -> TransformLookup:
        """The transforms that place the camera on the base or, without a base, give its frame's parent."""
        return self._transforms

    @property
    def base_description(self) -> str:
        """The moving frame in plain words; empty before the first image."""
        return self._base.description

    def start(self) -> None:
        """Be ready for estimates."""
        self._worker = FrameWorker(self._handle, lambda source, replaced: None, name="odometry")

    def stop(self) -> None:
        """Finish the estimate being published, and drop later ones."""
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def _forget(self) -> None:
        """Drop the path and the origin: a new trajectory begins."""
        self._T_odom_start: np.ndarray | None = None
        self._poses: list[PoseStamped] = []
        self._path_stamp_ns: int | None = None

    def is_wanted(self, config: NodeConfig, publish_tf: bool) -> bool:
        """Whether there is a subscriber or a transform to publish, or the motion is to be followed all the same."""
        listened = (self._odometry, self._twist, self._path)
        is_on = config.odometry.always_on or publish_tf
        return is_on or any(publisher.get_subscription_count() > 0 for publisher in listened)

    def submit(self, estimate: OdometryEstimate, header: Header, config: NodeConfig, publish_tf: bool) -> None:
        """Publish the estimate at the image of this header soon; a newer estimate replaces one that still waits."""
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
        """Publish one estimate. TransformError, and nothing published, if the camera's frame or its pose on the base is
        unknown. The transform alone is left out while it would give a frame a second parent.
        """
        if not header.frame_id:
            raise TransformError(
                "the images have no frame_id, which names the moving frame: set it in the camera driver"
            )
        if trajectory != self._trajectory:
            self._trajectory = trajectory
            self._forget()
        base, has_changed = self._base.choose(header.frame_id)
        if dispute := self._base.dispute():
            self._problems.note("dispute", dispute, is_lasting=True)
        if has_changed:
            self._forget()
        if base.is_camera:
            T_base_camera, T_odom_start = np.eye(4), T_ODOM_START
        else:
            T_base_camera = T_odom_start = self._transforms.lookup(
                base.frame, base.camera, estimate.stamp_ns, config.tf_timeout
            )
        if axes := axes_problem(base.camera, base.frame, T_base_camera):
            self._problems.note("optical frame", axes)
        if self._T_odom_start is None:
            self._T_odom_start = T_odom_start
        moving = express_in_base(estimate, self._T_odom_start, T_base_camera)
        frame = base.frame
        message = odometry_message(moving, header.stamp, self._odom_frame, frame)
        with self._apart("odom"):
            self._odometry.publish(message)
        if self._twist.get_subscription_count() > 0:
            with self._apart("twist"):
                header_in_frame = Header(stamp=header.stamp, frame_id=frame)
                self._twist.publish(TwistWithCovarianceStamped(header=header_in_frame, twist=message.twist))
        if estimate.state is not TrackingState.LOST:
            # A held pose is not a measurement: it belongs neither in the TF tree nor on the path.
            with self._apart("path"):
                self._extend_path(message, estimate.stamp_ns, config.path_length)
            if publish_tf:
                with self._apart("/tf"):
                    self._publish_tf(moving, message, config)

    @contextmanager
    def _apart(self, topic: str) -> Iterator[None]:
        """Keep an error of one output to it."""
        try:
            yield
        except Exception as error:
            self._problems.note(
                f"output {topic}", f"{topic} not published, the others go on: {typed_line(error)}", is_error=True
            )

    def _publish_tf(self, moving: BaseOdometry, message: Odometry, config: NodeConfig) -> None:
        reason = self._base.reason_against_tf(config)
        if reason:
            self._problems.note("parents", f"odometry: {reason}", is_lasting=True)
        elif reason is not None:
            item = _transform(moving, message, config)
            self._base.note_published(item)
            self._tf.publish(TFMessage(transforms=[item]))

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


def _transform(moving: BaseOdometry, message: Odometry, config: NodeConfig) -> TransformStamped:
    parent, child, pose = odometry_transform(config, message.child_frame_id, moving.T_odom_base)
    result = TransformStamped(header=Header(stamp=message.header.stamp, frame_id=parent), child_frame_id=child)
    translation = result.transform.translation
    translation.x, translation.y, translation.z = (float(value) for value in pose[:3, 3])
    result.transform.rotation = _quaternion(pose[:3, :3])
    return result


def _quaternion(rotation: np.ndarray) -> Quaternion:
    x, y, z, w = (float(value) for value in quaternion_from_rotation(rotation))
    return Quaternion(x=x, y=y, z=z, w=w)
