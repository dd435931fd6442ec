# SPDX-License-Identifier: Apache-2.0
"""The managed node over DDS: the resources of its states, and failures."""

import gc
import pickle
import threading
from pathlib import Path

import pytest
import torch
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetAvailableTransitions, GetState
from rclpy.lifecycle import LifecyclePublisher
from rclpy.parameter import Parameter
from rclpy.qos import ReliabilityPolicy
from rclpy.subscription import Subscription

from monodepth_ros.inference.engine import Engine
from monodepth_ros.ros.live.camera_stream import CameraStream
from monodepth_ros.ros.live.frame_worker import FrameWorker
from monodepth_ros.ros.live.inputs.camera_input import CameraInput

SECOND = 1_000_000_000


class Manager:
    """A lifecycle manager: a client of the node's lifecycle services."""

    def __init__(self, harness):
        self._harness = harness
        self._clients = {}

    def _ask(self, service_type, name, request, timeout=60.0):
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self._harness.client.create_client(service_type, f"/depth_node/{name}")
            assert client.wait_for_service(20.0)
        future = client.call_async(request)
        self._harness.wait(future.done, timeout, f"no answer from {name}")
        return future.result()

    def request(self, transition_id=0, label=""):
        return self._ask(
            ChangeState, "change_state", ChangeState.Request(transition=Transition(id=transition_id, label=label))
        ).success

    def state(self):
        return self._ask(GetState, "get_state", GetState.Request()).current_state.label

    def possible(self):
        answer = self._ask(GetAvailableTransitions, "get_available_transitions", GetAvailableTransitions.Request())
        return {item.transition.label for item in answer.available_transitions}

    def configure(self):
        return self.request(Transition.TRANSITION_CONFIGURE)

    def activate(self):
        return self.request(Transition.TRANSITION_ACTIVATE)

    def deactivate(self):
        return self.request(Transition.TRANSITION_DEACTIVATE)

    def cleanup(self):
        return self.request(Transition.TRANSITION_CLEANUP)

    def shut_down(self):
        return self.request(Transition.TRANSITION_ACTIVE_SHUTDOWN)


def subscriptions(node):
    """Number of subscriptions to the node's inputs, as the client sees them."""
    return node.client.count_subscribers("/image") + node.client.count_subscribers("/camera_info")


def outputs(node):
    return sum(node.client.count_publishers(topic) for topic in ("/depth/image", "/depth/points", "/odom", "/tf"))


def errors_in(captured):
    """The error lines of the log, and the lines that do not come from the log."""
    lines = captured.err.splitlines()
    return [line for line in lines if "[ERROR]" in line], [line for line in lines if not line.startswith("[")]


def test_each_state_allocates_and_releases_its_resources(harness, pose_checkpoint):
    node = harness(pose_checkpoint, start=False)
    manager = Manager(node)
    assert manager.state() == "unconfigured" and manager.possible() == {"configure", "shutdown"}
    assert (subscriptions(node), outputs(node), node.engine) == (0, 0, None)
    for first in (1, 100):  # a node that was cleaned up can do it all again
        assert manager.configure() and manager.state() == "inactive"
        node.wait(lambda: outputs(node) == 4)
        assert subscriptions(node) == 0
        for second in (first, first + 10):
            assert manager.activate() and manager.state() == "active"
            node.wait_connected()
            node.send_info()
            node.exchange(second * SECOND)
            assert manager.deactivate() and manager.state() == "inactive"
            node.wait(lambda: subscriptions(node) == 0 and node.images.get_subscription_count() == 0)
            assert outputs(node) == 4
        assert manager.cleanup() and manager.state() == "unconfigured"
        node.wait(lambda: outputs(node) == 0)
        assert node.engine is None and node.stream is None
    assert manager.configure() and manager.activate()
    assert manager.shut_down() and manager.state() == "finalized"
    node.wait(lambda: outputs(node) + subscriptions(node) == 0)
    assert node.engine is None


def test_an_impossible_transition_is_refused_and_the_node_lives(harness, depth_checkpoint):
    node = harness(depth_checkpoint)
    manager = Manager(node)
    assert not manager.request(Transition.TRANSITION_CONFIGURE)
    assert not manager.request(Transition.TRANSITION_CLEANUP)
    assert not manager.request(250)
    assert not manager.request(label="fly")
    assert manager.state() == "active"
    node.send_info()
    node.exchange(SECOND)


