import hashlib
import http.server
import io
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

from vocoder_pareto import downloads
from vocoder_pareto.audio import archives
from vocoder_pareto.audio.ljspeech import LJSPEECH, RELEASE
from vocoder_pareto.downloads import Release, download
from vocoder_pareto.errors import UserError

PROGRAM = Path(__file__).parents[3] / "workflow_scripts" / "fetch_ljspeech.py"


def fetch_ljspeech(release, archive, folder):
    archives.fetch_archive(LJSPEECH, release, archive, folder)


def extract(archive, folder):
    archives.extract(LJSPEECH, archive, folder)


@pytest.fixture
def archive(tmp_path, ljspeech_folder):
    """A small LJSpeech-1.1.tar.bz2 in a folder of its own."""
    file = tmp_path / "archives" / "LJSpeech-1.1.tar.bz2"
    file.parent.mkdir()
    with tarfile.open(file, "w:bz2") as members:
        members.add(ljspeech_folder, "LJSpeech-1.1")
    return file


class Server(http.server.ThreadingHTTPServer):
    """Serves one file on 127.0.0.1; breaks off after `break_after` bytes the first `breaks` times."""

    def __init__(self, file, ranges=True, breaks=0, break_after=0):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = file.read_bytes()
        self.ranges, self.breaks, self.break_after = ranges, breaks, break_after
        self.requests = []

    @property
    def release(self):
        url = f"http://127.0.0.1:{self.server_port}/LJSpeech-1.1.tar.bz2"
        return Release(url, hashlib.sha256(self.content).hexdigest())


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.requests.append(wanted)
        start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if wanted and self.server.ranges else 0
        if start >= len(self.server.content):
            self.send_error(416)
            return
        body = self.server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            body = body[: self.server.break_after]
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    """Factory of running servers."""
    servers = []

    def start(*arguments, **options):
        servers.append(Server(*arguments, **options))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(downloads.time, "sleep", lambda seconds: None)


