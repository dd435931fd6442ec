# SPDX-License-Identifier: Apache-2.0
"""One offline run from an open source to a folder of results."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from monodepth_ros.data.sources.left_out import few_reasons
from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.errors import MonodepthError, one_line
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoints.bundled_checkpoint import BUNDLED_NAME, NO_CHECKPOINT, bundled_checkpoint
from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.offline.frames import SourcePipeline
from monodepth_ros.offline.results.animation import RunAnimation
from monodepth_ros.offline.results.output_bag import OutputBag
from monodepth_ros.offline.results.recorder import RunRecorder, without_nan
from monodepth_ros.offline.results.report_page import write_report
from monodepth_ros.offline.results.reserve import Reserve
from monodepth_ros.offline.viewers.rerun_log import RerunLog
from monodepth_ros.offline.viewers.run_window import RunWindow
from monodepth_ros.offline.viewers.viewer import RunViewer
from monodepth_ros.output_file import one_line_for, write_file
from monodepth_ros.pipeline.frame import Demand
from monodepth_ros.pipeline.run_config import RunConfig
from monodepth_ros.pipeline.run_parameters import parameter_file
from monodepth_ros.results_folder import new_results_folder
from monodepth_ros.version import __version__

RESULTS = Demand(depth=True, cloud=True, rectified=True, statistics=True, odometry=True)
BAG = replace(RESULTS, color=True, ground=True, correspondences=True)


@dataclass(frozen=True)
class RunSettings:
    """The results to write.

    results: folder of the results. depth: png, npz or none. video: whether to write a video. bag: path of a new bag for
    the node's topics, '' for none; with_input: copy the images into it. view: open a window. rerun: path of a new .rrd
    file, '' for Rerun's viewer, None for neither. animation: path of a moving picture (.webp, .gif), '' for none.
    frames: number of frames to process, 0 for all. force: replace what is at bag, rerun or animation.
    """

    results: str = "results"
    depth: str = "png"
    video: bool = True
    bag: str = ""
    with_input: bool = False
    view: bool = False
    rerun: str | None = None
    animation: str = ""
    frames: int = 0
    force: bool = False


class OfflineRun:
    """A run over one source: loads the networks when created; call `process` and then `finish`.

    facts: source, checkpoint, engine, scale and odometry, by name. notes: messages for the user. outcome: frames,
    errors and results, by name, after `finish`. Raises MonodepthError for bad input, before anything is written.
    """

    def __init__(self, source: FrameSource, config: RunConfig, settings: RunSettings):
        self.notes = list(source.notes)
        path = config.checkpoint or bundled_checkpoint()
        if not config.checkpoint:
            config = replace(config, checkpoint=BUNDLED_NAME)
            self.notes.append(f"{NO_CHECKPOINT}; give --checkpoint weights for your camera")
        self._source, self._config, self._settings = source, config, settings
        checkpoint = load_checkpoint(path)
        engine = create_engine(checkpoint, config, self.notes.append)
        self._run = run = SourcePipeline(source, engine, checkpoint.header, config)
        scale, moving_frame = run.pipeline.scale, run.moving_frame
        self.notes += run.input_notes
        self._bag: AbstractContextManager[OutputBag | None] = nullcontext()
        if settings.bag:
            self._bag = OutputBag(settings.bag, config, run, settings.with_input, settings.force)
        self._animation: RunAnimation | None = None
        if settings.animation:
            self._animation = RunAnimation(Path(settings.animation), scale.is_metric, settings.force)
        if run.pipeline.has_odometry:
            odometry = f"of {moving_frame.description} in {config.odom_frame}, from {run.pipeline.motion_description}"
            self.notes += moving_frame.notes
        else:
            why = "odometry.source is network, and the checkpoint has no pose network: set it to auto"
            odometry = f"none: {why}" if config.odometry.enabled else "off"
        self.facts = [
            ("source", source.description),
            *source.reference_lines,
            ("checkpoint", f"{checkpoint.title}: {checkpoint.header.summary()}"),
            ("engine", f"{engine.name} on {engine.device} ({engine.precision})"),
            ("scale", scale.description),
            ("odometry", odometry),
        ]
        self.outcome: list[tuple[str, str]] = []
        self._viewers = self._open_viewers(scale.unit)
        engine.warm_up()
        self.folder = new_results_folder(settings.results)
        write_file(self.folder / "config.yaml", parameter_file(config))
        self._recorder = RunRecorder(self.folder, source, moving_frame, scale.is_metric, settings.depth, settings.video)
        self._reserve = Reserve(self.folder)
        self._seconds = 0.0
        self._problem: MonodepthError | None = None

    @property
    def expected_frames(self) -> int | None:
        """The number of frames to process, None if it is unknown."""
        known = [count for count in (self._source.frame_count, self._settings.frames) if count]
        return min(known, default=None)

    def process(
        self,
        advanced: Callable[[], None],
        should_stop: Callable[[], bool],
        announce: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Process all frames, or as many as asked for, or until `should_stop` or an error, which `finish` raises.

        advanced: called after each. announce: called with a line before something that keeps a frame waiting.
        """
        self._run.pipeline.announce = announce
        began = time.monotonic()
        try:
            with self._bag as bag:
                self._process(bag, advanced, should_stop)
        except MonodepthError as error:  # the bag cannot be begun or completed
            self._problem = self._problem or error
        finally:
            for viewer in self._viewers:
                viewer.close()
        self._seconds = time.monotonic() - began

    def _process(self, bag: OutputBag | None, advanced: Callable[[], None], should_stop: Callable[[], bool]) -> None:
        frames = self._run.frames(RESULTS if bag is None else BAG)
        try:
            for frame in frames:
                self._recorder.add(frame)
                if bag is not None:
                    bag.write(frame)
                if self._animation is not None:
                    self._animation.add(frame)
                advanced()
                wants_more = [viewer.show(frame, should_stop) for viewer in self._viewers]
                if should_stop() or not all(wants_more) or len(self._recorder.rows) == self._settings.frames:
                    break
        except MonodepthError as error:  # a damaged recording or a full disk: report the frames before
            self._problem = error
        except MemoryError:
            self._problem = MonodepthError("there is not enough memory for the next frame")
        except OSError as error:
            name = error.filename or self._source.description
            self._problem = MonodepthError(f"{name} cannot be read or written: {one_line(error)}")
        finally:
            frames.close()
            self._run.close()

    def finish(self) -> None:
        """Write the remaining results and the report, each as far as it is possible.

        Raises MonodepthError without frames, and for the first error of the run: what is written is in `outcome`.
        """
        recorder, left_out, inputs = self._recorder, self._source.left_out, self._run
        self._reserve.release()
        recorder.problem = self._problem
        recorder.finish()
        count = len(recorder.rows)
        rate = count / self._seconds if self._seconds else 0.0
        self.outcome = [("frames", f"{count} in {self._seconds:.1f} s ({rate:.1f} frames/s)")]
        self.outcome += [("left out", f"{number}: {reason}") for reason, number in few_reasons(left_out)]
        self.outcome += [("view", text) for text in recorder.views]
        if inputs.contradiction:
            self.outcome.append(("warning", inputs.contradiction))
        if recorder.scale_text:
            self.outcome.append(("scale", recorder.scale_text))
        self.outcome += [("scale", note) for note in inputs.scale_inputs.notes if note not in self.notes]
        if inputs.gyro_input.description:
            self.outcome.append(("gyro", inputs.gyro_input.description))
            self.outcome += [("gyro", note) for note in inputs.gyro_input.notes if note not in self.notes]
        late = [note for note in self._source.notes if note not in self.notes]
        self.notes += late
        self.outcome += [("note", note) for note in late]
        if recorder.cloud_text:
            self.outcome.append(("cloud", recorder.cloud_text))
        if recorder.trajectory.parts:
            self.outcome.append(("motion", recorder.trajectory.in_words(recorder.unit)))
        self.outcome += _errors_in_words(recorder.metrics())
        if self._settings.bag and Path(self._settings.bag).exists():
            self.outcome.append(("bag", self._settings.bag))
        if self._settings.rerun:
            self.outcome.append(("rerun", self._settings.rerun))
        if self._animation is not None:
            self._write_animation(self._animation)
        recorder.attempt(lambda: self._write_summary(count, rate))
        recorder.attempt(self._write_report)
        recorder.finish_cloud()
        recorder.attempt(lambda: self._write_summary(count, rate))  # once more, with all files
        with suppress(OSError):  # the folder is gone
            self.outcome.append(("results", f"{self.folder}/: {', '.join(self._files())}"))
        if recorder.problem is not None:
            raise recorder.problem
        if not count:
            reason = f": {next(iter(left_out))}" if left_out else ""
            raise MonodepthError(f"no frame of {self._source.description} could be processed{reason}")

    def _open_viewers(self, unit: str) -> list[RunViewer]:
        settings, title = self._settings, f"monodepth run {self._source.description}"
        viewers: list[RunViewer] = []
        if settings.rerun is not None:
            path = Path(settings.rerun) if settings.rerun else None
            viewers.append(RerunLog(path, title, self._run.moving_frame, unit, settings.force))
        if settings.view:
            viewers.append(RunWindow(title))
        return viewers

    def _write_animation(self, animation: RunAnimation) -> None:
        def write() -> None:
            animation.write()
            self.outcome.append(("animation", self._settings.animation))

        self._recorder.attempt(write)

    def _write_report(self) -> None:
        title = f"monodepth run: {Path(self._source.description.split(' (')[0]).name or self._source.description}"
        facts = [*self.facts, *self.outcome, ("version", f"monodepth_ros {__version__}")]
        if self._recorder.problem is not None:
            facts.insert(0, ("ended by", str(self._recorder.problem)))
        path, moving_frame = self.folder / "report.html", self._run.moving_frame
        write_report(path, title, facts, self.notes, self._recorder, moving_frame)

    def _files(self) -> list[str]:
        """What is in the folder of the results. Raises OSError if it is gone."""
        found = [path for path in self.folder.iterdir() if not path.name.startswith(".")]
        return sorted(path.name + ("/" if path.is_dir() else "") for path in found)

    def _write_summary(self, count: int, rate: float) -> None:
        summary = {
            **{name: value for name, value in self.facts if name != "reference"},
            "references": dict(self._source.references),
            "version": __version__,
            "unit": self._recorder.unit,
            "frames": count,
            "frames_per_second": rate,
            "frames_left_out": dict(self._source.left_out),
            "views": self._recorder.views,
            "notes": self.notes,
            "ended_by": None if self._recorder.problem is None else str(self._recorder.problem),
        }
        with one_line_for(self.folder / "run.json"):
            summary["files"] = sorted({*self._files(), "run.json"})
        write_file(self.folder / "run.json", json.dumps(without_nan(summary), indent=2) + "\n")


def _errors_in_words(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    lines = []
    if "depth" in metrics:
        d = metrics["depth"]
        text = (
            f"abs_rel {d['abs_rel']:.3f}, rmse {d['rmse']:.2f} m, a1 {d['a1']:.3f} ({d['frames']} frames, up to "
            f"{d['max_depth']:g} m, scaling: {d['scaling']}, crop: {d['crop']})"
        )
        lines.append(("depth error", text))
    if "trajectory" in metrics:
        t = metrics["trajectory"]
        text = (
            f"drift {100 * t['drift']:.1f} % and {100 * t['rotation_drift']:.1f} deg/100 m over"
            f" {t['path_length']:.1f} m, ATE {t['ate_rmse']:.2f} m (scaling: {t['scaling']})"
        )
        lines.append(("motion error", text))
    return lines
