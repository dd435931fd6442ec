# SPDX-License-Identifier: Apache-2.0
"""MCAP files in any order, without chunks, indexes or end, cut off and damaged: what is whole is read, in order."""

import itertools
import random

import pytest
from mcap.reader import make_reader
from mcap.writer import CompressionType, IndexType
from small_storage import START_NS, TENTH, cdr, mcap, notes, numbers, write_mcap

from monodepth_ros.data.bags.recording import Recording, RecordingError
from monodepth_ros.data.bags.storage.random_file import RandomFile

SPARE = {
    "no chunks": {"use_chunking": False},
    "no message index": {"index_types": IndexType.CHUNK},
    "no chunk index": {"index_types": IndexType.MESSAGE},
    "no index": {"index_types": IndexType.NONE},
    "no statistics": {"use_statistics": False},
    "no statistics and no index": {"use_statistics": False, "index_types": IndexType.NONE},
    "no channels at the end": {"repeat_channels": False},
    "no schemas at the end": {"repeat_schemas": False},
    "no summary": {
        "use_statistics": False, "repeat_channels": False, "repeat_schemas": False,
        "use_summary_offsets": False, "index_types": IndexType.NONE,
    },
}  # fmt: skip
COMPRESSIONS = [CompressionType.NONE, CompressionType.ZSTD, CompressionType.LZ4]


@pytest.mark.parametrize("kind", SPARE)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_files_without_some_of_the_optional_records_are_read_whole(tmp_path, kind, compression):
    path = tmp_path / "a.mcap"
    write_mcap(path, topics=("/a", "/b"), compression=compression, **SPARE[kind])
    assert numbers(path) == [n for n in range(10) for _ in "ab"]
    with Recording(path) as recording:
        assert (recording.start_ns, recording.end_ns) == (START_NS, START_NS + 9 * TENTH)
        assert {topic.count for topic in recording.topics.values()} == {10}
        assert recording.notes == []


@pytest.mark.parametrize("options", [{}, {"use_chunking": False}, {"index_types": IndexType.CHUNK}])
def test_messages_come_in_the_order_of_time_whatever_their_order_in_the_file(tmp_path, options):
    tenths = list(range(200))
    random.Random(3).shuffle(tenths)
    assert numbers(write_mcap(tmp_path / "a.mcap", tenths, chunk_size=400, **options)) == list(range(200))
    with Recording(tmp_path / "a.mcap") as recording:
        for tenth in (150, 3, 77):
            (found,) = recording.messages(["/numbers"], START_NS + tenth * TENTH, START_NS + tenth * TENTH + 1)
            assert recording.deserialize(found).data == str(tenth)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_single_messages_are_found_by_their_times_between_others(tmp_path, compression):
    path = write_mcap(
        tmp_path / "a.mcap", range(100), ("/a", "/b", "/c", "/d", "/e"), compression=compression, chunk_size=2000
    )
    with Recording(path) as recording:
        for tenth in (0, 99, 42):
            at = START_NS + tenth * TENTH
            assert [recording.deserialize(m).data for m in recording.messages(["/c"], at, at + 1)] == [str(tenth)]
            assert len(list(recording.messages(None, at, at + 1))) == 5
        assert list(recording.messages(["/c"], at + 1, at + 1)) == []
        assert len(list(recording.messages(["/c"], -5, 2**70))) == 100
        assert [m.topic for m in itertools.islice(recording.messages(), 5)] == ["/a", "/b", "/c", "/d", "/e"]


@pytest.mark.parametrize("options", [{}, {"index_types": IndexType.CHUNK}, {"use_chunking": False}])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_of_a_file_cut_off_anywhere_every_whole_chunk_is_read_and_the_loss_is_stated(tmp_path, options, compression):
    whole = write_mcap(tmp_path / "whole.mcap", range(20), compression=compression, **options).read_bytes()
    path, counts = tmp_path / "cut.mcap", []
    for share in (0.15, 0.2, 0.3, 0.4):
        path.write_bytes(whole[: int(len(whole) * share)])
        found = numbers(path)
        assert found == list(range(len(found)))
        assert "cut.mcap is truncated (was its recorder killed?)" in notes(path)
        assert "mcap recover cut.mcap" in notes(path) and f"{len(found)} messages are read" in notes(path)
        counts.append(len(found))
    assert counts == sorted(counts) and 0 < counts[0] < counts[-1] < 20, counts


def test_a_file_cut_off_in_its_summary_has_lost_no_message(tmp_path):
    path = write_mcap(tmp_path / "a.mcap")
    path.write_bytes(path.read_bytes()[:-30])
    assert numbers(path) == list(range(10))
    assert notes(path) == "a.mcap lacks the end of its summary, no message is lost"


