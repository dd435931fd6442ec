# SPDX-License-Identifier: Apache-2.0
"""The files that describe the package agree with each other and with what the code imports."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from monodepth_ros.version import __version__

ROOT = Path(__file__).resolve().parents[2]

# Modules that are not called as the rosdep key and the PyPI project that bring them.
ROSDEP_KEYS = {
    "cv2": {"python3-opencv"},
    "numpy": {"python3-numpy"},
    "torch": {"python3-torch", "python3-pytorch-pip"},
    "transforms3d": {"python3-transforms3d"},
    "yaml": {"python3-yaml"},
    "tf2_ros": {"tf2_ros_py"},
}
PYPI_PROJECTS = {"cv2": "opencv-python-headless", "yaml": "PyYAML"}
WITHOUT_ROSDEP_KEY = {"onnx", "onnxruntime", "openvino", "rosbags", "safetensors"}


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg")
    return parser


def package_xml() -> ElementTree.Element:
    return ElementTree.parse(ROOT / "package.xml").getroot()


def run_time_dependencies() -> set[str]:
    """The keys that package.xml declares for run time."""
    return {element.text for element in package_xml() if element.tag in ("depend", "exec_depend")}


def required_projects() -> set[str]:
    """The PyPI projects that setup.cfg requires or, as extras, offers, without their versions."""
    options = setup_cfg()
    lines = [options["options"]["install_requires"], *options["options.extras_require"].values()]
    return {re.split(r"[<>=~!; ]", line)[0] for line in " ".join(lines).split()}


def third_party_imports() -> dict[str, str]:
    """Top-level module -> one file that imports it, over the package and the launch files, at any depth."""
    found = {}
    for path in [*ROOT.glob("monodepth_ros/**/*.py"), *ROOT.glob("launch/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.split(".")[0], str(path.relative_to(ROOT)))
    return {k: v for k, v in found.items() if k not in sys.stdlib_module_names and k != "monodepth_ros"}


def test_every_file_states_the_same_version():
    changelog = re.search(r"^(\d+\.\d+\.\d+) \(", (ROOT / "CHANGELOG.rst").read_text(), re.MULTILINE)
    versions = {
        "version.py": __version__,
        "setup.cfg": setup_cfg()["metadata"]["version"],
        "package.xml": package_xml().findtext("version"),
        "CHANGELOG.rst": changelog and changelog[1],
    }
    assert len(set(versions.values())) == 1, versions


def test_name_and_licence_agree():
    cfg, xml = setup_cfg()["metadata"], package_xml()
    assert (cfg["name"], cfg["license"]) == (xml.findtext("name"), xml.findtext("license"))
    assert "Apache License" in (ROOT / cfg["license_files"]).read_text()[:200]


def test_package_xml_declares_what_is_imported():
    declared = run_time_dependencies()
    missing = {
        module: where
        for module, where in third_party_imports().items()
        if module not in WITHOUT_ROSDEP_KEY and not ROSDEP_KEYS.get(module, {module}) <= declared
    }
    assert not missing, f"imported but not in package.xml: {missing}"


def test_setup_cfg_requires_what_is_imported():
    required, from_ros = required_projects(), run_time_dependencies()
    missing = {
        module: where
        for module, where in third_party_imports().items()
        if PYPI_PROJECTS.get(module, module) not in required
        and not ROSDEP_KEYS.get(module, {module}) & {key for key in from_ros if not key.startswith("python3-")}
    }
    assert not missing, f"imported but not in setup.cfg's requirements: {missing}"


def test_every_run_time_requirement_is_pinned():
    lines = (ROOT / "requirements" / "runtime.txt").read_text().splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line and not line.startswith("#")}
    required = required_projects()
    assert pinned == required, f"only in setup.cfg: {required - pinned}; only in runtime.txt: {pinned - required}"


def test_requirement_files_pin_exact_versions_for_the_wheels():
    for name in ("runtime", "build", "test", "constraints", "ros-jazzy", "ros-kilted"):
        lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
        loose = [line for line in lines if line.strip() and not line.startswith("#") and "==" not in line.split(";")[0]]
        assert not loose, f"{name}.txt: {loose}"


def test_console_scripts_name_modules_of_this_package():
    entries = setup_cfg()["options.entry_points"]["console_scripts"].split("\n")
    names = {}
    for entry in filter(None, entries):
        name, target = (part.strip() for part in entry.split("="))
        module, function = target.split(":")
        path = ROOT / (module.replace(".", "/") + ".py")
        assert path.is_file(), f"{name} = {target}: there is no {path.relative_to(ROOT)}"
        defined = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
        assert function in defined, f"{name} = {target}: {module} defines {sorted(defined)}"
        names[name] = module
    assert set(names) >= {"monodepth", "depth_node", "play", "demo"}, sorted(names)


def test_importing_the_package_imports_neither_torch_nor_rclpy():
    code = (
        "import sys, monodepth_ros, monodepth_ros.version\n"
        "print([name for name in ('torch', 'rclpy', 'numpy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]", result.stdout
