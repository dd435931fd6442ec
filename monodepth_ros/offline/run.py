# SPDX-License-Identifier: Apache-2.0
"""One offline run from an open source to a folder of results."""

import json
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from monodepth_ros.data.sources.source import FrameSource
from monodepth_ros.errors import MonodepthError
from monodepth_ros.inference.create_engine import create_engine
from monodepth_ros.networks.checkpoint import load_checkpoint
from monodepth_ros.offline.frames import process_frames
from monodepth_ros.offline.recorded_gyro import RecordedGyro
from monodepth_ros.offline.recorded_scale_inputs import RecordedScaleInputs
from monodepth_ros.offline.results.output_bag import OutputBag
from monodepth_ros.offline.results.recorder import RunRecorder, without_nan
from monodepth_ros.offline.results.report_page import write_report
from monodepth_ros.pipeline.frame import Demand
from monodepth_ros.pipeline.frame_pipeline import FramePipeline
from monodepth_ros.pipeline.moving_frame import MovingFrame
from monodepth_ros.pipeline.run_config import RunConfig, parameter_file
from monodepth_ros.results_folder import new_results_folder
from monodepth_ros.version import __version__

EVERYTHING = Demand(depth=True, color=True, cloud=True, rectified=True, statistics=True, odometry=True)


@dataclass(frozen=True)
class RunSettings:
    """What to leave behind.

    results: folder of the results. depth: png, npz or none. video: whether to write one. bag: path of a new bag
    for the node's topics, '' for none. frames: end after so many, 0 for all.
    """

    results: str = "results"
    depth: str = "png"
    video: bool = True
    bag: str = ""
    frames: int = 0