def test_a_file_that_ends_in_zeros_is_read_up_to_them(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", use_chunking=False)
    path.write_bytes(path.read_bytes()[:400] + bytes(5000))
    found = numbers(path)
    assert len(found) > 2 and found == list(range(len(found)))
    assert "there is no record at byte" in notes(path)


def test_a_file_cut_off_before_its_first_message_is_an_error(tmp_path):
    path = write_mcap(tmp_path / "a.mcap")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(RecordingError, match=r"a\.mcap is truncated .* before the first message"):
        Recording(path)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_chunks_damaged_in_the_middle_are_left_out_and_counted(tmp_path, compression):
    path = write_mcap(tmp_path / "a.mcap", range(30), compression=compression, chunk_size=150)
    content = bytearray(path.read_bytes())
    with path.open("rb") as file:
        chunk = make_reader(file).get_summary().chunk_indexes[4]
    end = chunk.chunk_start_offset + chunk.chunk_length
    content[end - 8 : end] = bytes(255 - byte for byte in content[end - 8 : end])
    path.write_bytes(content)
    with Recording(path) as recording:
        found = [int(message.data) for _, _, message in recording.read(["/numbers"])]
        missing = set(range(30)) - set(found)
        assert found == sorted(found) and 0 < len(missing) < 10
        assert recording.lost("/numbers") == {"damaged parts of a.mcap": len(missing)}
        assert len(list(recording.messages(["/numbers"]))) == len(found)  # counted once
        assert recording.lost("/numbers").total() == len(missing)
        if compression != CompressionType.NONE:  # of an uncompressed chunk, one message is read without its checksum
            at = START_NS + min(missing) * TENTH
            with pytest.raises(RecordingError, match="damaged") as caught:
                list(recording.messages(["/numbers"], at, at + 1))
            assert "\n" not in str(caught.value)


def test_message_indexes_that_lead_elsewhere_do_not_matter(tmp_path):
    path = write_mcap(tmp_path / "a.mcap", range(6), chunk_size=10_000)
    content = bytearray(path.read_bytes())
    at = content.index(
        (START_NS + 2 * TENTH).to_bytes(8, "little"), content.index(b"\x07" + (102).to_bytes(8, "little"))
    )
    content[at + 8 : at + 16] = (7).to_bytes(8, "little")  # the offset of the message in its chunk
    path.write_bytes(content)
    assert numbers(path) == list(range(6))
    with Recording(path) as recording:
        assert len(list(recording.messages(["/numbers"], START_NS, START_NS + 6 * TENTH))) == 6


def test_a_summary_that_leaves_messages_out_is_not_believed(tmp_path):
    """Messages outside chunks beside chunks, as some writers mix them."""
    loose = write_mcap(tmp_path / "loose.mcap", range(5, 8), use_chunking=False).read_bytes()
    chunked = write_mcap(tmp_path / "chunked.mcap", range(5)).read_bytes()
    begin, end = 8 + 9 + int.from_bytes(loose[9:17], "little"), loose.index(b"\x0f" + (4).to_bytes(8, "little"))
    split = chunked.index(b"\x0f" + (4).to_bytes(8, "little"))
    (tmp_path / "mixed.mcap").write_bytes(chunked[:split] + loose[begin:end] + chunked[split:])
    assert numbers(tmp_path / "mixed.mcap") == list(range(8))


def test_recordings_of_one_file_share_its_index_and_close_apart(tmp_path):
    path = write_mcap(tmp_path / "a.mcap")
    first, second = Recording(path), Recording(path)
    first.close()
    assert len(list(second.messages())) == 10
    second.close()
    with pytest.raises(RecordingError, match="has been closed"):
        second.start_ns  # noqa: B018
    write_mcap(path, range(3))
    assert numbers(path) == [0, 1, 2]


def test_empty_chunks_and_recordings(tmp_path):
    with mcap(tmp_path / "none.mcap") as file:
        file.channel("/numbers")
    with Recording(tmp_path / "none.mcap") as recording:
        assert (list(recording.topics), recording.message_count, recording.duration) == (["/numbers"], 0, 0.0)
        assert list(recording.messages()) == []


def test_a_damaged_chunk_does_not_hide_the_other_topics(tmp_path):
    with mcap(tmp_path / "a.mcap", chunk_size=10) as file:
        file.add("/numbers", 0, cdr(0))
        file.add("/others", 1, cdr(1))
    content = (tmp_path / "a.mcap").read_bytes()
    place = content.index(cdr(0))
    (tmp_path / "a.mcap").write_bytes(content[:place] + b"\xff" + content[place + 1 :])
    with Recording(tmp_path / "a.mcap") as recording:
        assert [m.topic for m in recording.messages()] == ["/others"]
        assert recording.lost("/numbers").total() == 1 and not recording.lost("/others")


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_the_first_message_of_a_topic_is_found_by_the_index(tmp_path, monkeypatch, compression):
    path = tmp_path / "a.mcap"
    with mcap(path, chunk_size=10_000, compression=compression) as file:
        for tenth in range(300):
            file.add("/often", tenth, cdr(random.Random(tenth).randbytes(5000).hex()))
            if tenth >= 250:
                file.add("/late", tenth, cdr(tenth))
    taken = []
    read = RandomFile.read
    monkeypatch.setattr(
        RandomFile, "read", lambda self, offset, length: taken.append(length) or read(self, offset, length)
    )
    with Recording(path) as recording:
        opening, taken[:] = sum(taken), []
        assert recording.first("/late").data == "250"
    assert opening < 40_000 and sum(taken) < 40_000 < path.stat().st_size / 30, (opening, taken)
