"""`DepthNode`: a managed (lifecycle) node from one camera's images to depth, cloud and odometry."""

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import SetBool, Trigger

from monodepth_ros.errors import MonodepthError
from monodepth_ros.inference.engine import Engine, create_engine
from monodepth_ros.networks.checkpoint import CheckpointHeader, load_checkpoint
from monodepth_ros.odometry.scale.choice import choose_scale
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.settings import ConfigError
from monodepth_ros.ros.camera_stream import CameraStream
from monodepth_ros.ros.diagnostics import Health
from monodepth_ros.ros.node_config import NodeConfig
from monodepth_ros.ros.parameters import NodeParameters

DIAGNOSTICS_PERIOD = 1.0  # seconds


class DepthNode(LifecycleNode):
    """configure loads the checkpoint and warms up, activate subscribes, deactivate releases, cleanup frees the device."""

    def __init__(self, **arguments):
        super().__init__("depth_node", **arguments)
        self._engine: Engine | None = None
        self._header: CheckpointHeader | None = None
        self._stream: CameraStream | None = None
        self._offered: list = []
        self._settings = NodeParameters(
            self, can_restructure=lambda: self._stream is None, check=self._check, apply=self._apply
        )
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self.create_timer(DIAGNOSTICS_PERIOD, self._report)

    @property
    def config(self) -> NodeConfig:
        """The settings in force."""
        return self._settings.config

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and warm up; on bad input one line in the log, a clean state and FAILURE."""
        config = self.config
        try:
            if not config.checkpoint:
                raise ConfigError("no checkpoint: set the parameter checkpoint to a .safetensors file or a weights folder")
            checkpoint = load_checkpoint(config.checkpoint)
            self._header = checkpoint.header
            self._engine = create_engine(checkpoint, config.device, config.precision)
            pipeline = FramePipeline(self._engine, self._header, config)
            self._engine.warm_up()
            self._stream = CameraStream(self, config, pipeline, (self._engine.name, self._engine.device))
        except MonodepthError as error:
            return self._fail(str(error))
        except Exception as error:
            return self._fail(f"{type(error).__name__}: {' '.join(str(error).split())}")
        self._offered = [
            self.create_service(Trigger, "~/reset_odometry", self._reset_odometry),
            self.create_service(SetBool, "~/enable", self._enable),
        ]
        self.get_logger().info(f"{config.checkpoint}: {self._header.summary()}")
        self.get_logger().info(f"{self._engine.name} on {self._engine.device}; {pipeline.scale.description}")
        if not pipeline.has_odometry:
            why = "odometry.enabled is false" if self._header.pose_network else "the checkpoint has no pose network"
            self.get_logger().info(f"odometry disabled: {why}")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe."""
        result = super().on_activate(state)  # publishers first: a frame may come at once
        self._stream.activate()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the subscriptions."""
        self._stream.deactivate()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything that configure made."""
        self._release()
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The same from any state."""
        self._release()
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition raised: back to a clean, unconfigured state."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    def end(self) -> None:
        """Free everything, whatever the state: the process ends."""
        self._release()

    def _fail(self, reason: str) -> TransitionCallbackReturn:
        self.get_logger().error(f"not configured: {reason}")
        self._release()
        return TransitionCallbackReturn.FAILURE

    def _release(self) -> None:
        for service in self._offered:
            self.destroy_service(service)
        self._offered = []
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._engine is not None:
            self._engine.release()
            self._engine = None
        self._header = None

    def _check(self, config: NodeConfig) -> None:
        """Refuse settings that this checkpoint cannot serve."""
        if self._header is not None:
            choose_scale(config.scale.source, config.scale.factor, self._header)

    def _apply(self, config: NodeConfig) -> None:
        if self._stream is not None:
            self._stream.configure(config)

    def _reset_odometry(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._stream.reset_odometry()
        response.success, response.message = True, "a new trajectory begins with the next frame"
        return response

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        result = self.set_parameters([Parameter("enabled", value=request.data)])[0]
        response.success = result.successful
        response.message = result.reason or ("processing" if request.data else "not processing")
        return response

    def _report(self) -> None:
        health = Health(name=f"{self.get_fully_qualified_name().lstrip('/')}: camera", hardware=self.config.device)
        if self._stream is None:
            health.warn("not configured")
        else:
            health.hardware = self._engine.device
            health.values["engine"] = f"{self._engine.name} on {self._engine.device}"
            health.values["checkpoint"] = self.config.checkpoint
            self._stream.report(health)
        self._diagnostics.publish(health.message(self.get_clock().now()))
