# SPDX-License-Identifier: Apache-2.0
"""The executable `depth_node`."""

import os
import sys

from monodepth_ros.ros.end_request import EndRequest


def main() -> int:
    """Run the node until SIGINT or SIGTERM (exit code 0); 1 if it cannot start, with the reason in the log."""
    end = EndRequest()
    # Imports torch and rclpy, which takes seconds: signals must be handled before.
    from monodepth_ros.ros.node_process import run_node  # noqa: PLC0415

    end.begin()
    exit_code = run_node(end)
    sys.stdout.flush()
    sys.stderr.flush()
    # Past this point only libraries' destructors run, which may wait for each other while a thread is still in use.
    os._exit(exit_code)


if __name__ == "__main__":
    main()
