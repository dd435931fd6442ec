# SPDX-License-Identifier: Apache-2.0
"""YAML and JSON from outside: what is read, and what is refused on one line that names the text and the line."""

import math

import pytest

from monodepth_ros import structured_text
from monodepth_ros.limits import DEEPEST_NESTING
from monodepth_ros.structured_text import StructuredTextError, parse_json, parse_yaml, yaml_documents


@pytest.mark.parametrize(
    "text, value",
    [
        ("", None),
        ("# only a comment", None),
        (
            "a: {b: [1, 0x10, -2, +3], c: null, e: }",
            {"a": {"b": [1, 16, -2, 3], "c": None, "e": None}},
        ),
        ("[yes, No, on, OFF, true]", [True, False, True, False, True]),
        ("[1e-4, 1.5, .5, 2., 1E3, -.inf, 1e400]", [1e-4, 1.5, 0.5, 2.0, 1000.0, -math.inf, math.inf]),
        # Texts, as in ROS's parameter files, where YAML 1.1 has 750, a date, 1000 and 8.
        ("[12:30, 2024-05-01, 1_000, 010, 1e]", ["12:30", "2024-05-01", "1_000", "010", "1e"]),
        ("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}", {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}),
        ("K: !!opencv-matrix {rows: 1, data: [1.]}", {"K": {"rows": 1, "data": [1.0]}}),
        ("---\na: 1\n...\n", {"a": 1}),
    ],
)
def test_yaml_is_read_as_ros_reads_it(text, value):
    assert parse_yaml(text, "file") == value


def test_not_a_number_is_a_number():
    assert all(map(math.isnan, parse_yaml("[.nan, .NaN]", "file")))


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: 1\nb: [1\nc: 2", "line 3"),
        ("a: 1\n\tb: 2", "line 2"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands twice, first in line 1"),
        ("a: 1\nb: \x07", "line 2: the control character #x07"),
        ("a: *nothing", "line 1: found undefined alias"),
        ("a: &x [1, *x]", r"line 1: \*x refers to itself"),
        ("a: !!python/name:os.system x", "line 1: could not determine a constructor"),
        ("a: !!timestamp 2024-13-45", "month must be in 1..12"),
        ("a: !!int ''", "is not YAML"),
        ("a: !!bool maybe", "is not YAML"),
        ("? [a, b]\n: 1", "line 1: found unhashable key"),
        ("a: 1\n---\nb: 2", "several YAML documents"),
        ("a: " + "9" * 5000, "is not YAML"),
        ("[" * (DEEPEST_NESTING + 1), f"nested deeper than {DEEPEST_NESTING} levels"),
    ],
)
def test_a_text_that_is_not_yaml_is_refused_on_one_line(text, words):
    with pytest.raises(StructuredTextError, match=f"^my file.*{words}") as error:
        parse_yaml(text, "my file")
    assert "\n" not in str(error.value) and len(str(error.value)) < 300, error.value


def test_the_deepest_nesting_is_read():
    text = "[" * DEEPEST_NESTING + "]" * DEEPEST_NESTING
    assert parse_yaml(text, "file") == parse_json(text, "file")


def test_an_alias_counts_as_what_it_stands_for(monkeypatch):
    monkeypatch.setattr(structured_text, "MOST_YAML_VALUES", 20)
    text = "a: &x [1, 2, 3, 4]\nb: *x\n"  # the mapping, two keys and twice five values
    assert parse_yaml(text, "file") == {"a": [1, 2, 3, 4], "b": [1, 2, 3, 4]}
    with pytest.raises(StructuredTextError, match="line [34]: more than 20 values"):
        parse_yaml(text + "c: *x\nd: *x", "file")


def test_documents_come_up_to_a_damaged_one():
    documents = yaml_documents("a: 1\n---\nb: 2\n---\nc: [", "file")
    assert [next(documents), next(documents)] == [{"a": 1}, {"b": 2}]
    with pytest.raises(StructuredTextError, match="line"):
        next(documents)


def test_json_is_read_with_the_options_of_the_library():
    assert parse_json('{"a": [1.50, null]}', "file", parse_float=str) == {"a": ["1.50", None]}


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "is not JSON: line 1: Expecting value"),
        ('{"a": 1,\n}', "is not JSON: line 2"),
        ("[" * (DEEPEST_NESTING + 1) + "]" * (DEEPEST_NESTING + 1), f"nested deeper than {DEEPEST_NESTING}"),
        ('{"a":' * (DEEPEST_NESTING + 1) + "1" + "}" * (DEEPEST_NESTING + 1), f"nested deeper than {DEEPEST_NESTING}"),
        ("9" * 5000, "is not JSON: Exceeds the limit"),
    ],
)
def test_a_text_that_is_not_json_is_refused_on_one_line(text, words):
    with pytest.raises(StructuredTextError, match=f"^my file.*{words}") as error:
        parse_json(text, "my file")
    assert "\n" not in str(error.value)
