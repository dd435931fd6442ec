# SPDX-License-Identifier: Apache-2.0
"""Many reasons for frames that are left out become few lines, and no frame is lost from the count."""

from monodepth_ros.data.sources.left_out import few_reasons


def test_reasons_that_differ_in_numbers_alone_count_as_one():
    reasons = {f"frames/{i:03d}.jpg: image of {i} bytes is truncated": 1 for i in range(900)} | {"no stamp": 4}
    assert few_reasons(reasons) == [
        ("frames/000.jpg: image of 0 bytes is truncated (and alike)", 900),
        ("no stamp", 4),
    ]


def test_the_rest_of_many_reasons_is_one():
    reasons = {f"reason {letter}": 9 - i for i, letter in enumerate("abcdefg")}
    found = few_reasons(reasons)
    assert found[0] == ("reason a", 9) and found[-1] == ("2 other reasons", 7)
    assert len(found) == 6 and sum(count for _, count in found) == sum(reasons.values())


def test_no_reason_gives_none():
    assert few_reasons({}) == []
