# SPDX-License-Identifier: Apache-2.0
"""The network's view through a camera, with an engine that is ready for its size."""

from collections.abc import Callable
from dataclasses import replace

from monodepth_ros.geometry.camera import CameraModel
from monodepth_ros.inference.engine import Engine, EngineError
from monodepth_ros.networks.checkpoints.header import CheckpointHeader
from monodepth_ros.pipeline.network_view import NetworkView
from monodepth_ros.pipeline.view_choice import choose_view


def ready_view(
    engine: Engine,
    camera: CameraModel,
    header: CheckpointHeader,
    part: str,
    announce: Callable[[str], None] = lambda text: None,
) -> NetworkView:
    """The view of `choose_view`, after the engine has prepared for it, which can take seconds.

    An engine that cannot get the view of the training's camera, whose size it always has, with the reason in the
    description. announce: called with a line before the engine prepares.
    """
    view = choose_view(camera, header, part)
    if not engine.is_ready(view.size):
        announce(f"preparing the engine for images of {view.size[0]}x{view.size[1]} ...")
    try:
        engine.prepare(view.size)
    except EngineError as error:
        view = choose_view(camera, header, "training")
        view = replace(view, description=f"{view.description}; not the whole image: {error}")
    return view
