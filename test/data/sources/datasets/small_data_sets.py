# SPDX-License-Identifier: Apache-2.0
"""Small folders in the layouts of data sets, written by the tests of their readers."""

import json

import cv2
import numpy as np
from small_sources import picture

BEGIN_NS = 1_403_636_579_763_555_584
STEP_NS = 50_000_000


def stamps(count):
    return [BEGIN_NS + i * STEP_NS for i in range(count)]


def seconds(ns, digits=6):
    return f"{ns // 10**9}.{ns % 10**9:09d}"[: 11 + digits]


def write_tum(folder, count=4, size=(8, 6), lists=True):
    """A recording at 20 Hz that moves by 1 m/s along x; depth 5 ms later, of i + 1 metres."""
    for name in ("rgb", "depth"):
        (folder / name).mkdir(parents=True)
    lines = {"rgb": ["# color images", "# timestamp filename"], "depth": ["# depth maps", "# timestamp filename"]}
    for i, ns in enumerate(stamps(count)):
        color, depth = seconds(ns), seconds(ns + 5_000_000)
        cv2.imwrite(str(folder / "rgb" / f"{color}.png"), picture(i, *size))
        metres = np.full(size[::-1], 5000 * (i + 1), np.uint16)
        metres[0, 0] = 0
        cv2.imwrite(str(folder / "depth" / f"{depth}.png"), metres)
        lines["rgb"].append(f"{color} rgb/{color}.png")
        lines["depth"].append(f"{depth} depth/{depth}.png")
    for name in lines if lists else ():
        (folder / f"{name}.txt").write_text("\n".join(lines[name]) + "\n")
    rows = [f"{seconds(BEGIN_NS + i * STEP_NS // 2, 4)} {0.025 * i} 0 0 0 0 0 1" for i in range(-1, 2 * count)]
    (folder / "groundtruth.txt").write_text("# timestamp tx ty tz qx qy qz qw\n" + "\n".join(rows) + "\n")
    return folder


