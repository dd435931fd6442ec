# SPDX-License-Identifier: Apache-2.0
"""Images whose stamps are not in the order of their arrival."""

import numpy as np
import pytest
from small_sources import START_NS, TENTH, picture, read

from monodepth_ros.data.bags import messages
from monodepth_ros.data.bags.recording import RawMessage, RecordingError
from monodepth_ros.data.bags.writer import BagWriter
from monodepth_ros.data.sources.bag_images import RecordedImage
from monodepth_ros.data.sources.open_source import open_source
from monodepth_ros.data.sources.source import SourceOptions
from monodepth_ros.data.sources.stamp_order import StampOrder


def image(index, stamp_ns):
    return RecordedImage(index, stamp_ns, START_NS + index * TENTH, None)


def sorted_stamps(stamps_ns):
    order = StampOrder()
    return [item.stamp_ns for item in order(image(i, stamp) for i, stamp in enumerate(stamps_ns))], order


def steady(count, start=0):
    return [START_NS + (start + i) * TENTH for i in range(count)]


@pytest.mark.parametrize("swaps", [[(6, 7), (13, 14)], [(0, 1)], [(3, 6)], [(18, 19)], [(5, 8), (6, 9)]])
def test_images_that_arrived_out_of_order_are_sorted(swaps):
    stamps = steady(20)
    for a, b in swaps:
        stamps[a], stamps[b] = stamps[b], stamps[a]
    found, order = sorted_stamps(stamps)
    assert found == steady(20) and not order.strays
    assert order.sorted_count >= len(swaps)


@pytest.mark.parametrize("place", [0, 1, 7, 15, 18])
@pytest.mark.parametrize("far", [80 * 365 * 86_400 * 10**9, -3600 * 10**9, 10**10])
def test_single_images_with_a_stamp_far_away_are_left_out(place, far):
    stamps = steady(20)
    stamps[place] += far
    found, order = sorted_stamps(stamps)
    assert found == [stamp for i, stamp in enumerate(steady(20)) if i != place]
    assert order.strays == [stamps[place]]


@pytest.mark.parametrize("step", [60 * 10**9, -60 * 10**9, -1_500_000_000])
def test_a_step_of_the_clock_is_kept(step):
    stamps = steady(12) + [stamp + step for stamp in steady(12, 12)]
    found, order = sorted_stamps(stamps)
    assert found == stamps and not order.strays


def test_images_of_a_slow_camera_are_in_one_run():
    stamps = [START_NS + i * 60 * 10**9 for i in range(12)]
    stamps[4], stamps[5] = stamps[5], stamps[4]
    assert sorted_stamps(stamps)[0] == sorted(stamps)


def test_an_image_that_comes_too_late_is_left_out():
    stamps = steady(20)
    stamps.insert(15, stamps.pop(2) + 1)
    found, order = sorted_stamps(stamps)
    assert found == sorted(found) and order.strays == [START_NS + 2 * TENTH + 1]


def test_equal_stamps_and_short_recordings_pass():
    assert sorted_stamps([START_NS] * 9)[0] == [START_NS] * 9
    assert sorted_stamps([START_NS])[0] == [START_NS] and sorted_stamps([])[0] == []


def test_calibrations_stay_before_the_images_that_they_arrived_before():
    def info(number):
        return RawMessage("/camera_info", START_NS, bytes([number]), "sensor_msgs/msg/CameraInfo")

    items = []
    for i, stamp in enumerate(steady(12)):
        items += [info(i), image(i, stamp)]
    items[9], items[11] = items[11], items[9]  # images 4 and 5
    found = list(StampOrder()([*items, info(12)]))
    assert [item.data[0] for item in found if isinstance(item, RawMessage)] == list(range(13))
    newest = {}
    for item in found:
        if isinstance(item, RawMessage):
            last = item.data[0]
        else:
            newest[item.stamp_ns] = last
    assert newest == {stamp: max(i, 5) if i in (4, 5) else i for i, stamp in enumerate(steady(12))}


def write(path, stamps_ns, delay_ns=0):
    with BagWriter(path) as bag:
        bag.add_topic("/camera/image_raw", "sensor_msgs/msg/Image")
        for i, stamp in enumerate(stamps_ns):
            header = messages.header(stamp, "camera")
            bag.write("/camera/image_raw", START_NS + i * TENTH + delay_ns, messages.image(header, picture(i), "rgb8"))
    return path


def test_a_recording_without_stamps_uses_the_receive_times_and_says_so(tmp_path):
    source, frames = read(write(tmp_path / "bag", [0] * 6))
    assert [frame.stamp_ns for frame in frames] == steady(6)
    assert any("all 6 stamps of /camera/image_raw are 0" in note for note in source.notes), source.notes
    with open_source(str(tmp_path / "bag"), SourceOptions()) as again:
        np.testing.assert_array_equal(again.read(steady(6)[3], steady(6)[3]).array, picture(3))


@pytest.mark.parametrize("unstamped", [[0], [3, 9], range(1, 20, 2), range(2, 20)])
def test_single_images_without_a_stamp_stay_in_their_place_whatever_the_delay(tmp_path, unstamped):
    stamps = [0 if i in unstamped else stamp for i, stamp in enumerate(steady(20))]
    source, frames = read(write(tmp_path / "bag", stamps, delay_ns=3 * TENTH))
    assert [frame.stamp_ns for frame in frames] == steady(20)
    assert [frame.pixels.array[0, 0, 0] for frame in frames] == list(range(20))
    assert (
        f"the stamps of {len(unstamped)} images are 0: the receive times are used, less the usual delay" in source.notes
    )
    place = unstamped[0]
    with open_source(str(tmp_path / "bag"), SourceOptions()) as again:
        pixels = again.read(frames[place].stamp_ns, frames[place].received_ns)
        np.testing.assert_array_equal(pixels.array, picture(place))


def test_a_recording_out_of_order_gives_its_images_by_stamp_and_says_so(tmp_path):
    stamps = steady(8)
    stamps[3], stamps[4] = stamps[4], stamps[3]
    source, frames = read(write(tmp_path / "bag", stamps))
    assert [frame.stamp_ns for frame in frames] == steady(8)
    assert [frame.pixels.array[0, 0, 0] for frame in frames] == [0, 1, 2, 4, 3, 5, 6, 7]
    assert [frame.name for frame in frames] == [f"{i:06d}" for i in range(8)]
    assert "1 image out of order: sorted by stamp" in source.notes


def test_an_image_from_the_future_is_counted(tmp_path):
    stamps = steady(8)
    stamps[3] = 4_000_000_000 * 10**9 // 2
    source, frames = read(write(tmp_path / "bag", stamps))
    assert len(frames) == 7 and source.left_out == {"a stamp far from those of the images around it": 1}


def test_images_before_damaged_bytes_come_out_before_the_error():
    def damaged():
        yield from (image(i, stamp) for i, stamp in enumerate(steady(3)))
        raise RecordingError("damaged from here on")

    found = []
    with pytest.raises(RecordingError, match="damaged from here on"):
        for item in StampOrder()(damaged()):
            found.append(item.stamp_ns)
    assert found == steady(3)