class OfflineRun:
    """Loads the networks at once; then `process`, `finish`.

    Raises MonodepthError for bad input, before anything is written. facts: what runs on what;
    notes: what a user should know; outcome: what came of it (after `finish`).
    """

    def __init__(self, source: FrameSource, config: RunConfig, settings: RunSettings):
        self._source, self._config, self._settings = source, config, settings
        self.notes = list(source.notes)
        checkpoint = load_checkpoint(config.checkpoint)
        engine = create_engine(checkpoint, config, self.notes.append)
        self._pipeline = FramePipeline(engine, checkpoint.header, config)
        scale, has_odometry = self._pipeline.scale, self._pipeline.has_odometry
        self._moving_frame = MovingFrame(config, source.frame_id, source.transforms)
        self._scale_inputs = RecordedScaleInputs(source, config.scale, self._pipeline.travel)
        self._gyro_input = RecordedGyro(source, config.odometry.imu_topic, self._pipeline.gyro)
        self.notes += self._scale_inputs.notes + self._gyro_input.notes
        self._bag = nullcontext()
        if settings.bag:
            self._bag = OutputBag(settings.bag, config, source.frame_id, self._moving_frame, has_odometry)
        odometry = f"of {self._moving_frame.name!r} in {config.odom_frame!r}, from {self._pipeline.motion_description}"
        if has_odometry:
            self.notes += self._moving_frame.notes
        else:
            odometry = "none: the checkpoint has no pose network" if config.odometry.enabled else "off"
        self.facts = [
            ("source", source.description),
            ("checkpoint", f"{config.checkpoint}: {checkpoint.header.summary()}"),
            ("engine", f"{engine.name} on {engine.device} ({engine.precision})"),
            ("scale", scale.description),
            ("odometry", odometry),
        ]
        self.outcome: list[tuple[str, str]] = []
        engine.warm_up()
        self.folder = new_results_folder(settings.results)
        (self.folder / "config.yaml").write_text(parameter_file(config), encoding="utf-8")
        self._recorder = RunRecorder(
            self.folder, source, self._moving_frame, scale.is_metric, settings.depth, settings.video
        )
        self._seconds = 0.0
        self._problem: MonodepthError | None = None

    @property
    def expected_frames(self) -> int | None:
        """How many frames there will be, None if nobody knows."""
        known = [count for count in (self._source.frame_count, self._settings.frames) if count]
        return min(known, default=None)

    def process(self, advanced: Callable[[], None], should_stop: Callable[[], bool]) -> None:
        """All frames, or as many as asked for, or until `should_stop`; `advanced` is called after each."""
        began = time.monotonic()
        with self._bag as bag:
            frames = process_frames(
                self._source,
                self._pipeline,
                self._moving_frame,
                EVERYTHING,
                self._source.left_out,
                self._scale_inputs,
                self._gyro_input,
            )
            try:
                for frame in frames:
                    self._recorder.add(frame)
                    if bag is not None:
                        bag.write(frame)
                    advanced()
                    if should_stop() or len(self._recorder.rows) == self._settings.frames:
                        break
            except MonodepthError as error:  # a recording damaged half-way: what came before it counts
                self._problem = error
            finally:
                frames.close()
                self._scale_inputs.close()
                self._gyro_input.close()
        self._seconds = time.monotonic() - began

    def finish(self) -> None:
        """Write what remains, and the report. MonodepthError without frames, or if they ended in one."""
        recorder, left_out = self._recorder, self._source.left_out
        recorder.finish()
        count = len(recorder.rows)
        rate = count / self._seconds if self._seconds else 0.0
        self.outcome = [("frames", f"{count} in {self._seconds:.1f} s ({rate:.1f} frames/s)")]
        self.outcome += [("left out", f"{number}: {reason}") for reason, number in left_out.most_common(5)]
        self.outcome += [("view", text) for text in recorder.views]
        if recorder.scale_text:
            self.outcome.append(("scale", recorder.scale_text))
        self.outcome += [("scale", note) for note in self._scale_inputs.notes if note not in self.notes]
        if self._gyro_input.description:
            self.outcome.append(("gyro", self._gyro_input.description))
            self.outcome += [("gyro", note) for note in self._gyro_input.notes if note not in self.notes]
        if recorder.cloud_text:
            self.outcome.append(("cloud", recorder.cloud_text))
        self.outcome += _errors_in_words(recorder.metrics())
        if self._settings.bag:
            self.outcome.append(("bag", self._settings.bag))
        files = sorted(path.name + ("/" if path.is_dir() else "") for path in self.folder.iterdir())
        self.outcome.append(("results", f"{self.folder}/: {', '.join([*files, 'report.html', 'run.json'])}"))
        self._write_summary(count, rate)
        title = f"monodepth run: {Path(self._source.description.split(' (')[0]).name or self._source.description}"
        facts = [*self.facts, *self.outcome[:-1], ("version", f"monodepth_ros {__version__}")]
        write_report(self.folder / "report.html", title, facts, self.notes, recorder, self._moving_frame)
        if self._problem is not None:
            raise self._problem
        if not count:
            reason = f": {next(iter(left_out))}" if left_out else ""
            raise MonodepthError(f"no frame of {self._source.description} could be processed{reason}")

    def _write_summary(self, count: int, rate: float) -> None:
        summary = {
            **dict(self.facts),
            "version": __version__,
            "unit": self._recorder.unit,
            "frames": count,
            "frames_per_second": rate,
            "frames_left_out": dict(self._source.left_out),
            "views": self._recorder.views,
            "notes": self.notes,
        }
        text = json.dumps(without_nan(summary), indent=2)
        (self.folder / "run.json").write_text(text + "\n", encoding="utf-8")


def _errors_in_words(metrics: dict) -> list[tuple[str, str]]:
    lines = []
    if "depth" in metrics:
        d = metrics["depth"]
        lines.append(
            (
                "depth error",
                f"abs_rel {d['abs_rel']:.3f}, rmse {d['rmse']:.2f} m, a1 {d['a1']:.3f} "
                f"({d['frames']} frames, up to {d['max_depth']:g} m, scaling: {d['scaling']}, "
                f"crop: {d['crop']})",
            )
        )
    if "trajectory" in metrics:
        t = metrics["trajectory"]
        lines.append(
            (
                "motion error",
                f"drift {100 * t['drift']:.1f} % and {t['rotation_drift']:.3f} deg/m "
                f"over {t['path_length']:.1f} m, "
                f"ATE {t['ate_rmse']:.2f} m (scaling: {t['scaling']})",
            )
        )
    return lines
