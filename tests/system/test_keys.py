"""Encrypted and signed mail: opened and checked by the room keys, and by no other."""
import os
import pathlib
import signal
import subprocess
import time

import pytest

import keyring
from harness import wait_for
from keyring import PASSPHRASE, encrypted, part, signed

pytestmark = pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed")

DESK = "CIRT <report@cirt.example>"
ALICE = "Alice <alice@partner.example>"


@pytest.fixture(scope="module")
def people():
    """The desk's key, which the daemon gets, and those of people who write to it."""
    ring = keyring.Keyring()
    ring.make(DESK)
    ring.make(ALICE)
    ring.make("Mallory <mallory@other.example>")
    ring.make("Late <late@partner.example>", expire="2d", clock="20260101T000000")
    yield ring
    ring.remove()


@pytest.fixture(scope="module")
def desk(programs, certificates, people):
    from harness import Daemon
    daemon = Daemon(programs, certificates).start()
    for who in (ALICE, "Late <late@partner.example>"):
        daemon.cirt_text("key", "import", "-", stdin=people.public(who).decode())
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    yield daemon
    daemon.remove()


def report_of(daemon, subject):
    found = wait_for(lambda: [one for one in daemon.reports() if one["title"] == subject], what=f"the report {subject}")
    return daemon.cirt("report", "show", found[0]["id"])


def outcomes(report, engine="openpgp"):
    return [(one["part"], one["outcome"]) for one in report["verdicts"] if one["engine"] == engine]


def test_an_encrypted_mail_lands_as_a_report(desk, people):
    """PGP/MIME by LMTP: the plain text is the report's, its indicators and attachments are found."""
    inside = part("The command server is hxxp://c2[.]badguys[.]example/gate\n")
    desk.send_mail(encrypted("encrypted one", people.encrypt(inside, DESK)))
    desk.settle()
    report = report_of(desk, "encrypted one")
    assert "command server" in report["text"]
    assert any(one["value"] == "http://c2.badguys.example/gate" for one in report["observables"])
    assert any(where == "part 2" and "decrypted with our key" in what for where, what in outcomes(report))
