# SPDX-License-Identifier: Apache-2.0
"""Published weights: folders and files, complete, incomplete, damaged and hostile."""

import os
import pickle
import tarfile
import warnings
import zipfile

import pytest
import torch

from monodepth_ros.networks.checkpoints.checkpoint import load_checkpoint
from monodepth_ros.networks.checkpoints.header import CheckpointError
from monodepth_ros.networks.checkpoints.monodepth2_format import published_parts
from monodepth_ros.networks.registry import build_depth, build_pose

MONO = {"height": 64, "width": 96, "use_stereo": False}
PARTS = ("encoder", "depth", "pose_encoder", "pose")


def state_dicts(depth, pose="", settings=MONO, random=True):
    """The content of each file. Without `random` each tensor stores one number, which keeps the files small."""
    if random:
        networks = build_depth(depth), build_pose(pose) if pose else None
    else:
        with torch.device("meta"):
            networks = build_depth(depth), build_pose(pose) if pose else None
    files = {}
    for part, module in published_parts(*networks).items():
        files[part] = dict(module.state_dict())
        if not random:
            files[part] = {key: torch.zeros((), dtype=t.dtype).expand(t.shape) for key, t in files[part].items()}
    files["encoder"].update(settings)
    return files


def write(folder, files):
    folder.mkdir(exist_ok=True)
    for part, content in files.items():
        torch.save(content, folder / f"{part}.pth")
    return folder


@pytest.fixture
def small(tmp_path):
    """A complete folder with a small network and PoseCNN."""
    return write(tmp_path / "small", state_dicts("rt_monodepth_s", "posecnn"))


def refused(path, expected, names=None):
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(names or path) in message and "\n" not in message and "Traceback" not in message, message
    assert len(message) < 500, message
    return message


def test_four_files_with_classifier_and_settings_load(tmp_path):
    files = state_dicts("resnet18", "separate_resnet18", {"height": 320, "width": 1024, "use_stereo": True})
    for part in ("encoder", "pose_encoder"):
        files[part]["encoder.fc.weight"] = torch.zeros(1000, 512)
        files[part]["encoder.fc.bias"] = torch.zeros(1000)
    checkpoint = load_checkpoint(write(tmp_path / "weights", files))
    header = checkpoint.header
    assert header.depth_network == "resnet18" and header.pose_network == "separate_resnet18"
    assert (header.width, header.height) == (1024, 320)
    assert header.is_metric and header.scale_factor == 5.4 and "0.54 m" in header.scale_origin
    assert header.training_camera == (0.58, 1.92, 0.5, 0.5)
    assert "non-commercial" in header.licence
    for part, module in published_parts(checkpoint.depth, checkpoint.pose).items():
        assert not module.training
        for key, tensor in module.state_dict().items():
            assert torch.equal(tensor, files[part][key]), f"{part}: {key}"


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "rt_monodepth_s"])
def test_depth_networks_are_recognised_by_their_tensors(tmp_path, name):
    checkpoint = load_checkpoint(write(tmp_path / "weights", state_dicts(name, random=False)))
    assert checkpoint.header.depth_network == name
    assert checkpoint.header.pose_network == "" and checkpoint.pose is None


@pytest.mark.parametrize(
    ("depth", "pose"),
    [
        ("rt_monodepth_s", "separate_resnet18"),
        ("resnet18", "separate_resnet50"),
        ("resnet18", "shared_resnet18"),
        ("resnet50", "shared_resnet50"),
        ("resnet18", "posecnn"),
    ],
)
def test_pose_networks_are_recognised_by_their_tensors(tmp_path, depth, pose):
    checkpoint = load_checkpoint(write(tmp_path / "weights", state_dicts(depth, pose, random=False)))
    assert (checkpoint.header.depth_network, checkpoint.header.pose_network) == (depth, pose)


@pytest.mark.parametrize("part", PARTS)
def test_the_path_of_one_file_loads_its_folder(tmp_path, part):
    folder = write(tmp_path / "weights", state_dicts("rt_monodepth_s", "separate_resnet18", random=False))
    checkpoint = load_checkpoint(folder / f"{part}.pth")
    assert checkpoint.header.pose_network == "separate_resnet18"
    assert checkpoint.path == folder and checkpoint.sha256 == load_checkpoint(folder).sha256


