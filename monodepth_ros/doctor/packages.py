# SPDX-License-Identifier: Apache-2.0
"""Versions of this package and of the Python packages it uses, and installs that get in each other's way."""

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from monodepth_ros.doctor.check import Check, Level
from monodepth_ros.errors import typed_line
from monodepth_ros.version import NAME, UNKNOWN, __version__

# Name of the module: name for pip.
REQUIRED = {
    "torch": "torch",
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
    "yaml": "PyYAML",
    "rosbags": "rosbags",
    "mcap": "mcap",
    "apsw": "apsw",
    "lz4": "lz4",
    "zstandard": "zstandard",
    "safetensors": "safetensors",
    "transforms3d": "transforms3d",
}
# What works without: name of the module: (name for pip, what it gives).
OPTIONAL = {
    "openvino": ("openvino", "the faster engine on x86 CPUs"),
    "onnxruntime": ("onnxruntime", "an engine for every CPU"),
    "onnx": ("onnx", "export to ONNX"),
    "av": ("av", "video in recordings and on topics"),
    "mcap_protobuf": ("mcap-protobuf-support", "Foxglove's protobuf recordings"),
    "rerun": ("rerun-sdk", "run --rerun"),
    "tkinter": ("", "run --view (apt install python3-tk)"),
}
OPENCV_BUILDS = (
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)


def package_checks() -> Iterator[Check]:
    """Checks of this package, of what it needs, of what it can use, and of clashes between them."""
    folder = Path(__file__).resolve().parents[1]
    unknown = __version__ == UNKNOWN
    remedy = "install the package: this is a copy of its folder" if unknown else ""
    yield Check(NAME, Level.NOTE if unknown else Level.OK, f"{__version__} in {folder}", remedy)
    yield from _other_installs(folder)
    for module, distribution in REQUIRED.items():
        yield _required(module, distribution)
    missing = []
    for module, (distribution, use) in OPTIONAL.items():
        found = _module_version(module, distribution)
        if found.level is Level.OK:
            yield found
        elif found.level is Level.NOTE:
            missing.append(f"{distribution or module} ({use})")
        else:
            yield found
    if missing:
        yield Check("not installed", Level.NOTE, ", ".join(missing))
    yield from _clashes()


def _required(module: str, distribution: str) -> Check:
    found = _module_version(module, distribution)
    if found.level is Level.NOTE:
        return Check(distribution, Level.ERROR, "not installed", f"pip install {distribution}")
    return found


def _module_version(module: str, distribution: str) -> Check:
    """The version of a package that imports; NOTE if it is not there, ERROR if it is there and does not import."""
    name = distribution or module
    try:
        loaded = import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            return Check(name, Level.NOTE, "not installed")
        return Check(name, Level.ERROR, f"does not import: {typed_line(error)}", f"pip install {error.name}")
    except Exception as error:  # a broken binary raises anything
        return Check(
            name, Level.ERROR, f"does not import: {typed_line(error)}", f"pip install --force-reinstall {name}"
        )
    stated = getattr(loaded, "__version__", "")
    try:
        stated = stated or version(name)
    except PackageNotFoundError:
        stated = "present"
    return Check(name, Level.OK, str(stated).split("-releases")[0])


def _other_installs(folder: Path) -> Iterator[Check]:
    """Copies of this package that Python would find after this one."""
    others = {Path(entry or ".").resolve() / NAME for entry in sys.path}
    others = {path for path in others if (path / "cli" / "main.py").is_file()} - {folder}
    if others:
        found = f"another copy lies in {', '.join(sorted(map(str, others)))}"
        yield Check(NAME, Level.WARNING, found, "remove it, or check the order of PYTHONPATH")


def _clashes() -> Iterator[Check]:
    found_here = [found for found in distributions() if found.name]
    names = {re.sub(r"[-_.]+", "-", found.name).lower(): (found.read_text("INSTALLER") or "") for found in found_here}
    builds = sorted({name for name in names if name in OPENCV_BUILDS})
    if len(builds) > 1:
        remedy = f"pip uninstall {' '.join(builds)}, then install one of them: they overwrite each other"
        yield Check("opencv", Level.WARNING, f"{len(builds)} builds are installed: {', '.join(builds)}", remedy)
    if names.get("cv-bridge", "").strip() == "pip":
        remedy = "pip uninstall cv_bridge: the package of that name on PyPI is ROS 1's"
        yield Check("cv_bridge", Level.NOTE, "installed by pip", remedy)
    for name in ("PYTHONPATH", "LD_PRELOAD", "PYTHONHOME"):
        value = os.environ.get(name)
        if value:
            yield Check(name, Level.OK, value)
