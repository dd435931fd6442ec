# SPDX-License-Identifier: Apache-2.0
"""A process that opens a recording once: `python3 -m bench.opening_worker package|library PATH`.

It prints the time [s] and the memory [bytes] that opening has taken beyond the imports.
"""

import json
import re
import sys
import time
from pathlib import Path

from mcap.reader import make_reader

from monodepth_ros.data.sources.open_source import open_source


def by_library(path: str) -> object:
    """The mcap library's summary."""
    with open(path, "rb") as file:
        return make_reader(file).get_summary()


def by_package(path: str) -> object:
    """The source that every verb begins with: topics, the camera and its calibration, the reference."""
    return open_source(path)


def memory(field: str) -> int:
    """VmRSS or VmHWM (its peak) of this process [bytes]."""
    return 1024 * int(re.search(rf"{field}:\s*(\d+)", Path("/proc/self/status").read_text())[1])


def main(kind: str, path: str) -> int:
    """Open and measure."""
    action = {"package": by_package, "library": by_library}[kind]
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    started = time.perf_counter()
    opened = action(path)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "bytes": memory("VmHWM") - before}))
    del opened
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
