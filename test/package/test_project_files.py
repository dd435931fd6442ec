# SPDX-License-Identifier: Apache-2.0
"""Workflows, hooks, templates and the files for other programs: they parse, and agree with the rest of the project."""

import configparser
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
YAML_FILES = sorted(
    [
        *(ROOT / ".github").rglob("*.y*ml"),
        *(ROOT / "config").glob("*.yaml"),
        *(ROOT / name for name in (".pre-commit-config.yaml", "CITATION.cff", "rosdoc2.yaml")),
    ]
)
DISTRIBUTIONS = {"foxy", "galactic", "humble", "iron", "jazzy", "kilted", "lyrical"}


def read(name: str) -> dict:
    return yaml.safe_load((ROOT / name).read_text())


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.read(ROOT / "setup.cfg")
    return parser


def steps(workflow: dict) -> list[dict]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def commands(workflow: dict) -> str:
    return "\n".join(step["run"] for step in steps(workflow) if "run" in step)


@pytest.mark.parametrize("path", YAML_FILES, ids=[str(path.relative_to(ROOT)) for path in YAML_FILES])
def test_file_is_yaml_with_settings_in_it(path):
    documents = list(yaml.safe_load_all(path.read_text()))
    assert documents and all(isinstance(document, dict) and document for document in documents)


@pytest.mark.parametrize("name", ["ros", "python"])
class TestWorkflow:
    def test_runs_for_pushes_and_pull_requests_and_may_only_read(self, name):
        workflow = read(f".github/workflows/{name}.yaml")
        events = workflow[True]  # "on" is a boolean in YAML 1.1
        assert set(events) == {"push", "pull_request", "workflow_dispatch"}
        assert workflow["permissions"] == {"contents": "read"}

    def test_every_action_has_a_version_and_every_job_a_limit(self, name):
        workflow = read(f".github/workflows/{name}.yaml")
        used = [step["uses"] for step in steps(workflow) if "uses" in step]
        assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used), used
        assert all(0 < job["timeout-minutes"] <= 360 for job in workflow["jobs"].values())

    def test_every_script_that_it_calls_is_there(self, name):
        called = set(re.findall(r"\bscripts/\w+", commands(read(f".github/workflows/{name}.yaml"))))
        assert all((ROOT / script).is_file() for script in called), called


def matrix_of_distributions() -> tuple[set[str], set[str]]:
    """(those that must pass, those that may fail) of the ROS workflow."""
    matrix = read(".github/workflows/ros.yaml")["jobs"]["colcon"]["strategy"]["matrix"]
    assert matrix["may_fail"] == [False]
    return set(matrix["distro"]), {entry["distro"] for entry in matrix["include"] if entry["may_fail"]}


def test_the_ros_workflow_builds_every_distribution_in_its_official_image():
    must, may = matrix_of_distributions()
    assert (must, may) == ({"humble", "jazzy", "kilted", "lyrical"}, {"rolling"})
    job = read(".github/workflows/ros.yaml")["jobs"]["colcon"]
    assert job["container"]["image"] == "ros:${{ matrix.distro }}"
    assert job["continue-on-error"] == "${{ matrix.may_fail }}"
    assert re.search(
        r"colcon build .*\n(.*\n)*.*colcon test .*\ncolcon test-result", commands(read(".github/workflows/ros.yaml"))
    )


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.rst"])
def test_a_page_that_names_distributions_names_those_of_the_workflow(name):
    named = {word for word in re.findall(r"[a-z]+", (ROOT / name).read_text().lower()) if word in DISTRIBUTIONS}
    assert named in (set(), matrix_of_distributions()[0])


def test_the_ros_workflow_installs_by_pip_what_readme_and_package_xml_say():
    def projects(text: str) -> set[str]:
        (arguments,) = re.findall(r"pip install ((?:-\w+ )*rosbags[^`#\n]*)", text)[:1]
        return set(re.findall(r"[a-z]+", re.sub(r"[<>=]=?[\d.]+", "", arguments)))

    workflow = projects(commands(read(".github/workflows/ros.yaml")))
    assert workflow == projects((ROOT / "README.md").read_text())
    assert workflow >= projects((ROOT / "package.xml").read_text())


def test_the_python_workflow_tests_the_pythons_of_the_classifiers():
    metadata = setup_cfg()
    named = re.findall(r"Python :: (3\.\d+)$", metadata["metadata"]["classifiers"], re.MULTILINE)
    jobs = read(".github/workflows/python.yaml")["jobs"]
    assert jobs["test"]["strategy"]["matrix"]["python"] == named
    assert metadata["options"]["python_requires"] == f">={named[0]}"
    assert [step.get("run") for step in jobs["test"]["steps"]][-1] == "scripts/test"
    assert "scripts/lint" in [step.get("run") for step in jobs["lint"]["steps"]]


def test_pre_commit_runs_every_check_of_scripts_lint_in_its_pinned_version():
    (local,) = [repo for repo in read(".pre-commit-config.yaml")["repos"] if repo["repo"] == "local"]
    entries = {hook["entry"] for hook in local["hooks"]}
    checks = re.search(r"\|\| checks=\((.*)\)", (ROOT / "scripts" / "lint").read_text())[1].split()
    assert {entry.split()[-1] for entry in entries} == set(checks)
    assert {entry.split()[0] for entry in entries} == {"scripts/lint"}


def test_the_bug_form_asks_for_what_a_report_needs():
    form = read(".github/ISSUE_TEMPLATE/bug.yaml")
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} <= {"textarea", "input", "dropdown", "checkboxes"}
    names = [field["id"] for field in fields]
    assert len(names) == len(set(names))
    text = " ".join(field["attributes"]["description"] for field in fields)
    wanted = [
        "monodepth doctor",
        "monodepth info",
        "ros2 param dump",
        "/diagnostics",
        "depth/status",
        "ros2 bag record",
    ]
    assert not [item for item in wanted if item not in text], text


def test_rosdoc2_finds_its_settings_and_the_pages():
    exported = ElementTree.parse(ROOT / "package.xml").getroot().findtext("export/rosdoc2")
    attic, settings = yaml.safe_load_all((ROOT / exported).read_text())
    assert attic == {"type": "rosdoc2 config", "version": 1}
    (builder,) = settings["builders"]
    assert list((ROOT / builder["sphinx"]["user_doc_dir"]).glob("*.md"))


def test_the_citation_agrees_with_the_package():
    citation, metadata = read("CITATION.cff"), setup_cfg()["metadata"]
    assert citation["title"].startswith(metadata["name"])
    assert (citation["license"], citation["repository-code"]) == (metadata["license"], metadata["url"])
    assert citation["authors"] == [{"name": metadata["author"]}]
    (paper,) = citation["references"]
    assert (paper["year"], len(paper["authors"])) == (2019, 4)


def test_every_address_of_the_project_is_the_one_of_setup_cfg():
    url = setup_cfg()["metadata"]["url"]
    own = re.compile(r"https://github\.com/[\w-]+/monodepth_ros\b")
    files = [*YAML_FILES, *ROOT.glob("[!.]*.*"), *(ROOT / "docs").rglob("*.md")]
    strangers = {f"{path}: {found}" for path in files for found in own.findall(path.read_text()) if found != url}
    assert not strangers, strangers


def test_editors_keep_the_line_length_of_ruff():
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    limit = re.search(r"^line-length = (\d+)", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    assert parser["*.py"]["max_line_length"] == limit


def test_the_package_is_marked_as_typed():
    assert (ROOT / "monodepth_ros" / "py.typed").is_file()
    assert "py.typed" in setup_cfg()["options.package_data"]["*"]