def content(folder):
    """What the files hold, but for the record of what lies beside metadata.csv."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("[!.]*") if file.is_file()}


def repacked(archive, *extra):
    """Add members (TarInfo, content) to an archive."""
    with tarfile.open(archive, "r:bz2") as old:
        members = [(member, old.extractfile(member).read() if member.isfile() else None) for member in old]
    with tarfile.open(archive, "w:bz2") as new:
        for member, data in [*members, *extra]:
            new.addfile(member, io.BytesIO(data) if data is not None else None)


def test_torchaudio_knows_the_same_archive_of_ljspeech():
    datasets = pytest.importorskip("torchaudio.datasets.ljspeech")
    known = getattr(datasets, "_RELEASE_CONFIGS", None)
    if known is None:
        pytest.skip("this version of torchaudio keeps it elsewhere")
    assert Release(known["release1"]["url"], known["release1"]["checksum"]) == RELEASE


def test_a_download_is_extracted_whole(tmp_path, archive, ljspeech_folder, serve):
    server = serve(archive)
    target = tmp_path / "data" / "LJSpeech-1.1"
    fetch_ljspeech(server.release, None, target)
    assert content(target) == content(ljspeech_folder)
    assert sorted(file.name for file in target.parent.iterdir()) == ["LJSpeech-1.1", "LJSpeech-1.1.tar.bz2"]


def test_a_download_that_is_there_is_not_fetched_again(tmp_path, archive, serve):
    server = serve(archive)
    target = tmp_path / "data" / "LJSpeech-1.1"
    fetch_ljspeech(server.release, None, target)
    (target / "metadata.csv").unlink()
    fetch_ljspeech(server.release, None, target)
    assert (target / "metadata.csv").is_file()
    assert len(server.requests) == 1


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path, archive, serve):
    server = serve(archive, breaks=2, break_after=5000)
    download(server.release, tmp_path / "got.tar.bz2", "do otherwise")
    assert (tmp_path / "got.tar.bz2").read_bytes() == archive.read_bytes()
    assert server.requests == [None, "bytes=5000-", "bytes=10000-"]


def test_a_rerun_goes_on_with_what_an_earlier_run_left(tmp_path, archive, serve):
    server = serve(archive, breaks=1, break_after=7000)
    with pytest.raises(UserError, match=r"broke off after 7000 of .*rerun to go on with it"):
        download(server.release, tmp_path / "got.tar.bz2", "do otherwise", attempts=1)
    assert not (tmp_path / "got.tar.bz2").exists()
    download(server.release, tmp_path / "got.tar.bz2", "do otherwise", attempts=1)
    assert (tmp_path / "got.tar.bz2").read_bytes() == archive.read_bytes()
    assert server.requests == [None, "bytes=7000-"]


def test_a_server_without_ranges_sends_it_from_the_start(tmp_path, archive, serve):
    server = serve(archive, ranges=False, breaks=1, break_after=7000)
    download(server.release, tmp_path / "got.tar.bz2", "do otherwise")
    assert (tmp_path / "got.tar.bz2").read_bytes() == archive.read_bytes()


def test_a_partial_file_that_is_complete_is_only_checked(tmp_path, archive, serve):
    server = serve(archive)
    shutil.copy(archive, tmp_path / "got.tar.bz2.partial")
    download(server.release, tmp_path / "got.tar.bz2", "do otherwise")
    assert (tmp_path / "got.tar.bz2").read_bytes() == archive.read_bytes()


def test_a_download_with_a_wrong_checksum_is_deleted_and_a_rerun_begins_anew(tmp_path, archive, serve):
    server = serve(archive)
    (tmp_path / "got.tar.bz2.partial").write_bytes(b"bytes of something else")
    with pytest.raises(UserError, match=r"has SHA-256 [0-9a-f]{64}, not [0-9a-f]{64}; it was deleted"):
        download(server.release, tmp_path / "got.tar.bz2", "do otherwise")
    assert not list(tmp_path.glob("got*"))
    download(server.release, tmp_path / "got.tar.bz2", "do otherwise")
    assert (tmp_path / "got.tar.bz2").read_bytes() == archive.read_bytes()


def test_an_unreachable_server_is_named_with_the_way_out(tmp_path):
    release = Release("http://127.0.0.1:1/LJSpeech-1.1.tar.bz2", "0" * 64)
    with pytest.raises(UserError, match=r"127\.0\.0\.1:1.*download failed.*set dataset\.path"):
        fetch_ljspeech(release, None, tmp_path / "LJSpeech-1.1")


def test_a_file_that_the_server_does_not_have_is_named(tmp_path, archive, serve):
    server = serve(archive)
    server.content = b""
    with pytest.raises(UserError, match="download failed"):
        download(Release(server.release.url, "0" * 64), tmp_path / "got", "do otherwise", attempts=2)


def test_the_users_archive_must_have_the_checksum(tmp_path, archive):
    release = Release("http://127.0.0.1:1/x.tar.bz2", hashlib.sha256(archive.read_bytes()).hexdigest())
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"LJSpeech-1\.1\.tar\.bz2: its SHA-256 is .*set dataset\.path to the folder"):
        fetch_ljspeech(release, archive, tmp_path / "out" / "LJSpeech-1.1")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kept", [0, 10, 1000, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_archive_leaves_no_folder(tmp_path, archive, kept):
    whole = archive.read_bytes()
    archive.write_bytes(whole[: kept if isinstance(kept, int) else int(len(whole) * kept)])
    with pytest.raises(UserError, match=r"tar\.bz2: (truncated|holds no)"):
        extract(archive, tmp_path / "out" / "LJSpeech-1.1")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_that_lost_recordings_is_refused(tmp_path, archive, ljspeech_folder):
    (ljspeech_folder / "wavs" / "LJ001-0007.wav").unlink()
    with tarfile.open(archive, "w:bz2") as members:
        members.add(ljspeech_folder, "LJSpeech-1.1")
    with pytest.raises(UserError, match=r"1 recordings are missing, the first is wavs/LJ001-0007\.wav"):
        extract(archive, tmp_path / "out" / "LJSpeech-1.1")


def link(name, target, kind):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member, None


def plain(name):
    member = tarfile.TarInfo(name)
    member.size = 4
    return member, b"evil"


@pytest.mark.parametrize(
    "member",
    [
        plain("../evil"),
        plain("LJSpeech-1.1/../../evil"),
        link("LJSpeech-1.1/link", "../../evil", tarfile.SYMTYPE),
        link("LJSpeech-1.1/link", "/etc/passwd", tarfile.SYMTYPE),
        link("LJSpeech-1.1/link", "../../evil", tarfile.LNKTYPE),
        link("LJSpeech-1.1/device", "", tarfile.CHRTYPE),
    ],
)
def test_an_archive_that_reaches_outside_its_folder_is_refused(tmp_path, archive, member):
    repacked(archive, member)
    (tmp_path / "evil").write_text("untouched")
    with pytest.raises(UserError, match="refused, since a member is unsafe"):
        extract(archive, tmp_path / "out" / "LJSpeech-1.1")
    assert (tmp_path / "evil").read_text() == "untouched"
    assert list((tmp_path / "out").iterdir()) == []


def test_an_absolute_path_is_refused(tmp_path, archive):
    repacked(archive, plain(f"{tmp_path}/evil"))
    with pytest.raises(UserError, match=r"refused, since a member is unsafe to extract .*/evil"):
        extract(archive, tmp_path / "out" / "LJSpeech-1.1")
    assert not (tmp_path / "evil").exists()
    assert list((tmp_path / "out").iterdir()) == []


def test_an_archive_of_another_layout_is_refused(tmp_path, archive, ljspeech_folder):
    with tarfile.open(archive, "w:bz2") as members:
        members.add(ljspeech_folder, "VCTK")
    with pytest.raises(UserError, match=r"not LJSpeech 1\.1"):
        extract(archive, tmp_path / "out" / "LJSpeech-1.1")


def test_extraction_replaces_what_an_interrupted_run_left(tmp_path, archive, ljspeech_folder):
    target = tmp_path / "out" / "LJSpeech-1.1"
    for leftover in (target, target.with_name(".LJSpeech-1.1.extracting"), target.with_name(".LJSpeech-1.1.old")):
        (leftover / "wavs").mkdir(parents=True)
        (leftover / "wavs" / "half.wav").write_text("half")
    extract(archive, target)
    assert content(target) == content(ljspeech_folder)
    assert [file.name for file in target.parent.iterdir()] == ["LJSpeech-1.1"]


def test_the_program_reports_a_users_mistake_in_one_line(tmp_path):
    command = [sys.executable, PROGRAM, "--url", "http://127.0.0.1:1/x.tar.bz2", "--sha256", "0" * 64]
    command += ["--archive", tmp_path / "gone.tar.bz2", "--output", tmp_path / "LJSpeech-1.1" / "metadata.csv"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert "gone.tar.bz2: cannot be read (No such file or directory); mend dataset.path" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_program_makes_the_folder_of_its_metadata(tmp_path, archive, ljspeech_folder):
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    metadata = tmp_path / "data" / "LJSpeech-1.1" / "metadata.csv"
    command = [sys.executable, PROGRAM, "--url", "http://127.0.0.1:1/x.tar.bz2", "--sha256", digest]
    subprocess.run([*command, "--archive", archive, "--output", metadata], check=True, capture_output=True)
    assert content(metadata.parent) == content(ljspeech_folder)


def test_the_program_takes_an_empty_archive_for_none_as_its_rule_gives_it(tmp_path, archive, ljspeech_folder):
    """Snakemake quotes no empty text, so a study that downloads gives `--archive` nothing."""
    downloaded = tmp_path / "data" / "x.tar.bz2"
    downloaded.parent.mkdir()
    downloaded.write_bytes(archive.read_bytes())
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    metadata = tmp_path / "data" / "LJSpeech-1.1" / "metadata.csv"
    command = [sys.executable, PROGRAM, "--archive", "--url", "http://127.0.0.1:1/x.tar.bz2", "--sha256", digest]
    subprocess.run([*command, "--output", metadata], check=True, capture_output=True)
    assert content(metadata.parent) == content(ljspeech_folder)
