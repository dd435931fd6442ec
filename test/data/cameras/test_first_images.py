# SPDX-License-Identifier: Apache-2.0
"""The look at the first message of a topic: a picture that claims too much or is damaged decides nothing."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from monodepth_ros.data.cameras.first_images import COMPRESSED_IMAGE, look_at
from monodepth_ros.data.images import picture_header


def first(data):
    header = SimpleNamespace(frame_id="camera", stamp=SimpleNamespace(sec=1, nanosec=0))
    return look_at("/image/compressed", COMPRESSED_IMAGE, SimpleNamespace(data=data, format="png", header=header))


def test_a_first_picture_beyond_the_limits_has_no_size(monkeypatch):
    data = cv2.imencode(".png", np.ones((20, 30), np.uint16))[1].ravel()
    assert first(data).size == (30, 20) and first(data).bits == 16
    monkeypatch.setattr(picture_header, "MOST_PIXELS", 599)
    assert first(data).size is None


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(50), b"\xff\xd8\xff" + bytes(50), b"\x89PNG\r\n\x1a\n"])
def test_a_first_picture_that_is_damaged_or_of_another_format_has_no_size(data):
    assert first(np.frombuffer(data, np.uint8)).size is None
