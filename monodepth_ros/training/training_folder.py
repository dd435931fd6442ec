# SPDX-License-Identifier: Apache-2.0
"""The folder of a training: its own as long as it runs, and never one in which files of others would be replaced."""

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import yaml

from monodepth_ros.errors import one_line
from monodepth_ros.foreign_text import shown
from monodepth_ros.output_file import write_file
from monodepth_ros.results_folder import new_results_folder
from monodepth_ros.settings.files import nested
from monodepth_ros.settings.schema import values
from monodepth_ros.training.before_after import SHEET
from monodepth_ros.training.config import TrainConfig
from monodepth_ros.training.folder_lock import FolderLock
from monodepth_ros.training.report import NAME as REPORT
from monodepth_ros.training.run_log import BOARD
from monodepth_ros.training.run_log import NAME as LOG
from monodepth_ros.training.samples.clip import TrainingError
from monodepth_ros.training.trainer import BEST, LAST, STATE

SETTINGS, ADAPTED = "train.yaml", "adapted.safetensors"
# All that a training or an adaptation writes.
OUTPUTS = (SETTINGS, STATE, BEST, LAST, ADAPTED, LOG, REPORT, SHEET, BOARD)
_PATTERN = re.compile(r"[*?\[%]")  # in the name of a recording that is many files


class TrainingFolder:
    """The folder for the results of one training. A context manager; raises TrainingError for one that cannot serve.

    folder: a new one <root>/<kind>/<time>/ if it is ''. is_resumed: whether the training in it goes on; otherwise a
    folder with files that would be replaced is refused, unless `force` is set. inputs: files and folders that the
    training reads, which are never replaced. notes: what the user should know about the folder.
    """

    def __init__(
        self,
        folder: str = "",
        kind: str = "train",
        root: Path = Path("results"),
        is_resumed: bool = False,
        force: bool = False,
        inputs: Iterable[str | Path] = (),
    ):
        self._named, self._kind, self._root = folder, kind, root
        self._is_resumed, self._force = is_resumed, force
        self._inputs = [Path(os.path.expanduser(path)) for path in inputs if str(path)]
        self._lock: FolderLock | None = None
        self._made: Path | None = None
        self._has_begun = self._wrote_settings = False
        self.path = Path(os.path.expanduser(folder))
        self.notes: list[str] = []

    def __enter__(self) -> "TrainingFolder":
        if not self._named:
            return self
        try:
            self._refuse_inputs()
        except (OSError, ValueError) as error:
            if isinstance(error, TrainingError):
                raise
            raise TrainingError(f"{shown(self._named)} cannot be a folder: {one_line(error)}") from None
        if self._is_resumed and not self.path.is_dir():
            raise TrainingError(f"{self.path} is no folder of a training: there is nothing to resume")
        if not self.path.is_dir():
            try:
                self.path.mkdir(parents=True)
            except OSError as error:
                raise TrainingError(f"{self.path} cannot be made: {one_line(error)}") from None
            self._made = self.path
        try:
            self._take_over()
        except BaseException:
            self.__exit__()
            raise
        return self

    def begin(self) -> Path:
        """The folder, made if it has no name, and free of what an earlier training left in it unless that goes on."""
        if not self._named:
            self.path = new_results_folder(self._root / self._kind)
            self._take_over()
        if not self._is_resumed:
            for name in self._found():
                _remove(self.path / name)
        self._has_begun = True
        return self.path

    def write_settings(self, config: TrainConfig) -> None:
        """Write train.yaml. Raises MonodepthError if it cannot be written."""
        write_file(self.path / SETTINGS, settings_text(config))
        self._wrote_settings = True

    def __exit__(self, *_: object) -> None:
        if self._lock is None and self._made is None:
            return
        with suppress(OSError):
            log = self.path / LOG
            is_new = self._has_begun and not self._is_resumed and not (self.path / STATE).exists()
            if is_new and log.stat().st_size == 0:  # it has ended before its first step
                log.unlink()
                (self.path / LAST).unlink(missing_ok=True)  # initial weights, saved before the state did not fit
                if self._wrote_settings:
                    (self.path / SETTINGS).unlink()
        if self._lock:
            self._lock.release()
        if self._made:
            with suppress(OSError):
                self._made.rmdir()  # if nothing is in it

    def _take_over(self) -> None:
        """Lock the folder, and refuse it if it holds what would be replaced."""
        self._lock = FolderLock(self.path)
        self.notes += [self._lock.note] if self._lock.note else []
        found = [] if self._is_resumed else self._found()
        if found and not self._force:
            self._refuse(found)
        if found:
            self.notes.append(f"--force: replaces {', '.join(found)} in {self.path}")
        if not self._lock.note:  # nobody else is writing them
            for path in self.path.iterdir():
                if re.fullmatch(rf"\.({'|'.join(map(re.escape, OUTPUTS))})\.\d+", path.name):
                    _remove(path)

    def _found(self) -> list[str]:
        return [name for name in OUTPUTS if (self.path / name).exists() or (self.path / name).is_symlink()]

    def _refuse(self, found: list[str]) -> None:
        if STATE in found:
            resume = f"continue it with --resume {self.path}, " if self._kind == "train" else ""
            raise TrainingError(
                f"{self.path} holds a training already: {resume}choose another --out, or replace it with --force"
            )
        raise TrainingError(
            f"{self.path} holds {', '.join(found)}, which the results would replace: choose another --out, or replace"
            " them with --force"
        )

    def _refuse_inputs(self) -> None:
        """Refuse a folder in which something that the training reads would be replaced, or that is read itself."""
        if self.path.exists() and not self.path.is_dir():
            raise TrainingError(f"{self.path} is a file: --out takes a folder for the results")
        if self._is_resumed:
            return
        folder = Path(os.path.realpath(self.path))
        for given in self._inputs:
            path = given.parent if _PATTERN.search(given.name) and not given.exists() else given
            is_bag = path.is_file() and (path.parent / "metadata.yaml").exists()
            if Path(os.path.realpath(path.parent if is_bag else path)) == folder:
                raise TrainingError(f"{self.path} is the folder of {given}, which is read: choose another --out")
            for name in OUTPUTS:
                # As it is named and as it is: a link may lead out of the folder or into it.
                for place in (folder / name, Path(os.path.realpath(folder / name))):
                    if path.absolute().is_relative_to(place) or Path(os.path.realpath(path)).is_relative_to(place):
                        raise TrainingError(
                            f"{self.path / name} is read ({given}) and would be replaced: choose another --out"
                        )


def settings_text(config: TrainConfig) -> str:
    """The settings of a training as YAML, for --config and --resume."""
    return yaml.safe_dump(nested(values(config)), sort_keys=False)


def training_inputs(config: TrainConfig) -> list[str]:
    """Files and folders that a training reads."""
    data, networks = config.data, config.networks
    single = (networks.start_from, networks.encoder_weights, data.mask_file, data.calibration_file)
    return [*data.recordings, *(path for path in single if path)]


def _remove(path: Path) -> None:
    """Remove a file, a link, or a folder with its content. Raises TrainingError if that fails."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise TrainingError(f"{path} cannot be replaced: {one_line(error)}") from None
