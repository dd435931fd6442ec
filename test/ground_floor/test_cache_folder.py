# SPDX-License-Identifier: Apache-2.0
"""The places of caches, whatever the environment says."""

import logging
import os
import pwd
from pathlib import Path

import pytest

from monodepth_ros import cache_folder as module
from monodepth_ros.cache_folder import cache_folder, home_folder, not_cached

OWN_HOME = Path(pwd.getpwuid(os.getuid()).pw_dir)


@pytest.mark.parametrize("value", [None, "", "relative", "~"])
def test_a_home_that_is_no_place_is_replaced_by_that_of_the_user(monkeypatch, value):
    monkeypatch.setenv("HOME", value or "")
    if value is None:
        monkeypatch.delenv("HOME")
    assert home_folder() == OWN_HOME


def test_a_user_without_any_home_has_the_root(monkeypatch):
    monkeypatch.delenv("HOME", raising=False)

    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert home_folder() == Path("/")


@pytest.mark.parametrize(
    "value, folder",
    [("/a b", "/a b"), ("", "/home/x/.cache"), ("relative", "/home/x/.cache"), ("/\udce9", "/\udce9")],
)
def test_the_cache_is_where_the_standard_has_it(monkeypatch, value, folder):
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder() == Path(folder) / "monodepth_ros"


def test_what_cannot_be_kept_is_said_once_on_one_line(monkeypatch, caplog):
    monkeypatch.setattr(module, "_said", set())
    with caplog.at_level(logging.WARNING):
        for place in ("/a\n\x1b[2J", "/b"):
            not_cached("frame indices", Path(place), OSError(28, "No space left on device"), "they are made again")
    (line,) = caplog.messages
    assert "frame indices cannot be kept in /a ?[2J (No space left on device), so they are made again" in line
