# SPDX-License-Identifier: Apache-2.0
"""A sqlite3 database read with its journal, and neither of them touched.

sqlite3 itself would write: it makes a shared-memory file beside the recording, and moves the journal into the database
on closing. A private copy would do, but databases of killed recorders have tens of gigabytes. Hence this: sqlite3 reads
through a file system layer that takes a page from the journal where it is there, else from the database.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import apsw

from monodepth_ros.data.bags.storage.random_file import RandomFile
from monodepth_ros.data.bags.storage.sqlite_journal import JournalPages

_numbers = itertools.count()


class OverlayDatabase:
    """A read-only connection to a database with the pages of its journal."""

    def __init__(self, database: Path, pages: JournalPages) -> None:
        self._file, self._journal = RandomFile(database), RandomFile(pages.path)
        self._layer = _Layer(f"monodepth-journal-{next(_numbers)}", self._file, self._journal, pages)
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        place = f"file:{quote(os.fsencode(database))}?immutable=1"
        self._connection = apsw.Connection(place, flags=flags, vfs=self._layer.name)

    def execute(self, statement: str, values: tuple = ()) -> apsw.Cursor:
        """The rows of a statement."""
        return self._connection.execute(statement, values)

    def set_progress_handler(self, handler: Callable[[], bool], steps: int) -> None:
        """Call the handler after each `steps` steps of a statement, which ends if it returns True."""
        self._connection.set_progress_handler(handler, steps)

    def close(self) -> None:
        """Release the files; may be called twice."""
        self._connection.close(True)
        self._layer.unregister()
        self._file.close()
        self._journal.close()


class _Layer(apsw.VFS):
    def __init__(self, name: str, database: RandomFile, journal: RandomFile, pages: JournalPages) -> None:
        self.name = name
        self._parts = database, journal, pages
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        if flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            return _Overlay(*self._parts)
        return super().xOpen(name, flags)


class _Overlay:
    """The file that sqlite3 sees. Methods are those of apsw.VFSFile that reading needs."""

    def __init__(self, database: RandomFile, journal: RandomFile, pages: JournalPages) -> None:
        self._database, self._journal = database, journal
        self._pages, self._page_size = pages, pages.page_size

    def xRead(self, amount: int, offset: int) -> bytes:
        number, within = divmod(offset, self._page_size)
        found = b""
        while len(found) < amount:
            number, within = divmod(offset + len(found), self._page_size)
            part = min(amount - len(found), self._page_size - within)
            at = self._pages.offsets.get(number + 1)
            if at is not None:
                found += self._journal.read(at + within, part)
            elif number < self._pages.page_count and number * self._page_size + within + part <= self._database.size:
                found += self._database.read(number * self._page_size + within, part)
            else:
                break
        return found

    def xFileSize(self) -> int:
        return self._pages.page_count * self._page_size

    def xFileControl(self, op: int, ptr: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return 4096

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xLock(self, level: int) -> None:
        """Nothing else writes to what is read."""

    def xUnlock(self, level: int) -> None:
        """See xLock."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xClose(self) -> None:
        """The database is closed by its owner."""
