# SPDX-License-Identifier: Apache-2.0
"""Processor, memory, limits and devices of this machine, from what Linux says about itself."""

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from monodepth_ros.doctor.check import Check, Level

FAST_ARITHMETIC = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx512f", "avx_vnni", "avx2", "asimd", "bf16")
ENOUGH_MEMORY = 1 << 30  # what the node takes with the bundled checkpoint and every output [bytes]
FEWEST_FILES = 1024
NO_LIMIT = 1 << 60  # control groups of the first version state "no limit" as a number of this size


def machine_checks() -> Iterator[Check]:
    """Checks of the operating system, CPU, memory, limits and clock."""
    yield Check("system", Level.OK, f"{_distribution()}, Linux {platform.release()}, {platform.machine()}")
    version = platform.python_version()
    old = sys.version_info < (3, 10)
    yield Check("python", Level.ERROR if old else Level.OK, f"{version} at {sys.executable}", "use 3.10 or later" * old)
    yield from _cpu()
    yield from _memory()
    yield from _limits()
    if time.time() < 1_700_000_000:  # November 2023: older than this package
        now = time.strftime("%Y-%m-%d")
        yield Check("clock", Level.WARNING, f"it is said to be {now}", "set the clock: stamps and downloads need it")


def _distribution() -> str:
    with suppress(OSError):
        return platform.freedesktop_os_release().get("PRETTY_NAME", "unknown distribution")
    return "unknown distribution"


def _cpu() -> Iterator[Check]:
    facts = _file("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")]
    flags = next((line for line in facts.splitlines() if line.lower().startswith(("flags", "features"))), "").split()
    fast = [name for name in FAST_ARITHMETIC if name in flags]
    found = f"{names[0] if names else platform.machine()}, {usable_cores():g} of {os.cpu_count()} cores usable"
    found += f", {' '.join(fast)}" if fast else ""
    remedy = "give this container or service more cores" if usable_cores() < 2 else ""
    yield Check("cpu", Level.WARNING if remedy else Level.OK, found, remedy)
    load = os.getloadavg()[0]
    if load > 2 * usable_cores():
        yield Check("load", Level.WARNING, f"{load:.1f} processes wait for the cores", "rates measured now are too low")
    governor = _file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip()
    if governor == "powersave":
        remedy = "for steady latency: sudo cpupower frequency-set -g performance"
        yield Check("cpu governor", Level.NOTE, governor, remedy)
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads is not None:
        yield Check("OMP_NUM_THREADS", Level.NOTE, f"set to {threads}", "PyTorch and OpenCV use that many threads")


def usable_cores() -> float:
    """Number of cores that this process may use, by its affinity and its control group."""
    cores = float(len(os.sched_getaffinity(0)))
    quota = _file("/sys/fs/cgroup/cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit() and int(quota[1]) > 0:
        cores = min(cores, int(quota[0]) / int(quota[1]))
    return cores


def _memory() -> Iterator[Check]:
    kilobytes = {}
    for line in _file("/proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        kilobytes[name] = int(value.split()[0]) if value.split()[:1] and value.split()[0].isdigit() else 0
    total, free = 1024 * kilobytes.get("MemTotal", 0), 1024 * kilobytes.get("MemAvailable", 0)
    limit = _file("/sys/fs/cgroup/memory.max").strip() or _file("/sys/fs/cgroup/memory/memory.limit_in_bytes").strip()
    found = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    if limit.isdigit() and int(limit) < min(total or NO_LIMIT, NO_LIMIT):
        free = min(free, int(limit))
        found += f", limited to {int(limit) / 1e9:.1f} GB by the control group"
    little = free < ENOUGH_MEMORY
    remedy = "the node needs about 1 GB with all outputs: end other programs, or raise the limit" if little else ""
    yield Check("memory", Level.WARNING if little else Level.OK, found, remedy)


def _limits() -> Iterator[Check]:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files < FEWEST_FILES:
        remedy = f"ulimit -n {FEWEST_FILES}: a recording in many files, and DDS, need more"
        yield Check("open files", Level.WARNING, f"at most {files}", remedy)
    address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
    if address_space != resource.RLIM_INFINITY:
        found = f"limited to {address_space / 1e9:.1f} GB"
        yield Check("address space", Level.NOTE, found, "ulimit -v unlimited, if a library cannot allocate")
    cameras = sorted(Path("/dev").glob("video*"))
    closed = [str(path) for path in cameras if not os.access(path, os.R_OK | os.W_OK)]
    if closed:
        remedy = "sudo usermod -aG video $USER, then log in again"
        yield Check("cameras", Level.WARNING, f"no permission for {', '.join(closed)}", remedy)
    elif cameras:
        yield Check("cameras", Level.OK, ", ".join(map(str, cameras)))


def _file(path: str) -> str:
    """The text of a file of the kernel; empty where there is none."""
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
