# SPDX-License-Identifier: Apache-2.0
"""`DepthNode`: a managed (lifecycle) node that turns cameras' images into depth, clouds and odometry."""

import sys

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.inference.engine import Engine
from monodepth_ros.pipeline.node_config import NodeConfig
from monodepth_ros.ros.live.camera_rig import CameraRig
from monodepth_ros.ros.live.camera_stream import CameraStream
from monodepth_ros.ros.live.diagnostics import Health
from monodepth_ros.ros.live.freed_memory import return_freed_memory
from monodepth_ros.ros.live.given_topics import notes_on_qos_overrides, notes_on_remappings
from monodepth_ros.ros.live.namesakes import Namesakes
from monodepth_ros.ros.live.problems import Problems
from monodepth_ros.ros.node_log import node_log
from monodepth_ros.ros.parameters.node_parameters import NodeParameters
from monodepth_ros.ros.parameters.parameter_files import notes_on_parameter_files
from monodepth_ros.ros.transitions import refuse_impossible_transitions
from monodepth_ros.settings.schema import ConfigError

DIAGNOSTICS_PERIOD = 1.0  # seconds


class DepthNode(LifecycleNode):
    """configure loads and warms up, activate subscribes, deactivate unsubscribes, cleanup frees the device."""

    def __init__(self, **arguments):
        super().__init__("depth_node", **arguments)
        refuse_impossible_transitions(self)
        self._rig: CameraRig | None = None
        self._services_offered: list = []
        try:
            self._settings = NodeParameters(
                self, can_restructure=lambda: self._rig is None, check=self._check, apply=self._apply
            )
            given = [*sys.argv, *(arguments.get("cli_args") or ())]
            name, config = self.get_fully_qualified_name(), self.config
            misspelt, others = notes_on_remappings(given, self, config)
            self._notes = [
                *self._settings.notes,
                *notes_on_parameter_files(given, name, self._settings.names),
                *misspelt,
                *notes_on_qos_overrides(self._settings.qos_overrides, self, config),
            ]
        except ConfigError:
            self.destroy_node()
            raise
        for note in [*self._notes, *([others] if others else [])]:
            node_log(self).warning(note)
        self._namesakes = Namesakes(self)
        self._problems = Problems(node_log(self))
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # On the steady clock: diagnostics must also come with use_sim_time and no /clock.
        self.create_timer(DIAGNOSTICS_PERIOD, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def config(self) -> NodeConfig:
        """The settings in force."""
        return self._settings.config

    @property
    def config_by_camera(self) -> dict[str, NodeConfig]:
        """The settings in force for each camera, by its name; for "" if `cameras` is empty."""
        return self._settings.by_camera()

    @property
    def engine(self) -> Engine | None:
        """The engine that runs the networks; None unless configured."""
        return self._rig.engine if self._rig is not None else None

    @property
    def streams(self) -> tuple[CameraStream, ...]:
        """The cameras' streams; none unless configured."""
        return tuple(self._rig.streams) if self._rig is not None else ()

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Set each parameter by itself, as the base class does."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set all parameters or none; accept a whole number for a double."""
        try:
            parameter_list = self._settings.fitted(parameter_list)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        result = super().set_parameters_atomically(parameter_list)
        self._settings.follow_cameras()
        return result

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up; for bad input log one line, release everything and return FAILURE."""
        try:
            self._rig = CameraRig(self, self.config, self._settings.by_camera())
        except Exception as error:
            self._release()
            return self._fail("configured", error)
        self._services_offered = [
            self.create_service(Trigger, "~/reset_odometry", self._reset_odometry),
            self.create_service(SetBool, "~/enable", self._enable),
        ]
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe; on an error log one line, stay inactive and return FAILURE."""
        result = super().on_activate(state)  # publishers first: a frame may come at once
        try:
            self._rig.activate()
        except Exception as error:
            self._rig.deactivate()
            super().on_deactivate(state)
            return self._fail("activated", error)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the subscriptions."""
        self._rig.deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything that configure made."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release everything, from any state."""
        self._release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to a clean unconfigured state after a transition that raised."""
        node_log(self).error("a transition failed: everything is released, configure again")
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def end(self) -> None:
        """Release everything, from any state, before the process ends."""
        self._release()

    def destroy_node(self) -> None:
        """Leave the ROS graph at once; rclpy's state machine would keep the node in it until garbage collection."""
        super().destroy_node()
        self._state_machine = None

    def _fail(self, what: str, error: Exception) -> TransitionCallbackReturn:
        kind = "" if isinstance(error, MonodepthError) else f"{type(error).__name__}: "
        node_log(self).error(f"not {what}: {kind}{one_line(error)}")
        return TransitionCallbackReturn.FAILURE

    def _release(self) -> None:
        for service in self._services_offered:
            self.destroy_service(service)
        self._services_offered = []
        if self._rig is not None:
            self._rig.close()
            self._rig = None
            return_freed_memory()
        # Publishers of a configuration that failed half-way.
        for publisher in [p for p in self.publishers if isinstance(p, LifecyclePublisher)]:
            self.destroy_lifecycle_publisher(publisher)

    def _check(self, config: NodeConfig) -> None:
        """Raise a MonodepthError for settings that the checkpoint does not support."""
        if self._rig is not None:
            self._rig.check(config)

    def _apply(self) -> None:
        if self._rig is not None:
            self._rig.configure(self._settings.by_camera())

    def _reset_odometry(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._rig.reset_odometry()
        response.success, response.message = True, "a new trajectory begins with the next frame"
        return response

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        result = self.set_parameters([Parameter("enabled", value=request.data)])[0]
        response.success = result.successful
        response.message = result.reason or ("processing" if request.data else "not processing")
        return response

    def _report(self) -> None:
        if self._rig is None:
            findings = [Health("networks", self.config.device)]
            findings[0].warn("not configured")
        else:
            findings = self._rig.report()
        if problem := self._namesakes.problem():
            self._problems.note("namesakes", problem, is_lasting=True)
        for line in [*(found.message for found in self._problems.current()), *self._notes]:
            findings[-1].warn(line)
        name = self.get_fully_qualified_name().lstrip("/")
        message = DiagnosticArray(status=[health.status(name) for health in findings])
        message.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(message)
