# SPDX-License-Identifier: Apache-2.0
"""The shell's and the kernel's settings for ROS 2, and what a process that imports ROS says of it.

ROS itself is examined in a process of its own: a broken middleware may end it, and importing it changes the process.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from monodepth_ros.doctor.check import Check, Level
from monodepth_ros.doctor.storage import writable
from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import shown

PROBE = "monodepth_ros.ros.probe"
PATIENCE = 60.0  # for the probe [s]
ENOUGH_SHARED_MEMORY = 256 << 20  # three or four processes with the profile for large messages [bytes]
ENOUGH_SOCKET_BUFFER = 4 << 20
DISTRIBUTIONS = ("humble", "jazzy", "kilted")
VARIABLES = (
    "ROS_DOMAIN_ID",
    "RMW_IMPLEMENTATION",
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_STATIC_PEERS",
    "ROS_LOCALHOST_ONLY",
    "ROS_DISCOVERY_SERVER",
    "ROS_SECURITY_ENABLE",
    "CYCLONEDDS_URI",
)
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")


def ros_checks(images: bool = True) -> Iterator[Check]:
    """Checks of ROS 2: its environment, the kernel's limits for large messages, and a probe that uses it.

    images: let the probe send large images between two processes of this machine.
    """
    if not _has_rclpy():
        found = "not found in this shell: the verbs need none, the node does"
        yield Check(
            "ros", Level.NOTE, found, "source /opt/ros/<distribution>/setup.bash, or . scripts/env in a checkout"
        )
        return
    yield from environment_checks()
    yield from _kernel()
    yield from _log_folder()
    yield from _probe(images)


def _has_rclpy() -> bool:
    try:
        return find_spec("rclpy") is not None
    except ImportError:
        return False


def environment_checks() -> Iterator[Check]:
    """Checks of the variables that decide whom a node meets."""
    distribution = os.environ.get("ROS_DISTRO", "")
    if distribution and distribution not in DISTRIBUTIONS:
        remedy = f"tested are {', '.join(DISTRIBUTIONS)}"
        yield Check("ros", Level.NOTE, f"ROS_DISTRO is {shown(distribution)}", remedy)
    found = [f"{name}={os.environ[name]}" for name in VARIABLES if os.environ.get(name)]
    yield Check("ros variables", Level.OK, ", ".join(found) or "none set: domain 0, the middleware's defaults")
    domain = os.environ.get("ROS_DOMAIN_ID", "")
    if domain and not (domain.isdigit() and int(domain) <= 232):
        remedy = "use 0 to 101 (up to 232 where the system's own ports allow it)"
        yield Check("ROS_DOMAIN_ID", Level.ERROR, f"{shown(domain)} is no domain", remedy)
    if os.environ.get("ROS_LOCALHOST_ONLY", "") == "1" or _range() in ("LOCALHOST", "OFF"):
        found_range = f"discovery is limited to {'nobody' if _range() == 'OFF' else 'this machine'}"
        yield Check("discovery", Level.NOTE, found_range, "other machines see nothing of the node")
    for name in PROFILES:
        if path := os.environ.get(name):
            yield _profile(name, Path(path))
    if not any(os.environ.get(name) for name in PROFILES):
        found_profile = "none set: images of some megabytes get lost between processes"
        remedy = "the launch files set one; give the camera driver one too (docs/integration/image_transport.md)"
        yield Check("dds profile", Level.NOTE, found_profile, remedy)


def _range() -> str:
    return os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "").upper()


def _profile(name: str, path: Path) -> Check:
    try:
        root = ElementTree.fromstring(path.read_bytes()[: 1 << 20])
    except OSError as error:
        found = f"{name} names {path}, which cannot be read ({one_line(error)})"
        return Check("dds profile", Level.ERROR, found, "correct the path: the middleware ignores it in silence")
    except ElementTree.ParseError as error:
        found = f"{path} is no XML ({one_line(error)})"
        return Check("dds profile", Level.ERROR, found, "the middleware ignores it")
    if root.tag.rpartition("}")[2] not in ("profiles", "dds"):
        return Check("dds profile", Level.WARNING, f"{path} begins with <{shown(root.tag)}>, not with <profiles>")
    return Check("dds profile", Level.OK, f"{name}={path}")


def _kernel() -> Iterator[Check]:
    shared = Path("/dev/shm")
    refusal = writable(shared) if shared.is_dir() else "it does not exist"
    if refusal:
        remedy = "mount it with write permission: messages go over UDP without it"
        yield Check("shared memory", Level.WARNING, f"/dev/shm cannot be written ({refusal})", remedy)
    else:
        free = shutil.disk_usage(shared).free
        little = free < ENOUGH_SHARED_MEMORY
        remedy = "in Docker: --shm-size=512m, or --ipc=host" if little else ""
        level = Level.WARNING if little else Level.OK
        yield Check("shared memory", level, f"/dev/shm has {free / 1e6:.0f} MB free", remedy)
    sizes = {}
    for name in ("rmem_max", "wmem_max"):
        try:
            sizes[name] = int(Path(f"/proc/sys/net/core/{name}").read_text())
        except (OSError, ValueError):
            continue
    small = [f"net.core.{name}={ENOUGH_SOCKET_BUFFER}" for name, size in sizes.items() if size < ENOUGH_SOCKET_BUFFER]
    found = ", ".join(f"net.core.{name} {size}" for name, size in sizes.items())
    if small:
        remedy = f"for images from other machines: sudo sysctl -w {' '.join(small)}"
        yield Check("socket buffers", Level.NOTE, found, remedy)
    elif found:
        yield Check("socket buffers", Level.OK, found)


def _log_folder() -> Iterator[Check]:
    home = os.environ.get("ROS_HOME") or "~/.ros"
    folder = Path(os.environ.get("ROS_LOG_DIR") or f"{home}/log").expanduser()
    refusal = writable(folder)
    if refusal:
        remedy = "set ROS_LOG_DIR to a folder that can be written"
        yield Check("ros log", Level.WARNING, f"{folder} cannot be written ({refusal})", remedy)
    else:
        yield Check("ros log", Level.OK, str(folder))


def _probe(images: bool) -> Iterator[Check]:
    command = [sys.executable, "-m", PROBE, *(["--images"] if images else [])]
    started = time.monotonic()
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, text=True, errors="replace", check=False)
    except subprocess.TimeoutExpired:
        yield Check(
            "ros", Level.ERROR, f"the middleware did not answer within {PATIENCE:.0f} s", "check the DDS profile"
        )
        return
    lines = done.stdout.splitlines()
    for line in lines:
        try:
            subject, level, found, remedy = json.loads(line)
            yield Check(subject, Level(level), found, remedy)
        except ValueError:  # a library's own words
            continue
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        seconds = time.monotonic() - started
        found = f"the probe ended with code {done.returncode} after {seconds:.0f} s: {shown(last)}"
        yield Check("ros", Level.ERROR, found, f"run {Path(sys.executable).name} -m {PROBE} to see all of it")
