# SPDX-License-Identifier: Apache-2.0
"""Depth, point clouds and odometry from one camera, with networks that learn from that camera's own recordings.

`DepthModel` and `CameraModel` are the Python API (docs/python.md). They are imported when they are first used, so that
`import monodepth_ros` needs neither torch nor ROS.
"""

from importlib import import_module
from pkgutil import extend_path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monodepth_ros.geometry.camera import CameraModel
    from monodepth_ros.pipeline.depth_model import DepthModel, DepthResult
    from monodepth_ros.version import __version__

__all__ = ["CameraModel", "DepthModel", "DepthResult", "__version__"]

# colcon lays the generated message package of the same name beside this one; see CMakeLists.txt.
__path__ = extend_path(__path__, __name__)

_HOMES = {
    "CameraModel": "monodepth_ros.geometry.camera",
    "DepthModel": "monodepth_ros.pipeline.depth_model",
    "DepthResult": "monodepth_ros.pipeline.depth_model",
    "__version__": "monodepth_ros.version",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
