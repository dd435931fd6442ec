# SPDX-License-Identifier: Apache-2.0
"""The catalogue of checkpoints: the package's entries, the user's entries, malformed files."""

import pytest

from monodepth_ros.downloads.catalogue import CatalogueError, parse_catalogue, read_catalogue, user_catalogue

OWN = """
checkpoints:
  garden:
    url: https://example.org/{name}.safetensors
    sha256: "%s"
    bytes: 1234
    licence: CC-BY-4.0
""" % ("ab" * 32)


@pytest.fixture(autouse=True)
def homes(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def write_own(text):
    user_catalogue().parent.mkdir(parents=True, exist_ok=True)
    user_catalogue().write_text(text)


def test_the_published_weights_have_address_hash_and_licence():
    catalogue = read_catalogue()
    entry = catalogue["mono+stereo_640x192"]
    folder = "https://storage.googleapis.com/niantic-lon-static/research/monodepth2"
    assert entry.url == f"{folder}/mono%2Bstereo_640x192.zip"
    assert (entry.hash_name, entry.digest) == ("md5", "c024d69012485ed05d7eaa9617a96b81")
    assert "non-commercial" in entry.licence and entry.size_text == "about 100 MB"
    assert len({e.digest for e in catalogue.values() if e.digest}) == 9
    assert not catalogue["mono_odom_640x192"].digest


def test_the_users_file_adds_and_replaces_entries():
    write_own(OWN + "  mono_640x192: {url: 'http://localhost/x.zip'}\n")
    catalogue = read_catalogue()
    assert catalogue["garden"].url == "https://example.org/garden.safetensors"
    assert catalogue["garden"].size == 1234 and catalogue["mono_640x192"].url == "http://localhost/x.zip"
    assert "stereo_640x192" in catalogue


@pytest.mark.parametrize(
    "text, words",
    [
        ("checkpoints: [", "not YAML"),
        ("entries: {}", "no 'checkpoints:'"),
        ("checkpoints: {../evil: {url: 'http://a/b.zip'}}", "letters, digits"),
        ("checkpoints: {a: {url: 'file:///etc/b.zip'}}", "expected http"),
        ("checkpoints: {a: {url: 'http://a/b.exe'}}", "expected http"),
        ("checkpoints: {a: {url: 'http://a/b.zip', md5: abc}}", "32 hexadecimal digits"),
        ("checkpoints: {a: {url: 'http://a/b.zip', shasum: abc}}", "unknown key 'shasum'"),
        ("checkpoints: {a: {url: 'http://a/b.zip', bytes: -1}}", "bytes is -1"),
        ("checkpoints: {a: {group: none}}", "no group 'none'"),
        ("checkpoints: {a: 3}", "expected url"),
    ],
)
def test_a_malformed_catalogue_is_refused_in_one_line_with_its_name(text, words):
    with pytest.raises(CatalogueError, match=words) as error:
        parse_catalogue(text, "own.yaml")
    assert "own.yaml" in str(error.value) and "\n" not in str(error.value)
