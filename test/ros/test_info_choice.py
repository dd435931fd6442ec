# SPDX-License-Identifier: Apache-2.0
"""The camera_info that belongs to an image."""

from sensor_msgs.msg import CameraInfo

from monodepth_ros.ros.live.inputs.info_choice import MOST_CAMERAS, InfoChoice


def info(frame="camera", width=64, height=48, focal=50.0):
    message = CameraInfo(width=width, height=height)
    message.header.frame_id = frame
    message.k = [focal, 0.0, 31.5, 0.0, focal, 23.5, 0.0, 0.0, 1.0]
    return message


def choice_of(messages, publishers, period=0.1):
    choice = InfoChoice(lambda: publishers)
    for i, message in enumerate(messages):
        choice.take(message, period * i)
    return choice


def test_with_one_publisher_the_newest_serves_for_every_image():
    old, new = info(width=128, height=96), info()
    choice = choice_of([old, old, new], 1)
    assert choice.of_image("camera", (128, 96)) is new and not choice.conflict
    zooming = [info(focal=50.0 + i) for i in range(5)]
    assert choice_of(zooming, 1).of_image("camera", (64, 48)) is zooming[-1]


def test_of_two_cameras_the_one_of_the_image_serves():
    left, right, wide = info("left", focal=40.0), info("right", focal=60.0), info("right", 128, 96)
    for publishers in (1, 2):
        choice = choice_of([left, right] * 4, publishers)
        assert choice.of_image("left", (64, 48)) is left and choice.of_image("right", (64, 48)) is right
        assert "'left'" in choice.conflict and "'right'" in choice.conflict
        choice = choice_of([left, wide] * 4, publishers)
        assert choice.of_image("neither", (64, 48)) is left and choice.of_image("neither", (128, 96)) is wide


def test_a_driver_that_changes_its_size_or_frame_has_one_calibration():
    messages = [info(), info(width=128, height=96), info(), info(width=32, height=24)]
    choice = choice_of(messages, 1)
    assert choice.of_image("camera", (64, 48)) is messages[-1] and not choice.conflict
    choice = choice_of([info(), info("", focal=60.0)], 1)
    assert choice.of_image("camera", (64, 48)).k[0] == 60.0 and not choice.conflict


def test_two_latched_messages_do_not_age():
    left, right = info("left"), info("right")
    choice = choice_of([left, right], 2, period=1000.0)
    assert choice.of_image("left", (64, 48)) is left and choice.of_image("right", (64, 48)) is right


def test_different_calibrations_of_one_camera_do_not_alternate():
    first, second = info(focal=40.0), info(focal=60.0)
    choice = choice_of([first, second] * 10, 2)
    assert choice.of_image("camera", (64, 48)) is first and "different calibrations" in choice.conflict
    choice = choice_of([first, second] * 10, 1)
    kept = choice.of_image("camera", (64, 48))
    assert "different calibrations" in choice.conflict
    for i, message in enumerate([first, second] * 5):
        choice.take(message, 2.0 + 0.1 * i)
        assert choice.of_image("camera", (64, 48)).k[0] == kept.k[0], "it still alternates"


def test_ten_thousand_cameras_of_one_topic_are_neither_kept_nor_named():
    for publishers in (1, 2):
        choice = choice_of([info(f"camera{i}") for i in range(10_000)], publishers, period=1e-4)
        assert len(choice._infos) <= MOST_CAMERAS and len(choice.conflict) < 500


def test_the_calibration_of_a_driver_that_has_gone_is_replaced():
    first, second = info(focal=40.0), info(focal=60.0)
    choice = choice_of([first, second, *[second] * 150], 2)
    assert choice.of_image("camera", (64, 48)).k[0] == 60.0


def test_the_calibration_that_fits_is_the_better():
    choice = choice_of([info("left"), info("right", 128, 96)] * 2, 2)
    fits = [choice.fit(*image) for image in (("left", (64, 48)), ("x", (64, 48)), ("right", (9, 9)), ("x", (0, 0)))]
    assert fits == sorted(fits, reverse=True) and fits[0] > fits[1] > fits[2] > fits[3]
