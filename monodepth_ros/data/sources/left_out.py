# SPDX-License-Identifier: Apache-2.0
"""The reasons for frames that were left out, few enough for a person to read."""

import re
from collections import Counter
from collections.abc import Mapping

SHOWN = 5


def few_reasons(left_out: Mapping[str, int]) -> list[tuple[str, int]]:
    """The most frequent reasons with their numbers of frames, the rest as one.

    Reasons that differ in numbers alone, such as sizes in bytes or numbered file names, count as one, in the words of
    the first.
    """
    counts: Counter[str] = Counter()
    words: dict[str, list[str]] = {}
    for reason, count in left_out.items():
        alike = re.sub(r"\d+", "0", reason)
        counts[alike] += count
        words.setdefault(alike, []).append(reason)
    ranked = counts.most_common()
    found = [(words[alike][0] + (" (and alike)" if len(words[alike]) > 1 else ""), n) for alike, n in ranked[:SHOWN]]
    rest = ranked[SHOWN:]
    return [*found, (f"{len(rest)} other reasons", sum(n for _, n in rest))] if rest else found