@pytest.mark.parametrize(
    ("cameras", "engine"), [([], "auto"), (["front", "left", "right"], "pytorch")], ids=["one camera", "three cameras"]
)
def test_fifty_cycles_leak_nothing(harness, pose_checkpoint, cameras, engine):
    topics = ("image", "camera_info", "depth/image") if cameras else ()
    remap = [word for topic in topics for word in ("-r", f"front/{topic}:={topic}")]
    listen = ("depth/image", "odom")
    node = harness(pose_checkpoint, remap, start=False, listen=listen, cameras=cameras, engine=engine)
    torch.set_num_threads(1)
    manager = Manager(node)

    def census():
        gc.collect()
        objects = gc.get_objects()
        kinds = (Engine, CameraStream, CameraInput, FrameWorker, LifecyclePublisher, Subscription)
        found = {kind.__name__: sum(issubclass(type(item), kind) for item in objects) for kind in kinds}
        own = node.node
        entities = (own.publishers, own.subscriptions, own.services, own.timers, own.waitables)
        found["entities"] = sum(len(list(items)) for items in entities)
        found["python threads"] = threading.active_count()
        found["system threads"] = len(list(Path("/proc/self/task").iterdir()))
        return found

    def resident_megabytes():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

    unused = census()
    for cycle in range(50):
        assert manager.configure() and manager.activate(), f"cycle {cycle}"
        if cycle % 10 == 0:
            node.wait_connected(("depth/image",))
            node.send_info()
            node.exchange((1 + cycle) * SECOND)
        assert manager.deactivate() and manager.cleanup(), f"cycle {cycle}"
        if cycle == 10:
            before, memory = census(), resident_megabytes()
    after, growth = census(), resident_megabytes() - memory
    assert after == before, f"after 10 cycles {before}, after 50 {after}"
    made = ("Engine", "CameraStream", "CameraInput", "FrameWorker", "LifecyclePublisher")
    leaked = [kind for kind in made if after[kind] != unused[kind]]
    assert not leaked, f"{leaked}: at first {unused}, after 50 cycles {after}"
    assert growth < 60.0, f"40 cycles took {growth:.0f} MB"  # one leaked network is 10 MB


def test_qos_overrides_hold_after_every_cleanup(harness, depth_checkpoint):
    overrides = [
        *("-p", "qos_overrides./image.subscription.reliability:=reliable"),
        *("-p", "qos_overrides./depth/image.publisher.reliability:=best_effort"),
    ]
    node = harness(depth_checkpoint, overrides, start=False)
    manager = Manager(node)
    for _ in range(3):
        assert manager.configure() and manager.activate()
        node.wait(lambda: node.client.get_subscriptions_info_by_topic("/image"))
        node.wait(lambda: node.client.get_publishers_info_by_topic("/depth/image"))
        reliability = [
            node.client.get_subscriptions_info_by_topic("/image")[0].qos_profile.reliability,
            node.client.get_publishers_info_by_topic("/depth/image")[0].qos_profile.reliability,
            node.client.get_publishers_info_by_topic("/depth/points")[0].qos_profile.reliability,
        ]
        assert reliability == [ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE]
        assert manager.deactivate() and manager.cleanup()
        node.wait(lambda: subscriptions(node) + outputs(node) == 0)


def test_an_invalid_qos_override_fails_with_one_line_and_releases_everything(harness, depth_checkpoint, capfd):
    bad_input, bad_output = (
        ["-p", f"qos_overrides./{name}:=nonsense"]
        for name in ("camera_info.subscription.reliability", "depth/points.publisher.history")
    )
    node = harness(depth_checkpoint, bad_input, start=False)
    manager = Manager(node)
    assert manager.configure()
    capfd.readouterr()
    assert not manager.activate() and manager.state() == "inactive"
    errors, others = errors_in(capfd.readouterr())
    assert len(errors) == 1 and not others, (errors, others)
    assert "not activated" in errors[0] and "nonsense" in errors[0], errors
    node.wait(lambda: subscriptions(node) == 0)
    assert manager.cleanup()

    node = harness(depth_checkpoint, bad_output, start=False)
    assert node.node.trigger_configure().name == "FAILURE"
    errors, others = errors_in(capfd.readouterr())
    assert len(errors) == 1 and not others, (errors, others)
    assert "not configured" in errors[0] and "nonsense" in errors[0], errors
    node.wait(lambda: outputs(node) == 0)
    assert not [p for p in node.node.publishers if isinstance(p, LifecyclePublisher)]


