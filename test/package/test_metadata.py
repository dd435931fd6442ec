# SPDX-License-Identifier: Apache-2.0
"""The files that describe the package agree with each other and with what the code imports."""

import ast
import configparser
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Extras that are large and that no test needs: neither pinned nor part of the extra all; imported when asked for.
VIEWERS = {"rerun"}

# Modules that are not called as the rosdep key and the PyPI project that bring them.
ROSDEP_KEYS = {
    "cv2": {"python3-opencv"},
    "numpy": {"python3-numpy"},
    "torch": {"python3-torch", "python3-pytorch-pip"},
    "transforms3d": {"python3-transforms3d"},
    "yaml": {"python3-yaml"},
    "tf2_ros": {"tf2_ros_py"},
}
PYPI_PROJECTS = {
    "cv2": "opencv-python-headless",
    "google": "mcap-protobuf-support",
    "mcap_protobuf": "mcap-protobuf-support",
    "yaml": "PyYAML",
}
WITHOUT_ROSDEP_KEY = {
    "apsw",
    "av",
    "google",
    "lz4",
    "mcap",
    "mcap_protobuf",
    "onnx",
    "onnxruntime",
    "openvino",
    "rosbags",
    "safetensors",
    "zstandard",
}


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg")
    return parser


def package_xml() -> ElementTree.Element:
    return ElementTree.parse(ROOT / "package.xml").getroot()


def run_time_dependencies() -> set[str]:
    """The keys that package.xml declares for run time."""
    return {element.text for element in package_xml() if element.tag in ("depend", "exec_depend")}


def projects(requirements: str) -> set[str]:
    """PyPI projects in lines of requirements, without their versions and extras."""
    return {re.split(r"[\[<>=~!; ]", line)[0] for line in requirements.split("\n") if line.strip()}


def required_projects() -> set[str]:
    """The PyPI projects that setup.cfg requires or, as extras, offers at run time."""
    extras = setup_cfg()["options.extras_require"]
    offered = [requirements for name, requirements in extras.items() if name not in ("all", "test", *VIEWERS)]
    return projects("\n".join([setup_cfg()["options"]["install_requires"], *offered]))


def pins(requirements: str) -> dict[str, str]:
    """Project -> exact version, of the lines name==version in the text of a requirements file."""
    return dict(re.findall(r"^([A-Za-z0-9_.-]+)(?:\[\w+\])?==([^\s;]+)", requirements, re.MULTILINE))


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
    own = {"monodepth_ros", *VIEWERS}
    return {k: v for k, v in found.items() if k not in sys.stdlib_module_names and k not in own}


def test_name_and_licence_agree():
    cfg, xml = setup_cfg()["metadata"], package_xml()
    assert (cfg["name"], cfg["license"]) == (xml.findtext("name"), xml.findtext("license"))
    text = (ROOT / cfg["license_files"]).read_text()
    assert "Apache License" in text[:200]
    assert re.search(r"^ *Copyright \d{4} monodepth_ros contributors$", text, re.MULTILINE), (
        "no copyright line in LICENSE"
    )


def test_author_and_addresses_agree():
    cfg, xml = setup_cfg()["metadata"], package_xml()
    urls = {element.get("type"): element.text for element in xml.iter("url")}
    assert cfg["author"] == xml.findtext("author")
    assert cfg["url"] == urls["website"] == urls["repository"]
    addresses = dict(line.split(" = ") for line in cfg["project_urls"].strip().split("\n"))
    assert addresses["Issues"] == urls["bugtracker"]
    strangers = {text for text in [*addresses.values(), *urls.values()] if not text.startswith(cfg["url"])}
    assert not strangers, f"{strangers} do not lie below {cfg['url']}"


def test_extra_all_holds_every_engine_and_format():
    extras = setup_cfg()["options.extras_require"]
    (named,) = re.findall(r"^monodepth_ros\[(.*)\]$", extras["all"].strip())
    assert set(named.split(",")) == set(extras) - {"all", "test", *VIEWERS}


def test_extra_test_names_what_runs_the_tests():
    pinned = pins((ROOT / "requirements" / "test.txt").read_text())
    assert projects(setup_cfg()["options.extras_require"]["test"]) - {"monodepth_ros"} == {
        name for name in pinned if name.startswith("pytest")
    }


def test_classifiers_name_the_pythons_that_scripts_setup_takes():
    named = set(re.findall(r"Python :: (3\.\d+)$", setup_cfg()["metadata"]["classifiers"], re.MULTILINE))
    (pattern,) = re.findall(r"^ +3\.1\[(\d)-(\d)\]\.\*\)", (ROOT / "scripts" / "setup").read_text(), re.MULTILINE)
    assert named == {f"3.1{minor}" for minor in range(int(pattern[0]), int(pattern[1]) + 1)}


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
    pinned = set(pins((ROOT / "requirements" / "runtime.txt").read_text()))
    required = required_projects()
    assert pinned == required, f"only in setup.cfg: {required - pinned}; only in runtime.txt: {pinned - required}"


@pytest.mark.parametrize("name", ["runtime", "build", "test", "constraints", "ros-jazzy", "ros-kilted"])
def test_a_requirement_file_pins_exact_versions(name):
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    loose = [line for line in wanted if not re.match(r"[A-Za-z0-9_.-]+(\[\w+\])?==[\w.]+( |$)", line)]
    assert wanted and not loose, f"{name}.txt: {loose}"


def test_executables_name_modules_of_this_package():
    scripts = setup_cfg()["options.entry_points"]["console_scripts"].split("\n")
    entries = [entry.split("=") for entry in filter(None, scripts)] + list(setup_cfg()["ros_executables"].items())
    names = {}
    for name, target in ((name.strip(), target.strip()) for name, target in entries):
        module, function = target.split(":")
        path = ROOT / (module.replace(".", "/") + ".py")
        assert path.is_file(), f"{name} = {target}: there is no {path.relative_to(ROOT)}"
        defined = {n.name for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef)}
        assert function in defined, f"{name} = {target}: {module} defines {sorted(defined)}"
        names[name] = module
    assert set(names) == {"monodepth", "depth_node", "play", "demo", "camera_pose", "security_policy"}, sorted(names)


def test_importing_the_package_imports_neither_torch_nor_rclpy():
    code = (
        "import sys, monodepth_ros, monodepth_ros.version\n"
        "print([name for name in ('torch', 'rclpy', 'numpy') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]", result.stdout


def test_every_source_file_states_the_licence_of_the_package():
    line = f"# SPDX-License-Identifier: {setup_cfg()['metadata']['license']}"
    folders = ("monodepth_ros", "bench", "reliability", "test", "launch", "scripts")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    sources = [path for path in files if path.suffix == ".py" or path.parent.name == "scripts"]
    silent = [str(path.relative_to(ROOT)) for path in sources if line not in path.read_text().splitlines()[:2]]
    assert len(sources) > 300 and not silent, silent
