# SPDX-License-Identifier: Apache-2.0
"""What a recording has lost or leaves out reaches the user of every verb, by the source's notes and counts."""

from mcap.reader import make_reader
from small_sources import read, write_bag
from small_storage import cdr, mcap


def test_notes_of_the_recording_are_those_of_the_source(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    write_bag(folder / "bag_0.mcap")
    with mcap(folder / "bag_1.mcap") as file:
        file.channel("/events", "json", ("jsonschema", "Note", b"{}"))
        file.add("/events", 0, b"{}")
        file.add("/numbers", 0, cdr(1))
    (folder / "bag_2.mcap").write_bytes(b"")
    source, frames = read(folder)
    assert len(frames) == 5
    text = "\n".join(source.notes)
    assert "/events (json Note)" in text and "bag_2.mcap is empty" in text


def test_images_in_damaged_chunks_are_counted_as_left_out(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    write_bag(folder / "a.mcap", count=4)
    write_bag(folder / "b.mcap", count=7)
    with (folder / "b.mcap").open("rb") as file:
        (chunk,) = make_reader(file).get_summary().chunk_indexes
    content = bytearray((folder / "b.mcap").read_bytes())
    damaged = slice(chunk.chunk_start_offset + 100, chunk.chunk_start_offset + chunk.chunk_length)
    content[damaged] = bytes(len(content[damaged]))
    (folder / "b.mcap").write_bytes(content)
    source, frames = read(folder)
    assert len(frames) == 4
    assert source.left_out["damaged parts of b.mcap"] == 7
