# SPDX-License-Identifier: Apache-2.0
"""The executable `depth_node`: one process, one node, an orderly end."""

# Nothing heavy is imported up here, so that the signal handlers stand before the seconds that torch and rclpy take.
import os
import signal
import sys
import threading

from monodepth_ros.errors import one_line, typed_line

# A node that has not ended this long [s] after it was asked to is ended.
GRACE = 1.0
# What is written to the pipe that ends the process if it cannot start; signals write their numbers.
FAILED = b"\0"


def main() -> int:
    """Run the node until SIGINT or SIGTERM (exit code 0); 1 if it cannot start, with the reason in the log."""
    imported = threading.Event()

    def on_signal(number, frame) -> None:
        if not imported.is_set():  # there is nothing yet that should end in order
            os._exit(0)

    # Of several signals in a row the kernel hands some or all to other threads, which does not wake a main thread that
    # waits for a lock, and a handler that sets an Event may interrupt itself while it holds the Event's lock. A pipe
    # written to by Python's own C handler knows neither trouble.
    ending, asking = os.pipe()
    os.set_blocking(asking, False)
    signal.set_wakeup_fd(asking, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    exit_code = _run(imported, ending, asking)
    sys.stdout.flush()
    sys.stderr.flush()
    # Past this point only libraries' destructors run, which may wait for each other when a thread is still in use.
    os._exit(exit_code)


def _run(imported: threading.Event, ending: int, asking: int) -> int:
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.lifecycle import TransitionCallbackReturn
    from rclpy.signals import SignalHandlerOptions

    from monodepth_ros.ros.live.lifecycle_node import DepthNode

    imported.set()
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        node = DepthNode()
    except Exception as error:  # ours name the parameter; rclpy's are about names, files and arguments
        print(f"depth_node: {one_line(error)}", file=sys.stderr)
        rclpy.try_shutdown()
        return 1
    stop = threading.Event()

    def start() -> None:
        """Configure and activate, on the executor's thread like every other transition."""
        for transition in (node.trigger_configure, node.trigger_activate):
            if stop.is_set():
                return
            if transition() != TransitionCallbackReturn.SUCCESS:
                os.write(asking, FAILED)
                return

    executor = SingleThreadedExecutor()
    executor.add_node(node)
    if node.config.autostart:
        executor.create_task(start)
    arguments = executor, node.get_logger(), stop, asking
    spinning = threading.Thread(target=_spin, args=arguments, name="executor", daemon=True)
    spinning.start()
    exit_code = 1 if os.read(ending, 1) == FAILED else 0
    stop.set()
    # Loading a network or an inference in C++ cannot be interrupted; there is nothing to lose by not waiting for it.
    watchdog = threading.Timer(GRACE, os._exit, args=(exit_code,))
    watchdog.daemon = True
    watchdog.start()
    executor.shutdown(timeout_sec=GRACE)
    spinning.join(GRACE)
    node.end()
    node.destroy_node()
    rclpy.try_shutdown()
    return exit_code


def _spin(executor, logger, stop: threading.Event, asking: int) -> None:
    from rclpy.executors import ExternalShutdownException, ShutdownException

    while not stop.is_set():
        try:
            executor.spin_once()
        except (ExternalShutdownException, ShutdownException):
            os.write(asking, FAILED)
            return
        except Exception as error:
            # rclpy lets a request that it does not understand raise here; that must not end the stream of images.
            if not stop.is_set():
                logger.error(f"a callback failed: {typed_line(error)}")
                stop.wait(0.1)


if __name__ == "__main__":
    main()
