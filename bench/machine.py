# SPDX-License-Identifier: Apache-2.0
"""Conditions of a result: machine, versions, thread settings, commit."""

import importlib.metadata
import os
import platform
import re
import subprocess
import time
from pathlib import Path

import torch

from monodepth_ros.version import __version__

PACKAGES = ("torch", "numpy", "opencv-python-headless", "opencv-python", "openvino", "onnxruntime")
# Settings of the thread pools, which affect every figure.
THREAD_SETTINGS = re.compile(r"(OMP|KMP|GOMP|MKL|ONEDNN|OPENCV|TORCH|ATEN)_\w+")
# Instruction sets that determine the fastest precision.
INSTRUCTIONS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "bf16")


def machine() -> dict:
    """CPU model, cores, instruction sets, memory and GPUs, but nothing that identifies the machine."""
    cpu = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", cpu, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", cpu, re.MULTILINE)
    known = set(flags.group(1).split()) if flags else set()
    gpus = range(torch.cuda.device_count() if torch.cuda.is_available() else 0)
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [name for name in INSTRUCTIONS if name in known],
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1),
        "gpus": [torch.cuda.get_device_name(i) for i in gpus],
    }


def core_speed(side: int = 512, repeats: int = 20) -> float:
    """Present speed of one core in the fastest of some matrix products [1e9 float32 operations/s].

    The speed of a virtual machine varies by a factor of two from hour to hour: compare results of similar speeds only.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    matrix, best = torch.ones(side, side), float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        torch.mm(matrix, matrix)
        best = min(best, time.perf_counter() - started)
    torch.set_num_threads(threads)
    return 2e-9 * side**3 / best


def versions() -> dict[str, str]:
    """Versions of Python, of ROS if there is one, and of the numerical libraries."""
    found = {"monodepth_ros": __version__, "python": platform.python_version()}
    found["rclpy"] = _version("rclpy", "ros-jazzy-rclpy", "ros-kilted-rclpy") or os.environ.get("ROS_DISTRO", "")
    try:
        from rclpy.utilities import get_rmw_implementation_identifier  # optional: `train` runs without ROS

        found["middleware"] = get_rmw_implementation_identifier()
    except ImportError:
        found["middleware"] = ""
    for package in PACKAGES:
        version = _version(package)
        if version:
            found[package] = version
    return found


def thread_settings() -> dict[str, str]:
    """Environment variables that control the thread pools."""
    return {name: value for name, value in sorted(os.environ.items()) if THREAD_SETTINGS.fullmatch(name)}


def commit(folder: Path) -> str:
    """Commit of a checkout, with "+" if files differ from it; empty without a repository."""
    command = ["git", "-C", str(folder)]
    try:
        head = subprocess.run([*command, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
        state = subprocess.run([*command, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if state.stdout.strip() else "")


def _version(*names: str) -> str:
    for name in names:
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""