class Execute:
    """An object whose pickle writes a file when it is loaded."""

    def __init__(self, path):
        self._path = str(path)

    def __reduce__(self):
        return (open, (self._path, "w"))


def bad_inputs(folder, checkpoint):
    """Parameters that make the configuration fail, and a word that the log must contain."""
    whole = checkpoint.read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "head.safetensors").write_bytes(whole[:100])
    (folder / "empty.safetensors").write_bytes(b"")
    (folder / "text.safetensors").write_text("these are not weights\n" * 100)
    (folder / "folder").mkdir()
    (folder / "hostile").mkdir()
    for name in ("encoder.pth", "depth.pth"):
        (folder / "hostile" / name).write_bytes(pickle.dumps({"weights": Execute(folder / "executed")}))
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(3)}, folder / "foreign.safetensors")
    (folder / "broken.yaml").write_text("image_width: [640\ncamera_matrix")
    (folder / "list.yaml").write_text("- 1\n- 2\n")
    (folder / "binary.yaml").write_bytes(bytes(range(256)))
    (folder / "partial.yaml").write_text("image_width: 640\nimage_height: 480\n")
    for name in ("cut", "head", "empty", "text", "foreign"):
        yield {"checkpoint": str(folder / f"{name}.safetensors")}, f"{name}.safetensors"
    yield {"checkpoint": str(folder / "absent.safetensors")}, "absent.safetensors"
    yield {"checkpoint": str(folder / "folder")}, "folder"
    yield {"checkpoint": str(folder / "hostile")}, "hostile"
    for device in ("cuda:99", "npu", ""):
        yield {"device": device}, f"device '{device}'"
    yield {"precision": "fp16", "device": "cpu"}, "fp16"
    for name in ("absent", "broken", "list", "binary", "partial"):
        yield {"calibration_file": str(folder / f"{name}.yaml")}, f"{name}.yaml"
    yield {"calibration_file": str(folder)}, str(folder)


def test_a_failed_configuration_logs_one_line_and_can_be_corrected(harness, depth_checkpoint, tmp_path, capfd):
    node = harness(depth_checkpoint, start=False)
    manager = Manager(node)
    good = {name: node.node.get_parameter(name) for name in ("checkpoint", "device", "precision", "calibration_file")}
    threads = threading.active_count()
    manager.state()
    capfd.readouterr()
    for given, named in bad_inputs(tmp_path, Path(depth_checkpoint)):
        assert node.node.set_parameters_atomically([Parameter(k, value=v) for k, v in given.items()]).successful
        assert not manager.configure(), given
        assert manager.state() == "unconfigured"
        errors, others = errors_in(capfd.readouterr())
        assert len(errors) == 1 and not others, f"{given}: {errors} {others}"
        assert "not configured" in errors[0] and named in errors[0], errors[0]
        assert node.engine is None and node.stream is None
        assert not [p for p in node.node.publishers if isinstance(p, LifecyclePublisher)]
        assert node.node.set_parameters_atomically(list(good.values())).successful
    assert not (tmp_path / "executed").exists(), "code in a weights file was executed"
    assert threading.active_count() == threads
    assert manager.configure() and manager.activate()
    node.wait_connected()
    node.send_info()
    node.exchange(SECOND)


def test_services_exist_while_configured(harness, depth_checkpoint):
    node = harness(depth_checkpoint, start=False)
    manager = Manager(node)
    services = ("/depth_node/enable", "/depth_node/reset_odometry")

    def offered():
        return [name for name, _ in node.client.get_service_names_and_types() if name in services]

    for _ in range(2):
        assert manager.configure()
        node.wait(lambda: len(offered()) == 2)
        assert manager.cleanup()
        node.wait(lambda: not offered())


def test_without_a_checkpoint_the_bundled_one_runs_with_one_warning(harness, capfd):
    node = harness("", listen=("depth/image", "depth/status", "/diagnostics"))
    (warning,) = [line for line in capfd.readouterr().err.splitlines() if "[WARN]" in line]
    assert "no checkpoint given" in warning and "demonstration" in warning, warning
    node.send_info()
    status = node.exchange(SECOND, topic="depth/status")
    assert status.checkpoint == "demonstration" and status.scale_source == status.SCALE_CHECKPOINT
    node.wait(
        lambda: any("learned from synthetic streets" in str(m.status[-1].values) for m in node.received["/diagnostics"])
    )
