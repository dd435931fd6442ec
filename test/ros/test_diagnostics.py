# SPDX-License-Identifier: Apache-2.0
"""The statuses on /diagnostics."""

from monodepth_ros.ros.live.diagnostics import Health

SILENCE = (
    "no camera_info on /camera/color/camera_info: assuming the camera that the checkpoint was trained on; publish it, "
    "remap with camera_info:=/your/topic, or set calibration_file"
)


def test_no_text_is_cut_by_tools_that_show_128_characters():
    health = Health("camera", "cpu", values={"view": "4:3 " * 60, "gyro": ""})
    health.warn(SILENCE)
    health.error("no image")
    status = health.status("depth_node")
    assert status.message == f"no image; {SILENCE}"
    values = {item.key: item.value for item in status.values}
    assert max(map(len, values.values())) <= 128
    assert values["problem 1"] == "no image" and values["gyro"] == ""
    assert f"{values['problem 2']} {values['problem 2 (2)']}" == SILENCE
    assert " ".join(value for key, value in values.items() if key.startswith("view")) == ("4:3 " * 60).strip()
