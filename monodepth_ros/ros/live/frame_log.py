# SPDX-License-Identifier: Apache-2.0
"""The log lines about a camera's view and scale when they change, and about outputs that hold nothing."""

from std_msgs.msg import Header

from monodepth_ros.pipeline.frame import FrameResult
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.pipeline.view_choice import ENOUGH, how_to_see_more
from monodepth_ros.ros.live.depth_watch import DepthWatch
from monodepth_ros.ros.live.problems import Problems


class FrameLog:
    """Log a new view and a new source of the scale once each, and note a cloud that cannot be computed.

    scale_kind: the source of the scale at the start. part: the setting image.view.
    """

    def __init__(self, logger, problems: Problems, scale_kind: int, part: str):
        self._logger = logger
        self._problems = problems
        self._view = ""
        self._scale_kind = scale_kind
        self._part = part
        self._watch = DepthWatch()

    def add(self, result: FrameResult, header: Header, cloud_wanted: bool, config: NodeConfig) -> None:
        """Take over the result of a frame. config: the settings that it was made with."""
        if reason := self._watch.observe(result, config):
            self._problems.note("empty depth", reason)
        if result.has_new_view:
            camera, view = result.view.image_camera, result.view
            text = f"{camera.width}x{camera.height} from {header.frame_id or 'no frame_id'}: {view.summary}"
            if text != self._view:  # a zooming camera changes its calibration with every frame
                self._view = text
                if view.image_coverage >= ENOUGH:
                    self._logger.info(text)
                else:
                    self._logger.warning(f"{text}; {how_to_see_more(self._part)}")
        if result.scale.kind != self._scale_kind and result.scale.is_known:
            self._scale_kind = result.scale.kind
            self._logger.info(f"scale now from {result.scale.description}")
        if cloud_wanted and not result.view.is_calibrated:
            self._problems.note(
                "cloud",
                "no cloud: the camera is not calibrated (K[0] is 0); publish its camera_info or set calibration_file",
            )
