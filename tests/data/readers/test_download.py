"""fastmlp.data.readers.download, against a server on the loopback interface."""

import contextlib
import gzip
import hashlib
import http.server
import os
import threading
from pathlib import Path

import pytest

from fastmlp.data.readers.download import RemoteFile, cache_folder, fetch
from fastmlp.machine.files import replacing

CONTENTS = bytes(range(256)) * 20
REMOTE = RemoteFile("numbers", len(CONTENTS), hashlib.sha256(CONTENTS).hexdigest())
PACKED = gzip.compress(CONTENTS)


@contextlib.contextmanager
def serving(bodies, cut=0, endless=False):
    """Serve ``bodies`` by path; yields the address and the list of paths asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = bodies.get(self.path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            if not endless:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):  # the other side may hang up
                self.wfile.write(body[: len(body) - cut])
                while endless:
                    self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/data/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def test_download_then_cache(tmp_path):
    folder = tmp_path / "new" / "cache"
    with serving({"/data/numbers.gz": PACKED}) as (url, asked):
        for _ in range(2):
            path = fetch(REMOTE, folder, [url])
            assert path == folder / "numbers" and path.read_bytes() == CONTENTS
    assert asked == ["/data/numbers.gz"], "the second call made a request"
    assert os.listdir(folder) == ["numbers"]


def test_a_mirror_may_pack_differently_or_not_at_all(tmp_path):
    for i, body in enumerate([gzip.compress(CONTENTS, 1, mtime=1), CONTENTS]):
        with serving({"/data/numbers.gz": body}) as (url, _):
            assert fetch(REMOTE, tmp_path / str(i), [url.rstrip("/")]).read_bytes() == CONTENTS


@pytest.mark.parametrize("damaged", [CONTENTS[:-1], CONTENTS[:-1] + b"x", b""])
def test_a_damaged_cached_file_is_downloaded_again(tmp_path, damaged):
    (tmp_path / "numbers").write_bytes(damaged)
    with serving({"/data/numbers.gz": PACKED}) as (url, asked):
        assert fetch(REMOTE, tmp_path, [url]).read_bytes() == CONTENTS
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (gzip.compress(CONTENTS[:-1] + b"x"), f"expected contents with sha256 {REMOTE.sha256}, got "),
        (gzip.compress(CONTENTS[:-1]), "expected 5120 bytes of contents, got 5119"),
        (gzip.compress(CONTENTS + b"x"), "expected 5120 bytes of contents, got more"),
        (gzip.compress(bytes(50_000_000)), "got more|more bytes than the file can have"),
        (PACKED[:-4], "the gzip data end too early"),
        (PACKED[:-4] + b"abcd", "the gzip data are damaged"),
        (gzip.compress(b"") * 10_000, "more bytes than the file can have"),
        (b"<html>Sign in to this network</html>", "expected 5120 bytes of contents, got 36"),
        (b"", "expected 5120 bytes of contents, got 0"),
    ],
)
def test_wrong_bodies_leave_no_file_behind(tmp_path, body, message):
    with serving({"/data/numbers.gz": body}) as (url, _), pytest.raises(OSError, match=message) as caught:
        fetch(REMOTE, tmp_path, [url])
    assert f"{url}numbers.gz" in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_connection_that_breaks_leaves_no_file_behind(tmp_path):
    with serving({"/data/numbers.gz": PACKED}, cut=100) as (url, _), pytest.raises(OSError, match="tried"):
        fetch(REMOTE, tmp_path, [url])
    assert os.listdir(tmp_path) == []


def test_an_endless_body_is_cut_off(tmp_path):
    endless = serving({"/data/numbers.gz": b"x" * 4096}, endless=True)
    with endless as (url, _), pytest.raises(OSError, match="got more|more bytes than"):
        fetch(REMOTE, tmp_path, [url])
    assert os.listdir(tmp_path) == []


def test_an_interrupt_leaves_no_file_behind(tmp_path, monkeypatch):
    written = []

    @contextlib.contextmanager
    def interrupted(path):
        with replacing(path) as file:
            yield file
            written.extend(os.listdir(tmp_path))
            raise KeyboardInterrupt

    monkeypatch.setattr("fastmlp.data.readers.download.replacing", interrupted)
    with serving({"/data/numbers.gz": PACKED}) as (url, _), pytest.raises(KeyboardInterrupt):
        fetch(REMOTE, tmp_path, [url])
    assert len(written) == 1 and written[0].endswith(".part")
    assert os.listdir(tmp_path) == []


def test_the_next_mirror_is_tried_and_all_failures_are_listed(tmp_path):
    with serving({}) as (lacking, asked), serving({"/data/numbers.gz": b"wrong"}) as (wrong, _):
        with pytest.raises(OSError, match="numbers could not be downloaded") as caught:
            fetch(REMOTE, tmp_path, [lacking, wrong])
        message = str(caught.value)
        assert f"{lacking}numbers.gz: HTTP Error 404" in message
        assert f"{wrong}numbers.gz: expected 5120 bytes" in message
        with serving({"/data/numbers.gz": PACKED}) as (good, _):
            assert fetch(REMOTE, tmp_path, [lacking, wrong, good]).read_bytes() == CONTENTS
    assert len(asked) == 2


def test_a_mirror_that_does_not_answer_is_given_up(tmp_path):
    with serving({}) as (url, _):
        pass  # nobody listens at this address any more
    with pytest.raises(OSError, match="refused"):
        fetch(REMOTE, tmp_path, [url], timeout=5)


@pytest.mark.parametrize("mirror", ["file:///etc/", "ftp://127.0.0.1/", "127.0.0.1", ""])
def test_only_http_and_https_are_mirrors(tmp_path, mirror):
    with pytest.raises(ValueError, match="mirror must be an http:// or https:// address, got"):
        fetch(REMOTE, tmp_path, [mirror])


def test_the_cache_folder_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path))
    assert cache_folder("mnist") == tmp_path / "mnist"
    monkeypatch.delenv("FASTMLP_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder("mnist") == tmp_path / "xdg" / "fastmlp" / "mnist"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder("mnist") == tmp_path / ".cache" / "fastmlp" / "mnist"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder("mnist") == tmp_path / "Library" / "Caches" / "fastmlp" / "mnist"
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_folder("mnist") == tmp_path / "local" / "fastmlp" / "mnist"
    monkeypatch.delenv("LOCALAPPDATA")
    assert cache_folder("mnist") == tmp_path / "AppData" / "Local" / "fastmlp" / "mnist"
