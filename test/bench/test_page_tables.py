# SPDX-License-Identifier: Apache-2.0
"""Tables of the documentation are those that docs/benchmarks/data gives."""

import json
import sys
from pathlib import Path

import pytest

# Before the checkout is on the path: the package is the one under test.
import monodepth_ros.errors  # noqa: F401

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT))  # for bench/ alone

from bench import table  # noqa: E402
from bench.errors import BenchError  # noqa: E402
from bench.page_tables import TABLE, fill_page, load_data, pages, rewrite_pages, table_of  # noqa: E402

sys.path.remove(str(ROOT))

DATA = load_data(ROOT / "docs" / "benchmarks" / "data")
SOURCES = {"machine": "two cores", "versions": "PyTorch 2", "commit": "abc1234", "date": "2026-11-28"}
DRIFT = {
    **SOURCES,
    "commands": ["monodepth evaluate odometry street"],
    "columns": ["recording", "t_err [%]"],
    "rows": [
        {"id": "street", "recording": "street 1", "t_err [%]": "0.50"},
        {"recording": "street 2", "t_err [%]": "0.4"},
    ],
}
TRAIN_RESULT = {
    "command": "scripts/bench train",
    "date": "2026-11-28T01:02:03Z",
    "commit": "abc1234",
    "machine": {"cpu": "A CPU", "cores": 2, "instructions": ["avx2"], "gpus": []},
    "versions": {"torch": "2.13.0", "middleware": ""},
    "networks": {"depth": "resnet18", "pose": "posecnn", "size": [64, 32]},
    "batch_size": 4,
    "device": "cpu",
    "core_gflops": {"before": 100.0, "after": 90.0},
    "variants": {
        "bf16": {
            "samples_per_second": 2.5,
            "ratio": 1.5,
            "peak_mb": 700.0,
            "stages": dict.fromkeys(
                ("networks forward", "networks backward", "loss forward", "loss backward", "optimiser", "augmentation"),
                0.1,
            ),
        }
    },
}


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_hold_the_tables_that_the_data_give(page):
    text = page.read_text()
    marks = text.count("<!-- table: "), text.count("<!-- end of table -->")
    found = [name for _, name, _, _ in TABLE.findall(text)]
    assert marks == (len(found), len(found)), f"{page.name}: a mark without its partner"
    assert fill_page(text, DATA) == text, f"{page.name}: run scripts/bench table --docs"


def test_every_data_file_is_shown_in_a_page():
    shown = {name for page in pages(ROOT) for _, name, _, _ in TABLE.findall(page.read_text())}
    assert len(DATA) > 20 and set(DATA) == shown, set(DATA) ^ shown


@pytest.mark.parametrize("name", sorted(DATA))
def test_measured_data_name_their_command_and_where_they_come_from(name):
    figures = DATA[name]
    if "commands" in figures:  # a summary only quotes other files
        assert figures["commands"] or figures["how"], f"{name}: neither a command nor how it was measured"
        assert all(figures[key] for key in SOURCES), name
        long = [line for command in figures["commands"] for line in command.splitlines() if len(line) > 130]
        assert not long, f"{name}: {long}"


def test_a_table_stands_with_its_source_and_its_command():
    text = "before\n<!-- table: drift -->\nold\n<!-- end of table -->\nafter\n"
    filled = fill_page(text, {"drift": DRIFT})
    assert filled.startswith(
        "before\n<!-- table: drift -->\n| recording | t_err [%] |\n| --- | --- |\n| street 1 | 0.50 |\n"
    )
    assert "Commit: abc1234.\n" in filled and "```bash\nmonodepth evaluate odometry street\n```\n" in filled
    assert "old" not in filled and filled.endswith("<!-- end of table -->\nafter\n")
    assert fill_page(filled, {"drift": DRIFT}) == filled, "filling again changes nothing"


def test_a_summary_quotes_figures_digit_by_digit():
    summary = {"columns": ["drift"], "rows": [{"drift": "{drift:street:t_err [%]} % on a street"}]}
    assert table_of("summary", {"drift": DRIFT, "summary": summary}) == "| drift |\n| --- |\n| 0.50 % on a street |\n"


@pytest.mark.parametrize("quote", ["{drift:street:ATE}", "{drift:road:t_err [%]}", "{other:street:t_err [%]}"])
def test_a_quote_that_leads_nowhere_is_refused(quote):
    summary = {"columns": ["drift"], "rows": [{"drift": quote}]}
    with pytest.raises(BenchError, match="quotes no single cell"):
        table_of("summary", {"drift": DRIFT, "summary": summary})


def test_missing_data_and_missing_sources_are_refused():
    with pytest.raises(BenchError, match=r"no docs/benchmarks/data/speed.json"):
        fill_page("<!-- table: speed -->\n<!-- end of table -->", {})
    with pytest.raises(BenchError, match="drift.json lacks commit"):
        table_of("drift", {"drift": {key: value for key, value in DRIFT.items() if key != "commit"}})


def test_a_result_file_can_be_shown_as_it_was_written():
    text = table_of("train", {"train": TRAIN_RESULT})
    assert "| resnet18 + posecnn, 64x32, batch 4, cpu | bf16 | 2.50 | 1.50 | 700 MB |" in text
    assert "Machine: A CPU, 2 cores, avx2.\nVersions: torch 2.13.0.\nCommit: abc1234.\nDate: 2026-11-28.\n" in text
    assert text.endswith("```bash\nscripts/bench train\n```\n")


def test_pages_are_rewritten_once(tmp_path):
    (tmp_path / "docs" / "benchmarks" / "data").mkdir(parents=True)
    (tmp_path / "docs" / "benchmarks" / "data" / "drift.json").write_text(json.dumps(DRIFT))
    (tmp_path / "README.md").write_text("no table\n")
    page = tmp_path / "docs" / "benchmarks" / "odometry.md"
    page.write_text("<!-- table: drift -->\n<!-- end of table -->\n")
    assert rewrite_pages(tmp_path) == [page] and "0.50" in page.read_text()
    assert rewrite_pages(tmp_path) == []


@pytest.mark.parametrize("words", [[], ["--docs", "a.json"]])
def test_files_or_docs_but_not_both(words, capsys):
    with pytest.raises(SystemExit) as caught:
        table.main(words)
    assert caught.value.code == 2 and "expected JSON files of results, or --docs" in capsys.readouterr().err
