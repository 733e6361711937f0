"""Evidence: files of reports and files added by hand; who may have them, who had them; a case's folder, checked by other programs."""
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile

import pytest

import keyring
from harness import Daemon

BODY = """From: citizen@evidence.example\r
To: report@cirt.example\r
Subject: A letter with a file\r
Message-ID: <evidence-1@evidence.example>\r
Date: Sun, 22 Nov 2026 08:00:00 +0000\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=evidence\r
\r
--evidence\r
Content-Type: text/plain\r
\r
See 203.0.113.77.\r
--evidence\r
Content-Type: application/octet-stream\r
Content-Disposition: attachment; filename="../../.bashrc\x1b[31m"\r
\r
MZ evidence of a kind\r
--evidence--\r
"""
FILE = b"MZ evidence of a kind"


@pytest.fixture(scope="module")
def ring():
    ring = keyring.Keyring()
    ring.make("CIRT <cirt@evidence.example>")
    yield ring
    ring.remove()


@pytest.fixture(scope="module")
def desk(programs, certificates, ring):
    conf = {"pgp_key": ring.fingerprint("cirt@evidence.example")} if os.path.exists("/usr/bin/gpg") else {}
    daemon = Daemon(programs, certificates, sections={"mail_out": conf})
    daemon.start()
    daemon.send_mail(BODY)
    daemon.settle()
    daemon.psql("INSERT INTO cases (title, tlp, restricted) VALUES ('hand over', 'green', false), ('secret', 'red', true)")
    yield daemon
    daemon.remove()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="cirtd-e-") as path:
        yield pathlib.Path(path)


def case(desk, title):
    return desk.psql(f"SELECT number FROM cases WHERE title = '{title}'")[-1][0]


def digest(data):
    return hashlib.sha256(data).hexdigest()


def custody(desk, data):
    return [one["action"] for one in desk.cirt("evidence", "show", digest(data))["custody"]]


def as_analyst(desk, *arguments):
    """As an operator who is neither lead nor a member of anything: what the desk's functions say to him."""
    verb, p = arguments
    asked = json.dumps({**p, "operator": "somebody", "role": "analyst"}).replace("'", "''")
    with pytest.raises(AssertionError) as refused:
        desk.psql(f"SELECT desk_evidence_{verb}('{asked}')")
    return str(refused.value)


def test_a_file_of_a_mail_is_listed_shown_and_fetched(desk, folder):
    listed = {one["digest"]: one for one in desk.cirt("evidence", "list")["items"]}
    assert digest(FILE) in listed and listed[digest(FILE)]["report"] and listed[digest(FILE)]["kept"]
    shown = desk.cirt("evidence", "show", digest(FILE))
    came, = shown["acquired"]
    assert came["door"] == "lmtp" and came["from"] == "citizen@evidence.example" and came["source"]
    before = len(shown["custody"])
    done = desk.cirt("evidence", "get", digest(FILE), "--output", folder / "a")
    assert (folder / "a").read_bytes() == FILE and done["size"] == len(FILE)
    assert len(custody(desk, FILE)) == before + 1 and custody(desk, FILE)[-1] == "fetched"
    text = desk.cirt_text("evidence", "show", digest(FILE)).stdout
    assert "\x1b[31m" not in text and "fetched" in text
    assert desk.cirt("evidence", "get", digest(b"none"), "--output", folder / "b", check=False).returncode != 0
    assert not (folder / "b").exists() and not (folder / "b.part").exists()


def test_a_file_is_added_by_hand(desk, folder):
    """Larger than a piece; the same twice is refused; what is said of it is kept."""
    data = os.urandom(5 << 20)
    (folder / "disk.img").write_bytes(data)
    number = case(desk, "hand over")
    added = desk.cirt("evidence", "add", number, folder / "disk.img", "--from", "IT head, on a stick", "--note", "of the file server")
    assert added["digest"] == digest(data) and added["case"] == number
    came, = desk.cirt("evidence", "show", digest(data))["acquired"]
    assert (came["door"], came["from"], came["name"], came["case"]) == ("hand", "IT head, on a stick", "disk.img", number) and came["operator"]
    assert "already" in desk.cirt("evidence", "add", number, folder / "disk.img", check=False).stderr
    desk.cirt("evidence", "get", digest(data), "--output", folder / "back")
    assert (folder / "back").read_bytes() == data
    assert custody(desk, data)[:2] == ["acquired", "fetched"]
    (folder / "empty").write_bytes(b"")
    assert "empty" in desk.cirt("evidence", "add", number, folder / "empty", check=False).stderr
    assert [one["digest"] for one in desk.cirt("evidence", "list", "--case", number)["items"]] == [digest(data)]


