"""gpg-agent that hangs or ends, and a room keys that is killed: what that costs mail."""
import os
import pathlib
import signal
import time

import pytest

import keyring
from harness import Daemon, wait_for
from keyring import PASSPHRASE, agent_of, encrypted, opening_of, part

pytestmark = pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed")

DESK = "CIRT <report@cirt.example>"


@pytest.fixture(scope="module")
def people():
    ring = keyring.Keyring()
    ring.make(DESK)
    yield ring
    ring.remove()


def with_key(daemon, people):
    """The desk's key is in its keyring, and open."""
    daemon.start()
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    return daemon


@pytest.fixture(scope="module")
def patient(programs, certificates, people):
    """A daemon that waits for GnuPG as long as a test takes."""
    daemon = Daemon(programs, certificates, sections={"keys": {"timeout": "1h"}})
    yield with_key(daemon, people)
    daemon.remove()


def report_of(daemon, subject):
    found = wait_for(lambda: [one for one in daemon.reports() if one["title"] == subject], what=f"the report {subject}")
    return daemon.cirt("report", "show", found[0]["id"])


def decrypted(report):
    return any("decrypted" in one["outcome"] for one in report["verdicts"] if one["engine"] == "openpgp")


def send(daemon, people, subject):
    daemon.send_mail(encrypted(subject, people.encrypt(part("text"), DESK)))


def test_trap_08_what_hangs_gnupg_costs_itself_alone(make_daemon, people):
    """The agent stands still: over its time the part goes to quarantine with the reason, the next mail is opened by a new one."""
    daemon = with_key(make_daemon(sections={"keys": {"timeout": "3s"}}), people)
    still = agent_of(daemon)
    os.kill(still, signal.SIGSTOP)
    send(daemon, people, "it hangs")
    hung = report_of(daemon, "it hangs")
    assert any("over its time limit" in note for note in hung["notes"])
    send(daemon, people, "the next")
    daemon.settle()
    assert decrypted(report_of(daemon, "the next"))
    assert agent_of(daemon) not in (None, still)
    [bad] = [one for one in daemon.all_pages("quarantine", "list") if one["stage"] == "keys"]
    daemon.cirt("quarantine", "release", bad["id"])
    daemon.settle()


def test_which_keys_there_are_is_no_question_to_the_agent(patient, people):
    """The courier looks now and then, people when they like: an agent that stands still must not keep mail behind them."""
    before = patient.cirt("key", "list")["items"]
    assert [(one["secret"], one["state"]) for one in before] == [(True, "open")]
    still = wait_for(lambda: agent_of(patient), what="the agent")
    os.kill(still, signal.SIGSTOP)
    assert patient.cirt("key", "list", timeout=30)["items"] == before
    send(patient, people, "behind a list")
    wait_for(lambda: opening_of(patient), what="the part in hand")
    os.kill(still, signal.SIGCONT)
    patient.settle()
    assert decrypted(report_of(patient, "behind a list"))
    patient.cirt_text("key", "lock")
    assert [(one["secret"], one["state"]) for one in patient.cirt("key", "list")["items"]] == [(True, "locked")]
    patient.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")


def test_an_agent_that_ends_is_replaced_under_what_waits_for_it(patient, people):
    """The part is opened, and does not wait for its time to be over."""
    old = wait_for(lambda: agent_of(patient), what="the agent")
    os.kill(old, signal.SIGSTOP)
    send(patient, people, "the agent ends")
    asking = wait_for(lambda: opening_of(patient), what="the part in hand")
    wait_for(lambda: waits_for_answer(asking), what="GnuPG to wait for the agent")
    os.kill(old, signal.SIGKILL)
    patient.settle()
    assert decrypted(report_of(patient, "the agent ends"))


def waits_for_answer(pid):
    """It sleeps in a read, for a while already."""
    def state():
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return fields[0], fields[11], fields[12]

    first = state()
    time.sleep(0.3)
    return first[0] == "S" and first == state()


def test_mail_outlives_the_room_with_its_part_in_hand(patient, people):
    """Killed again and again with it in hand: offered again; from the fifth time on its part is left out, and says so."""

    def triage(number):
        for name, _, pid in patient.rooms():
            if name == "triage":
                os.kill(pid, number)

    for number in range(5):
        # Behind the room's own look at the keyring, for which it started the agent.
        wait_for(lambda: patient.cirt_try("key", "list"), what="the room to answer")
        # An agent that answers lets go of the mail: it stands still before triage may ask it.
        os.kill(wait_for(lambda: agent_of(patient), what="an agent"), signal.SIGSTOP)
        if number == 0:
            send(patient, people, "in hand")
        triage(signal.SIGCONT)
        wait_for(lambda: opening_of(patient), what="the part in hand")
        triage(signal.SIGSTOP)
        old = patient.room_pid("keys")
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: patient.room_pid("keys") not in (None, old), what="the room to be back")
    triage(signal.SIGCONT)
    patient.settle()
    assert any("the room with the keys ended in it" in note for note in report_of(patient, "in hand")["notes"])
