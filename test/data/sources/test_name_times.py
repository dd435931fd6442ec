# SPDX-License-Identifier: Apache-2.0
"""Times of images: read from names that hold some, listed in times.txt, or assumed with a note."""

import cv2
import pytest
from small_sources import picture, read

from monodepth_ros.data.sources.name_times import times_of_names
from monodepth_ros.data.sources.open_source import open_source

S = 1_000_000_000


@pytest.mark.parametrize(
    ("names", "stamps"),
    [
        (["1305031102.175304", "1305031102.211214"], [1305031102175304000, 1305031102211214000]),
        (["1403636579763555584", "1403636579813555456"], [1403636579763555584, 1403636579813555456]),
        (["1557539956450", "1557539956550"], [1557539956450000000, 1557539956550000000]),
        (["1557539956450180", "1557539956550184"], [1557539956450180000, 1557539956550184000]),
        (["left_1403636579763555584_r", "left_1403636579813555456_r"], [1403636579763555584, 1403636579813555456]),
        (["1622222222_5000000", "1622222222_105000000"], [1622222222005000000, 1622222222105000000]),
        (["1622222222-005000000", "1622222222-105000000"], [1622222222005000000, 1622222222105000000]),
        (["20240131_101530_123", "20240131_101530_223"], [1706696130123000000, 1706696130223000000]),
        (["IMG_20240131_101530", "IMG_20240131_101532"], [1706696130 * S, 1706696132 * S]),
        (["2011-09-26-13-02-25-594360", "2011-09-26-13-02-25-694360"], [1317042145594360000, 1317042145694360000]),
        (["2011-09-26T13:02:25.5", "2011-09-26T13:02:25.75"], [1317042145500000000, 1317042145750000000]),
        (["20240131101530123", "20240131101530223"], [1706696130123000000, 1706696130223000000]),
        (["000001_1557539956450", "000002_1557539956550"], [1557539956450000000, 1557539956550000000]),
        (
            ["2018-07-09-16-11-56_2018-07-09-16-13-38-366-left", "2018-07-09-16-11-56_2018-07-09-16-14-54-205-left"],
            [1531152818366000000, 1531152894205000000],
        ),
        (["n015__CAM__1532402927612460", "n015__CAM__1532402927662460"], [1532402927612460000, 1532402927662460000]),
        (
            [f"n015-2018-07-24-11-22-45+0800__CAM_FRONT__{us}" for us in (1532402927612460, 1532402927662460)],
            [1532402927612460000, 1532402927662460000],
        ),
        (["0.000000", "0.033333", "0.066667"], [0, 33_333_000, 66_667_000]),
        (["8472984756123", "8473018089456", "8473051422789"], [8472984756123, 8473018089456, 8473051422789]),
        (["1403636579763555584"], [1403636579763555584]),
    ],
)  # fmt: skip
def test_names_that_hold_times_give_them_to_the_nanosecond(names, stamps):
    found = times_of_names(names)
    assert found is not None, names
    assert [found.stamps_ns[i] for i in range(len(names))] == stamps


@pytest.mark.parametrize(
    "names",
    [
        ["0000000000", "0000000001", "0000000002"],
        ["000000", "000005", "000010"],
        ["1", "2", "10"],
        ["frame_1000", "frame_2000", "frame_3000"],
        ["a", "b"],
        ["20240131_0001", "20240131_0002", "20240131_0003"],  # a date and a count
        ["20240131_101530_001", "20240131_101530_002", "20240131_101530_003"],  # a burst, counted
        ["20241331_101530_100", "20241331_101530_200"],  # no month has this number
        ["1305031102.175304", "1305031102.175304 (copy)"],
        ["391895", "522418", "184613", "318219"],  # numbers of a photo collection
        ["scene1_v2", "scene1_v3"],
    ],
)
def test_numbers_that_count_and_other_names_are_no_times(names):
    assert times_of_names(names) is None


def test_images_are_in_the_order_of_the_times_in_their_names(tmp_path):
    for value, name in enumerate(("1305031102.9", "1305031103.0", "1305031103.1", "1305031103.25")):
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture(value))
    cv2.imwrite(str(tmp_path / "mask.png"), picture(100))
    source, frames = read(tmp_path)
    assert [int(f.pixels.array[0, 0, 0]) for f in frames] == [0, 1, 2, 3]
    assert frames[3].stamp_ns - frames[0].stamp_ns == 350_000_000
    assert "times are read from the file names (10.0 Hz)" in source.notes
    assert any("left out, because their names hold no time: 1 images, mask.png first" in n for n in source.notes)
    assert read(tmp_path / "mask.png")[1][0].stamp_ns == 1, "alone it needs none"
    assert read(tmp_path / "1305031103.*.png")[1][1].stamp_ns == 1305031103100000000


def test_a_rate_and_times_txt_come_before_the_names_and_no_times_at_all_are_noted(tmp_path):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{1403636579763555584 + i * 50_000_000}.png"), picture(i))
    source, frames = read(tmp_path)
    assert frames[2].stamp_ns == 1403636579863555584 and "(20.0 Hz)" in source.notes[0]
    source, frames = read(tmp_path, rate=4.0)
    assert [f.stamp_ns for f in frames] == [1, 250_000_000, 500_000_000]
    assert not any("times" in note for note in source.notes)
    (tmp_path / "times.txt").write_text("0.0\r\n0.5\r\n1.0\r\n")
    assert read(tmp_path)[1][1].stamp_ns == 500_000_000
    (tmp_path / "times.txt").write_text("1403636579763555584\n1403636579813555584\n1403636579863555584\n")
    source, frames = read(tmp_path)
    assert frames[1].stamp_ns == 1403636579813555584
    assert any("are taken as nanoseconds" in note for note in source.notes)
    (tmp_path / "b").mkdir()
    for i in range(2):
        cv2.imwrite(str(tmp_path / "b" / f"{i:010d}.png"), picture(i))
    source, frames = read(tmp_path / "b")
    assert frames[1].stamp_ns == 100_000_000
    assert "the images have no times: 10 Hz is assumed, --rate HZ states another" in source.notes


def test_a_stamp_is_found_again_to_the_nanosecond(tmp_path):
    for i in range(3):
        cv2.imwrite(str(tmp_path / f"{1403636579763555584 + i}.png"), picture(i))
        cv2.imwrite(str(tmp_path / f"{1403636579863555584 + i * 50_000_000}.png"), picture(10 + i))
    with open_source(str(tmp_path)) as source:
        frames = list(source.frames())
        assert len({f.stamp_ns for f in frames}) == 6
        for frame in frames:
            assert source.read(frame.stamp_ns, frame.received_ns).array[0, 0, 0] == frame.pixels.array[0, 0, 0]