def test_it_is_held_and_let_go_with_a_reason(desk):
    assert desk.cirt("evidence", "hold", digest(FILE), check=False).returncode != 0
    assert desk.cirt("evidence", "hold", digest(FILE), "--reason", "police file 7")["held"] is True
    assert [one["digest"] for one in desk.cirt("evidence", "list", "--held")["items"]] == [digest(FILE)]
    assert "police file 7" in desk.cirt_text("evidence", "show", digest(FILE)).stdout
    assert desk.cirt("evidence", "unhold", digest(FILE), "--reason", "file closed")["held"] is False
    assert desk.cirt("evidence", "list", "--held")["items"] == [] and custody(desk, FILE)[-2:] == ["held", "let go"]


def test_evidence_of_a_restricted_case_is_its_members(desk, folder):
    (folder / "ransom.txt").write_text("pay")
    number = case(desk, "secret")
    desk.cirt("evidence", "add", number, folder / "ransom.txt")
    for verb in ("get", "show", "hold"):
        assert "there is no evidence" in as_analyst(desk, verb, {"digest": digest(b"pay"), "reason": "x"})
    for verb in ("export", "list", "add"):
        assert "restricted" in as_analyst(desk, verb, {"case": number, "digest": digest(b"x"), "called": "x", "size": 1})
    assert custody(desk, b"pay") == ["acquired"]


def check(folder):
    return subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False)


def test_a_cases_folder_is_checked_by_sha256sum(desk, folder, ring):
    number = case(desk, "hand over")
    report = desk.psql(f"SELECT a.report FROM attachment a WHERE a.digest = decode('{digest(FILE)}', 'hex')")[0][0]
    desk.psql(f"UPDATE case_report SET ended = now() WHERE report = {report}; INSERT INTO case_report (report, case_id) SELECT {report}, id FROM cases WHERE number = '{number}'")
    target = folder / "out"
    target.mkdir()
    assert "exists" in desk.cirt("evidence", "export", number, "--output", target, check=False).stderr and not list(target.iterdir())
    target.rmdir()
    target.symlink_to("/tmp")
    assert desk.cirt("evidence", "export", number, "--output", target, check=False).returncode != 0
    target.unlink()
    done = desk.cirt("evidence", "export", number, "--output", target)
    count = len({one["digest"] for one in desk.cirt("evidence", "list", "--case", number)["items"]})
    assert done["files"] == count > 1 and done["tlp"] == "GREEN" and done["signed"] is False and done["unsigned_because"]
    assert sorted(path.name for path in target.iterdir()) == ["SHA256SUMS", "custody.json", "files"]
    assert (target / "files" / digest(FILE)).read_bytes() == FILE and not list(folder.glob("**/.bashrc*"))
    checked = check(target)
    assert checked.returncode == 0 and checked.stdout.count(": OK") == count + 1, checked.stderr
    assert (target / "SHA256SUMS").read_text().startswith(f"# TLP:GREEN\n# evidence of case {number}")
    papers = json.loads((target / "custody.json").read_text())
    of_file, = [one for one in papers["files"] if one["sha256"] == digest(FILE)]
    assert papers["tlp"] == "GREEN" and of_file["custody"][-1]["action"] == "exported" and ".bashrc" in json.dumps(of_file["acquired"])
    (target / "files" / digest(FILE)).chmod(0o600)
    (target / "files" / digest(FILE)).write_bytes(b"something else")
    assert check(target).returncode != 0
    assert desk.cirt("audit", "verify")


@pytest.mark.skipif(not os.path.exists("/usr/bin/gpg"), reason="GnuPG is not installed")
def test_the_manifest_is_signed_by_our_key(desk, folder, ring):
    number = case(desk, "hand over")
    desk.cirt_text("key", "import", "-", stdin=ring.secret("cirt@evidence.example").decode())
    locked = desk.cirt("evidence", "export", number, "--output", folder / "locked")
    assert locked["signed"] is False and "locked" in locked["unsigned_because"] and check(folder / "locked").returncode == 0
    desk.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
    done = desk.cirt("evidence", "export", number, "--output", folder / "signed")
    assert done["signed"] is True and check(folder / "signed").returncode == 0
    verify = lambda: subprocess.run(["gpg", "--homedir", str(ring.folder), "--batch", "--verify", "SHA256SUMS.asc", "SHA256SUMS"],
                                    cwd=folder / "signed", capture_output=True, check=False).returncode
    assert verify() == 0
    (folder / "signed" / "SHA256SUMS").chmod(0o600)
    (folder / "signed" / "SHA256SUMS").write_text((folder / "signed" / "SHA256SUMS").read_text().replace("GREEN", "CLEAR"))
    assert verify() != 0
