# SPDX-License-Identifier: Apache-2.0
"""`monodepth run --with-input` of a part of a recorded stream: what is copied can be decoded."""

from coded_streams import encode, number_in, write_stream

from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.offline.results.input_copy import InputCopy


def test_a_copy_begins_with_the_key_frame_that_its_first_picture_needs(tmp_path):
    path = write_stream(tmp_path / "drive.mcap", encode("h264"))
    with open_source(str(path), SourceOptions(start=0.75)) as source, BagWriter(tmp_path / "copy.mcap") as bag:
        copy = InputCopy(source, bag)
        frames = list(source.frames())
        for frame in frames:
            copy.until(frame)
        copy.close()
    with open_source(str(tmp_path / "copy.mcap")) as source:
        copied = [number_in(frame.pixels.array) for frame in source.frames()]
        assert not source.left_out and source.is_calibrated
    assert number_in(frames[0].pixels.array) == 8
    assert copied == list(range(5, 20))
