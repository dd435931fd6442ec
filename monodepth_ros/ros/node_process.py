# SPDX-License-Identifier: Apache-2.0
"""The process of the depth node: start, executor thread, and an end within a second."""

import os
import sys
import threading

import rclpy
from rclpy.executors import ExternalShutdownException, ShutdownException, SingleThreadedExecutor
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions

from monodepth_ros.errors import one_line, typed_line
from monodepth_ros.ros.end_request import EndRequest
from monodepth_ros.ros.live.lifecycle_node import DepthNode
from monodepth_ros.ros.log_folder import with_usable_log
from monodepth_ros.ros.node_log import node_log
from monodepth_ros.ros.parameters.parameter_files import check_parameter_files

# A node that is still running this long after the request to end [s] is killed.
GRACE = 1.0


def run_node(end: EndRequest) -> int:
    """Run a DepthNode until `end` is set; exit code 1 if it could not start (with the reason in the log), else 0."""
    try:
        check_parameter_files(sys.argv)
        rclpy.init(args=with_usable_log(sys.argv), signal_handler_options=SignalHandlerOptions.NO)
        node = DepthNode()
    except Exception as error:  # ours name the parameter; rclpy's are about names, files and arguments
        print(f"depth_node: {one_line(error)}", file=sys.stderr)
        rclpy.try_shutdown()
        return 1
    failed = threading.Event()

    def fail() -> None:
        failed.set()
        end.set()

    def start() -> None:
        """Configure and activate, on the executor's thread like every other transition."""
        for transition in (node.trigger_configure, node.trigger_activate):
            if end.is_set():
                return
            if transition() != TransitionCallbackReturn.SUCCESS:
                fail()
                return

    def spin() -> None:
        while not end.is_set():
            try:
                executor.spin_once()
            except (ExternalShutdownException, ShutdownException):
                if not end.is_set():
                    fail()
                return
            except Exception as error:
                # rclpy raises here for a service request that it does not understand; the images must go on.
                if not end.is_set():
                    node_log(node).error(f"a callback failed: {typed_line(error)}", cause="callback")
                    end.wait(0.1)

    executor = SingleThreadedExecutor()
    executor.add_node(node)
    if node.config.autostart:
        executor.create_task(start)
    spinning = threading.Thread(target=spin, name="executor", daemon=True)
    spinning.start()
    end.wait()
    exit_code = int(failed.is_set())
    # Loading a network and an inference in C++ cannot be interrupted; nothing is lost by not waiting for them.
    watchdog = threading.Timer(GRACE, os._exit, args=(exit_code,))
    watchdog.daemon = True
    watchdog.start()
    executor.shutdown(timeout_sec=GRACE)
    spinning.join(GRACE)
    node.end()
    node.destroy_node()
    rclpy.try_shutdown()
    return exit_code