def test_one_file_with_all_parts_loads_in_every_unambiguous_layout(tmp_path):
    files = state_dicts("resnet18", "posecnn")
    named = {part: {k: v for k, v in content.items() if k not in MONO} for part, content in files.items()}
    layouts = {
        "nested": files,
        "nested, settings outside": {**named, **MONO},
        "prefixed": {f"{part}.{key}": value for part, content in named.items() for key, value in content.items()}
        | MONO,
    }
    for name, content in layouts.items():
        path = tmp_path / "all.pth"
        torch.save(content, path)
        checkpoint = load_checkpoint(path)
        assert checkpoint.header.pose_network == "posecnn", name
        assert (checkpoint.header.width, checkpoint.header.height) == (96, 64), name
    torch.save({**files["encoder"], **files["depth"]}, path)
    assert load_checkpoint(path).header.summary() == "resnet18 96x64, relative scale, no pose network"


@pytest.mark.parametrize("part", ["encoder", "depth"])
def test_one_file_with_a_single_part_is_refused_with_the_missing_part(tmp_path, part):
    path = tmp_path / "weights_only_half.pth"
    torch.save(state_dicts("resnet18", random=False)[part], path)
    refused(path, "holds no (encoder|depth) part; give a folder")


@pytest.mark.parametrize("parts", [{"encoder": {1: 2}, "depth": {}}, {"encoder": [], "depth": {}}, {"depth": 3}])
def test_one_file_with_parts_without_named_tensors_is_refused(tmp_path, parts):
    path = tmp_path / "all.pth"
    torch.save(parts, path)
    refused(path, "expected named tensors|holds no encoder")


def test_files_of_old_pytorch_load(tmp_path):
    folder = tmp_path / "old"
    folder.mkdir()
    for part, content in state_dicts("rt_monodepth_s").items():
        torch.save(content, folder / f"{part}.pth", _use_new_zipfile_serialization=False)
    assert load_checkpoint(folder).header.depth_network == "rt_monodepth_s"


def test_counters_of_newer_pytorch_may_be_absent(tmp_path):
    files = state_dicts("resnet18", random=False)
    files["encoder"] = {k: v for k, v in files["encoder"].items() if not k.endswith("num_batches_tracked")}
    assert load_checkpoint(write(tmp_path / "weights", files)).header.depth_network == "resnet18"


@pytest.mark.parametrize(
    ("settings", "size", "is_metric"),
    [
        ({}, (640, 192), False),
        ({"use_stereo": True}, (640, 192), True),
        ({"height": 192, "width": 640, "use_stereo": 1}, (640, 192), True),
        (
            {"height": torch.tensor(320), "width": torch.tensor([1024]), "use_stereo": torch.tensor(True)},
            (1024, 320),
            True,
        ),
        ({"height": 320.0, "width": 1024.0, "use_stereo": torch.tensor(0)}, (1024, 320), False),
    ],
)
def test_settings_are_read_in_all_stored_forms(tmp_path, settings, size, is_metric):
    folder = write(tmp_path / "weights", state_dicts("rt_monodepth_s", settings=settings, random=False))
    header = load_checkpoint(folder).header
    assert (header.width, header.height) == size
    assert header.is_metric is is_metric and header.scale_factor == (5.4 if is_metric else 1.0)
    assert ("not stated" in header.scale_origin) == ("use_stereo" not in settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"height": 190}, "multiples of 32"),
        ({"height": -192}, "multiples of 32"),
        ({"height": "192"}, "height is '192', expected a whole number"),
        ({"width": 640.5}, "width is 640.5, expected a whole number"),
        ({"width": torch.ones(1).to_sparse()}, "width is a tensor of shape .*, expected a whole number"),
        ({"width": torch.zeros(2)}, "width is a tensor of shape .*, expected a whole number"),
        ({"width": 10**30}, "multiples of 32|at most 8192"),
        ({"height": None}, "states only one of width and height"),
        ({"use_stereo": "yes"}, "use_stereo is 'yes', expected"),
    ],
)
def test_wrong_settings_are_refused_by_name(tmp_path, settings, expected):
    folder = write(tmp_path / "weights", state_dicts("rt_monodepth_s", settings={**MONO, **settings}, random=False))
    refused(folder, expected, names=folder / "encoder.pth")


@pytest.mark.parametrize("missing", ["encoder", "depth"])
def test_a_missing_depth_file_is_refused_by_name(small, missing):
    (small / f"{missing}.pth").unlink()
    refused(small, f"no {missing}.pth; expected encoder.pth and depth.pth")


