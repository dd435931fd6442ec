# SPDX-License-Identifier: Apache-2.0
"""The catalogue of checkpoints: the package's entries, the user's entries, malformed files."""

import os

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
        ("[]", "no 'checkpoints:'"),
        ("checkpoints: [a]", "no 'checkpoints:'"),
        ("version: 2\ncheckpoints: {}", "unknown key 'version'"),
        ("groups: [a]\ncheckpoints: {}", "groups is"),
        ("checkpoints: {a: {group: [b]}}", "own.yaml, a: there is no group"),
        ("groups: {b: 3}\ncheckpoints: {a: {group: b}}", "own.yaml, a: there is no group 'b'"),
        ("checkpoints: {a: {licence: CC0}}", "own.yaml, a: url is missing"),
        ("checkpoints: {a: {url: 3}}", "own.yaml, a: url is 3, expected a text"),
        ("checkpoints: {a: {url: [http://a/b.zip]}}", "own.yaml, a: url is"),
        ("checkpoints: {a: {url: 'http://u:p@a/b.zip'}}", "holds a user name"),
        ("checkpoints: {a: {url: 'http://a b/c.zip'}}", "holds spaces"),
        ('checkpoints: {a: {url: "http://a/\\e[2J.zip"}}', "holds spaces or letters"),
        ("checkpoints: {a: {url: 'http://a:b/c.zip'}}", "no valid host and port"),
        ("checkpoints: {a: {url: 'http://[a/c.zip'}}", "no valid host and port"),
        ("checkpoints: {a: {url: 'http://a/b?c.zip'}}", "expected http"),
        ("checkpoints: {a: {url: 'http://a/b.zip', sha256: 1%s}}" % ("0" * 63), "64 hexadecimal digits in quotes"),
        ("checkpoints: {a: {url: 'http://a/b.zip', sha256: [1]}}", "own.yaml, a: sha256 is"),
        ("checkpoints: {a: {url: 'http://a/b.zip', bytes: '5'}}", "own.yaml, a: bytes is '5'"),
        ("checkpoints: {a: {url: 'http://a/b.zip', bytes: .nan}}", "own.yaml, a: bytes is nan"),
        ("checkpoints: {a: {url: 'http://a/b.zip', bytes: 1e400}}", "own.yaml, a: bytes is inf"),
        ("checkpoints: {a: {url: 'http://a/b.zip', bytes: 0x1%s}}" % ("0" * 5000), "a number of thousands of digits"),
        ("checkpoints: {a: {url: 'http://a/b.zip', megabytes: yes}}", "own.yaml, a: megabytes is True"),
        ("checkpoints: {a: {url: 'http://a/b.zip', licence: {b: 1}}}", "own.yaml, a: licence is"),
        ("checkpoints: {a: {url: 'http://a/b.zip', description: 3}}", "own.yaml, a: description is 3"),
        ("checkpoints: {a: {url: 'http://a/b.zip', 3: 4}}", "own.yaml, a: unknown key '3'"),
        ("checkpoints: {a: {url: 'http://a/b.zip'}, a: {url: 'http://a/c.zip'}}", "the key 'a' stands twice"),
        ("checkpoints: {%s: {url: 'http://a/b.zip'}}" % ("a" * 101), "letters, digits"),
        ('checkpoints: {"a\\0b": {url: "http://a/b.zip"}}', "letters, digits"),
        ('checkpoints: {"a\\e[2J\\n": {url: "http://a/b.zip"}}', "letters, digits"),
        ("checkpoints: {.hidden: {url: 'http://a/b.zip'}}", "letters, digits"),
        ("checkpoints:\n\ta: 3", "not YAML: line 2"),
        ("checkpoints: {a: !!python/name:os.system }", "not YAML: line 1"),
        ("checkpoints: " + "[" * 200, "nested deeper"),
        ("checkpoints: &a {b: *a}", "refers to itself"),
    ],
)
def test_a_malformed_catalogue_is_refused_in_one_line_with_its_name(text, words):
    with pytest.raises(CatalogueError, match=words) as error:
        parse_catalogue(text, "own.yaml")
    text = str(error.value)
    assert text.startswith("own.yaml") and text.isprintable() and len(text) < 400, text


@pytest.mark.parametrize("content", [b"\x00\xff" * 50, "checkpoints: {}".encode("utf-16"), b"\x89PNG\r\n"])
def test_a_catalogue_that_is_no_text_is_refused_by_its_path(content):
    write_own("")
    user_catalogue().write_bytes(content)
    with pytest.raises(CatalogueError, match="catalogue.yaml is not .*repair or remove it"):
        read_catalogue()


def test_a_catalogue_that_cannot_be_read_whole_is_refused_at_once():
    write_own("")
    with open(user_catalogue(), "wb") as file:
        file.truncate(5_000_000)
    with pytest.raises(CatalogueError, match="5 MB, more than the 4 MB"):
        read_catalogue()
    user_catalogue().unlink()
    os.mkfifo(user_catalogue())
    with pytest.raises(CatalogueError, match="no ordinary file"):
        read_catalogue()
    user_catalogue().unlink()
    user_catalogue().mkdir()
    with pytest.raises(CatalogueError, match="is a folder"):
        read_catalogue()
    user_catalogue().rmdir()
    user_catalogue().symlink_to("nowhere")
    with pytest.raises(CatalogueError, match="No such file"):
        read_catalogue()


@pytest.mark.parametrize("home", ["", None, "relative", "/dev/null"])
@pytest.mark.parametrize("base", ["", "relative", None, "/dev/null"])
def test_the_catalogue_is_read_without_a_home(monkeypatch, home, base):
    for name, value in {"HOME": home, "XDG_CONFIG_HOME": base}.items():
        monkeypatch.setenv(name, value) if value is not None else monkeypatch.delenv(name)
    assert user_catalogue().is_absolute() and "mono_640x192" in read_catalogue()
