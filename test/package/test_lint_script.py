# SPDX-License-Identifier: Apache-2.0
"""scripts/lint: finds what ruff, mypy and codespell find, in the whole project, with one line for each."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("ruff", "mypy", "codespell")
MISSPELT = "e".join("th")  # put together, so that this file passes
SETTINGS = """
[tool.ruff.lint]
select = ["F"]
[tool.mypy]
files = ["module.py"]
"""


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with nothing to find, with this project's script in it and the tools of the Python that runs here."""
    programs = Path(sys.executable).parent
    if missing := [tool for tool in TOOLS if not (programs / tool).is_file()]:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(programs)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "lint").write_text((ROOT / "scripts" / "lint").read_text())
    (tmp_path / "scripts" / "program").write_text("#!/usr/bin/env python3\nprint(1)\n")
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    (tmp_path / "module.py").write_text('"""Words."""\n')
    return tmp_path


def lint(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "scripts/lint", *arguments], cwd=project, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_a_clean_project_passes_with_a_line_for_each_check(project):
    result = lint(project)
    assert (result.returncode, result.stdout) == (
        0,
        "lint: ruff ok\nlint: format ok\nlint: mypy ok\nlint: codespell ok\n",
    ), result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "text", "check"),
    [
        ("module.py", "import os\n", "ruff"),
        ("scripts/program", "#!/usr/bin/env python3\nimport os\n", "ruff"),
        ("module.py", "value = {'a':1}\n", "format"),
        ("module.py", 'count: int = "one"\n', "mypy"),
        ("notes.md", f"This is {MISSPELT} end.\n", "codespell"),
    ],
)
def test_a_fault_is_found_and_its_file_is_named(project, name, text, check):
    (project / name).write_text(text)
    result = lint(project)
    assert result.returncode == 1, result.stdout
    lines = result.stdout.splitlines()
    assert [line for line in lines if line.endswith("failed")] == [f"lint: {check} failed"], result.stdout
    assert any(name in line for line in lines[: lines.index(f"lint: {check} failed")]), result.stdout


def test_a_fault_in_a_file_of_a_hidden_folder_is_found_in_a_git_checkout(project):
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / ".github").mkdir()
    (project / ".github" / "notes.yaml").write_text(f"# {MISSPELT} end\n")
    result = lint(project, "codespell")
    assert (result.returncode, ".github/notes.yaml:1" in result.stdout) == (1, True), result.stdout + result.stderr


def test_fix_repairs_style_and_format(project):
    (project / "module.py").write_text("import os\nvalue = {'a':1}\n")
    result = lint(project, "--fix", "ruff", "format")
    assert (result.returncode, result.stdout) == (0, "lint: ruff ok\nlint: format ok\n"), result.stderr
    assert (project / "module.py").read_text() == 'value = {"a": 1}\n'


def test_only_the_named_checks_run(project):
    (project / "notes.md").write_text(f"{MISSPELT}\n")
    assert lint(project, "ruff").stdout == "lint: ruff ok\n"


def test_an_unknown_argument_is_refused(project):
    result = lint(project, "black")
    assert (result.returncode, result.stderr) == (2, "lint: unknown argument black; see scripts/lint --help\n")


def test_missing_tools_are_named_with_what_to_do(project):
    (project / ".venv" / "bin").unlink()
    result = lint(project)
    assert (result.returncode, result.stderr) == (2, "lint: .venv has no ruff; first run scripts/setup\n")


def test_every_tool_of_the_script_is_pinned():
    pinned = (ROOT / "requirements" / "test.txt").read_text()
    missing = [tool for tool in TOOLS if f"\n{tool}==" not in pinned]
    assert not missing, missing