@pytest.mark.parametrize(("missing", "remaining"), [("pose_encoder", "decoder"), ("pose", "encoder")])
def test_half_a_pose_network_is_refused(tmp_path, missing, remaining):
    folder = write(tmp_path / "weights", state_dicts("rt_monodepth_s", "separate_resnet18", random=False))
    (folder / f"{missing}.pth").unlink()
    refused(
        folder,
        f"missing beside the pose {remaining}.*add it, or remove both",
        names=folder / f"{missing}.pth",
    )


def test_the_error_for_a_folder_without_weights_names_the_weights_near_it(tmp_path, small):
    refused(tmp_path, "give one of its sub-folders: small")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, "no encoder.pth; expected encoder.pth and depth.pth")
    (empty / "mine.safetensors").write_bytes(b"")
    refused(empty, "give the path of a checkpoint in it: mine.safetensors")


class Hostile:
    """An object whose unpickling runs a command that creates a file."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def torch_file(path, content):
    torch.save(content, path)


def old_torch_file(path, content):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def bare_pickle(path, content):
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("save", [torch_file, old_torch_file, bare_pickle])
@pytest.mark.parametrize("part", PARTS)
def test_pickled_code_is_never_run(tmp_path, save, part):
    folder = write(tmp_path / "weights", state_dicts("rt_monodepth_s", "separate_resnet18", random=False))
    mark = tmp_path / "executed"
    save(folder / f"{part}.pth", {"encoder.conv1.weight": torch.zeros(2), "height": Hostile(mark)})
    message = refused(folder, "holds code or objects|not a PyTorch weight file", names=folder / f"{part}.pth")
    assert not mark.exists(), message
    if save is torch_file:
        assert "system" in message and "nothing of it was run" in message


@pytest.mark.parametrize("name", ["all.pth", "all.pt", "all.safetensors", "encoder.pth"])
def test_pickled_code_in_a_single_file_is_never_run(tmp_path, name):
    mark = tmp_path / "executed"
    torch.save({"encoder": Hostile(mark), "depth": {}}, tmp_path / name)
    refused(tmp_path / name, "holds code or objects|not a safetensors file")
    assert not mark.exists()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.99])
def test_a_truncated_file_is_refused_by_name(tmp_path, part, share):
    folder = write(tmp_path / "weights", state_dicts("rt_monodepth_s", "separate_resnet18", random=False))
    path = folder / f"{part}.pth"
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(folder, "empty|truncated|damaged", names=path)


@pytest.mark.parametrize("cut", [10, 500, 1_000_000])
def test_a_truncated_file_of_old_pytorch_is_refused_by_name(small, cut):
    path = small / "encoder.pth"
    torch.save(state_dicts("rt_monodepth_s")["encoder"], path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:cut])
    refused(small, "damaged", names=path)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8, id="picture"),
        pytest.param(b"<html>404: not found</html>", id="web page"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", id="git-lfs pointer"),
        pytest.param(b"\x00" * 4096, id="zeros"),
        pytest.param(b"\x80\x02", id="start of a pickle"),
        pytest.param(b"\x1f\x8b\x08\x00" + b"\x00" * 64, id="gzip"),
        pytest.param(b"PK\x03\x04" + b"\x00" * 64, id="broken archive"),
        pytest.param(pickle.dumps({"a": 1}), id="plain pickle"),
    ],
)
def test_foreign_files_are_refused(small, content):
    (small / "depth.pth").write_bytes(content)
    refused(small, "not a PyTorch weight file|damaged|lacks", names=small / "depth.pth")


def test_flipped_bytes_cause_no_other_error(small):
    path = small / "encoder.pth"
    good = path.read_bytes()
    for start in range(0, 3000, 150):
        path.write_bytes(good[:start] + bytes(byte ^ 0x55 for byte in good[start : start + 40]) + good[start + 40 :])
        try:
            load_checkpoint(small)
        except CheckpointError as error:
            assert str(path) in str(error) and "\n" not in str(error)


def test_an_archive_without_weights_is_refused(small):
    with zipfile.ZipFile(small / "encoder.pth", "w") as archive:
        archive.writestr("readme.txt", "weights are elsewhere")
    refused(small, "not a PyTorch weight file", names=small / "encoder.pth")


def test_a_tar_archive_is_refused(small):
    with tarfile.open(small / "encoder.pth", "w") as archive:
        archive.add(small / "depth.pth", "pickle")
    refused(small, "a tar archive", names=small / "encoder.pth")


def test_an_archive_that_would_unpack_to_gigabytes_is_refused(small):
    with zipfile.ZipFile(small / "encoder.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("archive/data/0", "w") as entry:
            for _ in range(64):
                entry.write(bytes(2**20))
    refused(small, "unpacks to 67108864 bytes", names=small / "encoder.pth")


def test_a_traced_model_is_refused(small):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing is deprecated, its files are not
        torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), small / "encoder.pth")
    refused(small, "not a PyTorch weight file|holds code", names=small / "encoder.pth")


@pytest.mark.parametrize("content", [[torch.zeros(2)], torch.zeros(2), 7, {1: torch.zeros(2)}, {}, {"state_dict": {}}])
def test_files_without_named_tensors_are_refused(small, content):
    torch.save(content, small / "encoder.pth")
    refused(small, "expected named tensors|neither a ResNet", names=small / "encoder.pth")


@pytest.mark.parametrize(
    ("part", "key", "value", "expected"),
    [
        (
            "encoder",
            "conv1.weight",
            torch.zeros(64, 1, 7, 7),
            r"shape \(64, 1, 7, 7\), expected \(64, 3, 7, 7\)",
        ),
        ("encoder", "conv1.weight", torch.zeros(()).expand(2**20, 2**20, 2**20), "shape"),
        (
            "encoder",
            "conv1.weight",
            torch.full((64, 3, 7, 7), float("nan")),
            "9408 values that are not finite",
        ),
        ("encoder", "conv1.weight", torch.full((64, 3, 7, 7), float("inf")), "not finite"),
        (
            "encoder",
            "conv1.weight",
            torch.zeros(64, 3, 7, 7, dtype=torch.complex64),
            "complex64, expected floating",
        ),
        ("encoder", "conv1.weight", torch.zeros(64, 3, 7, 7).to_sparse(), "not a plain tensor"),
        ("encoder", "conv1.weight", torch.zeros(64, 3, 7, 7, device="meta"), "not a plain tensor"),
        ("encoder", "conv1.weight", 3.0, "not a plain tensor"),
        ("encoder", "conv1.weight", None, "not a plain tensor"),
        ("encoder", "attention.weight", torch.zeros(2), "holds unknown 1 tensors"),
        ("depth", "decoder.11.conv3.weight", torch.zeros(2), "holds unknown 1 tensors"),
        ("pose", "net.7.weight", torch.zeros(2), "holds unknown 1 tensors"),
    ],
)
def test_wrong_tensors_are_refused_with_the_name_of_their_file(tmp_path, part, key, value, expected):
    files = state_dicts("rt_monodepth_s", "posecnn", random=False)
    files[part][key] = value
    folder = write(tmp_path / "weights", files)
    assert key in refused(folder, expected, names=folder / f"{part}.pth")


def test_files_of_different_networks_are_refused(tmp_path):
    files = state_dicts("resnet18", random=False)
    files["depth"] = state_dicts("resnet50", random=False)["depth"]
    folder = write(tmp_path / "weights", files)
    refused(folder, r"decoder.0.conv.conv.weight has shape \(256, 2048, 3, 3\)", names=folder / "depth.pth")


def test_a_pose_network_for_three_images_is_refused(tmp_path):
    files = state_dicts("rt_monodepth_s", "separate_resnet18", random=False)
    files["pose_encoder"]["encoder.conv1.weight"] = torch.zeros(64, 9, 7, 7)
    folder = write(tmp_path / "weights", files)
    refused(folder, r"shape \(64, 9, 7, 7\), expected \(64, 6, 7, 7\)", names=folder / "pose_encoder.pth")


def test_a_pose_encoder_other_than_a_resnet_is_refused(tmp_path):
    files = state_dicts("rt_monodepth_s", "separate_resnet18", random=False)
    files["pose_encoder"] = {"backbone.weight": torch.zeros(2)}
    folder = write(tmp_path / "weights", files)
    refused(folder, "not a ResNet", names=folder / "pose_encoder.pth")


def test_other_files_in_the_folder_are_ignored(small):
    (small / "adam.pth").write_bytes(b"\x80\x04cos\nsystem\n.")
    assert load_checkpoint(small).header.pose_network == "posecnn"
