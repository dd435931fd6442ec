# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of the machine and its packages."""

import os
import resource
import sys
from importlib.metadata import version

import pytest

from monodepth_ros.doctor import machine, packages
from monodepth_ros.doctor.check import Check, Level, guarded, without_home
from monodepth_ros.doctor.machine import machine_checks, usable_cores
from monodepth_ros.doctor.packages import package_checks


def by_subject(checks):
    return {check.subject: check for check in checks}


def test_a_check_is_one_line_without_control_characters_and_the_users_name(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    check = Check("cache", Level.WARNING, "/home/somebody/.cache\x1b[31m\nis full", "make room")
    assert check.line.split(maxsplit=2)[:2] == ["warning", "cache"]
    assert check.line.endswith("~/.cache?[31m is full; make room")


@pytest.mark.parametrize("home", ["", "/"])
def test_a_machine_without_a_home_folder_is_no_error(monkeypatch, home):
    monkeypatch.setenv("HOME", home)
    assert without_home("/some/path") == "/some/path"


def test_a_part_that_cannot_be_examined_is_a_line_and_not_the_end():
    def broken():
        yield Check("first", Level.OK, "fine")
        raise RuntimeError("two\nlines")

    first, last = guarded("part", broken())
    assert first.subject == "first"
    assert last[:3] == ("part", Level.ERROR, "cannot be examined: RuntimeError: two lines")


def test_the_machine_is_described():
    checks = by_subject(machine_checks())
    assert checks["python"].found.startswith(f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert f"{usable_cores():g} of {os.cpu_count()} cores" in checks["cpu"].found
    assert "GB free" in checks["memory"].found


def test_a_limit_on_open_files_is_a_warning_with_the_remedy():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, before[1]))
    try:
        check = by_subject(machine_checks())["open files"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert check.level is Level.WARNING
    assert "at most 512" in check.found
    assert "ulimit -n 1024" in check.remedy


@pytest.mark.parametrize(
    ("quota", "cores"), [("max 100000\n", None), ("50000 100000\n", 0.5), ("nonsense", None), ("1 0", None), ("", None)]
)
def test_the_quota_of_a_control_group_counts(monkeypatch, quota, cores):
    monkeypatch.setattr(machine, "_file", lambda path: quota)
    assert usable_cores() == (cores or len(os.sched_getaffinity(0)))


def test_little_memory_in_a_control_group_is_a_warning(monkeypatch):
    files = {
        "/proc/meminfo": "MemTotal: 16000000 kB\nMemAvailable: 8000000 kB\n",
        "/sys/fs/cgroup/memory.max": "500000000\n",
    }
    monkeypatch.setattr(machine, "_file", lambda path: files.get(path, ""))
    check = by_subject(machine_checks())["memory"]
    assert check.level is Level.WARNING
    assert "8.2 of 16.4 GB free, limited to 0.5 GB" in check.found


def test_the_versions_of_what_is_needed_are_stated():
    checks = by_subject(package_checks())
    assert all(checks[name].level is Level.OK for name in packages.REQUIRED.values())
    assert checks["numpy"].found == version("numpy")


def test_a_missing_package_comes_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(packages.REQUIRED, "no_such_module", "no-such-package")
    check = by_subject(package_checks())["no-such-package"]
    assert check.level is Level.ERROR
    assert check.remedy == "pip install no-such-package"


def test_a_package_that_is_there_and_broken_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "broken_module.py").write_text("import a_library_that_is_not_there")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(packages.OPTIONAL, "broken_module", ("broken", "nothing"))
    check = by_subject(package_checks())["broken"]
    assert check.level is Level.ERROR
    assert "a_library_that_is_not_there" in check.found


def test_a_second_copy_of_this_package_is_a_warning(monkeypatch, tmp_path):
    (tmp_path / "monodepth_ros" / "cli").mkdir(parents=True)
    (tmp_path / "monodepth_ros" / "cli" / "main.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = [check for check in package_checks() if check.level is Level.WARNING]
    assert any(str(tmp_path) in check.found for check in found)