def sensor_yaml(camera=0, baseline=0.5, size=(8, 6), model="radial-tangential", D="[0, 0, 0, 0]"):
    """Cameras whose optical axes are those of the body, camera 1 half a metre to the right of camera 0."""
    T = [1, 0, 0, camera * baseline, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    return (
        f"# General sensor definitions.\nsensor_type: camera\nT_BS:\n  cols: 4\n  rows: 4\n  data: {T}\nrate_hz: 20\n"
        f"resolution: [{size[0]}, {size[1]}]\ncamera_model: pinhole\nintrinsics: [5, 5, 3.5, 2.5] #fu, fv, cu, cv\n"
        f"distortion_model: {model}\ndistortion_coefficients: {D}\n"
    )


def write_euroc(folder, count=4, cameras=1, sensor=True, truth=True):
    """mav0/ at 20 Hz with Windows line ends in its lists; the body moves by 1 m/s along x."""
    for camera in range(cameras):
        place = folder / "mav0" / f"cam{camera}"
        (place / "data").mkdir(parents=True)
        for i, ns in enumerate(stamps(count)):
            cv2.imwrite(str(place / "data" / f"{ns}.png"), picture(10 * camera + i)[..., 0])
        rows = ["#timestamp [ns],filename", *(f"{ns},{ns}.png" for ns in stamps(count))]
        (place / "data.csv").write_bytes(("\r\n".join(rows) + "\r\n").encode())
        if sensor:
            (place / "sensor.yaml").write_text(sensor_yaml(camera))
    if truth:
        write_euroc_truth(folder / "mav0" / "state_groundtruth_estimate0", count)
    return folder


def write_euroc_truth(place, count):
    place.mkdir(parents=True)
    names = "p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z []"
    rows = [f"{BEGIN_NS + i * STEP_NS // 2},{0.025 * i},0,0,1,0,0,0" for i in range(2 * count)]
    (place / "data.csv").write_text("\n".join([f"#timestamp, {names}", *rows]) + "\n")


def write_kitti_object(folder, count=2, scan=None):
    """training/ with images of different sizes, each with a calibration of its own; cameras 0.5 m apart."""
    root = folder / "training"
    for name in ("image_2", "image_3", "calib", "velodyne"):
        (root / name).mkdir(parents=True)
    for i in range(count):
        for name in ("image_2", "image_3"):
            cv2.imwrite(str(root / name / f"{i:06d}.png"), picture(i, 8 + i, 6))
        f = 5 + i
        rows = [f"P{n}: {f} 0 3.5 {-f * 0.5 * max(0, n - 2)} 0 {f} 2.5 0 0 0 1 0" for n in range(4)]
        rows += ["R0_rect: 1 0 0 0 1 0 0 0 1", "Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0"]
        (root / "calib" / f"{i:06d}.txt").write_text("\n".join(rows) + "\n\n")
        if scan is not None:
            np.array(scan, np.float32).tofile(root / "velodyne" / f"{i:06d}.bin")
    return root


def write_kitti_selection(folder):
    root = folder / "val_selection_cropped"
    for name in ("image", "groundtruth_depth", "intrinsics"):
        (root / name).mkdir(parents=True)
    for i in range(2):
        drive, end = "2011_09_26_drive_0002_sync", f"{5 + i:010d}_image_0{2 + i}"
        cv2.imwrite(str(root / "image" / f"{drive}_image_{end}.png"), picture(i))
        depth = np.full((6, 8), 256 * (2 + i), np.uint16)
        cv2.imwrite(str(root / "groundtruth_depth" / f"{drive}_groundtruth_depth_{end}.png"), depth)
        (root / "intrinsics" / f"{drive}_image_{end}.txt").write_text(f"{5 + i} 0 3.5 0 {5 + i} 2.5 0 0 1")
    return root


def write_nuscenes(folder, count=3):
    """Two cameras and a LiDAR on a car that drives along the map's x, the front camera looking along it."""
    us = [ns // 1000 for ns in stamps(count)]
    sensors = [("CAM_BACK", "camera"), ("CAM_FRONT", "camera"), ("LIDAR_TOP", "lidar")]
    optical = [0.5, -0.5, 0.5, -0.5]  # w x y z of optical axes on a car with x forward
    tables = {
        "sensor": [{"token": f"s{i}", "channel": name, "modality": kind} for i, (name, kind) in enumerate(sensors)],
        "calibrated_sensor": [
            {"token": f"c{i}", "sensor_token": f"s{i}", "translation": [1.0, 0.0, 1.5] if i < 2 else [0.0, 0.0, 1.5]}
            | {"rotation": optical if i < 2 else [1.0, 0.0, 0.0, 0.0]}
            | {"camera_intrinsic": [[5.0, 0.0, 3.5], [0.0, 5.0, 2.5], [0.0, 0.0, 1.0]] if i < 2 else []}
            for i in range(3)
        ],
        "ego_pose": [
            {"token": f"e{k}", "timestamp": t, "rotation": [1.0, 0.0, 0.0, 0.0], "translation": [100.0 + k, 20.0, 0.0]}
            for k, t in enumerate(us)
        ],
        "sample_data": [],
        "scene": [{"token": "a", "name": "scene-0061"}],
    }
    for i, (name, _) in enumerate(sensors):
        for k, t in enumerate(us):
            place = "sweeps" if k % 2 else "samples"
            file = f"{place}/{name}/n015-2018__{name}__{t}.{'pcd.bin' if i == 2 else 'jpg'}"
            (folder / place / name).mkdir(parents=True, exist_ok=True)
            if i == 2:  # one point, 11 m in front of the LiDAR
                np.array([11.0, 0, 0, 1, 0], np.float32).tofile(folder / file)
            else:
                cv2.imwrite(str(folder / file), picture(40 * k + i))
            row = {"token": f"d{i}{k}", "ego_pose_token": f"e{k}", "calibrated_sensor_token": f"c{i}"}
            tables["sample_data"].insert(0, row | {"timestamp": t, "filename": file, "is_key_frame": k % 2 == 0})
    (folder / "v1.0-mini").mkdir()
    for name, rows in tables.items():
        (folder / "v1.0-mini" / f"{name}.json").write_text(json.dumps(rows))
    return folder


def write_pandaset(folder, count=3):
    for name in ("front_camera", "right_camera"):
        place = folder / "camera" / name
        place.mkdir(parents=True)
        for i in range(count):
            cv2.imwrite(str(place / f"{i:02d}.jpg"), picture(40 * i))
        (place / "intrinsics.json").write_text(json.dumps({"fx": 5.0, "fy": 5.0, "cx": 3.5, "cy": 2.5}))
        (place / "timestamps.json").write_text("[" + ", ".join(seconds(ns) for ns in stamps(count)) + "]")
        heading = {"w": 1.0, "x": 0.0, "y": 0.0, "z": 0.0}
        poses = [{"position": {"x": float(i), "y": 0.0, "z": 1.0}, "heading": heading} for i in range(count)]
        (place / "poses.json").write_text(json.dumps(poses))
    (folder / "lidar").mkdir()
    (folder / "lidar" / "00.pkl.gz").write_bytes(b"not to be read")
    return folder
