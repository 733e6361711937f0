"""Mails of cases: what leaves is what was shown, harmless and let by the gate; editors that fail; the minute in which it may be taken back."""
import email.utils
import os
import pathlib
import pty
import select
import signal
import subprocess
import time

import pytest

from case_office import CaseOffice
from harness import wait_for
from terminal import heed_signals


@pytest.fixture(scope="module")
def office(programs, certificates):
    office = CaseOffice(programs, certificates)
    yield office
    office.close()


@pytest.fixture(scope="module")
def wave(office):
    """A citizen's phishing mail in a case, the bank that is imitated in it, and a secret of a partner's."""
    office.contact(name="SOC", organisation="Bank", email="soc@bank.example")
    number = office.case("Your parcel of the bank", "citizen1@people.example", "Is this real? http://login-bank.example.net/a",
                         role="imitated", organisation="Bank", name="Bank")
    secret = office.reports(1, tlp="amber+strict")[0]
    office.daemon.psql(f"INSERT INTO case_report (report, case_id) SELECT {secret}, id FROM cases WHERE number = '{number}' "
                       "ON CONFLICT DO NOTHING")
    assert office.one(f"SELECT count(*) FROM case_report r JOIN cases c ON c.id = r.case_id WHERE c.number = '{number}' AND r.ended IS NULL") == "2"
    return number


def body(message):
    parts = [part for part in message.walk() if not part.is_multipart()]
    assert len(parts) == 1
    return parts[0].get_content().replace("\r\n", "\n")


def test_reply_leaves_as_it_was_shown(office, wave):
    """Tags, TLP, Reply-To and thread in the head; URLs defanged; citizens' addresses out; the row that says what was told."""
    plan = office.daemon.cirt("reply", wave, "--to", "imitated", "--draft")
    assert plan["key"]["says"] == "in the clear" and plan["verdict"] == "allow" and plan["tlp"] == "amber"
    assert "hxxp://login-bank[.]example[.]net/a" in plan["text"] and "citizen1@" not in plan["text"]
    assert [one["tlp"] for one in plan["left_out"]] == ["amber+strict"]
    queued = office.write("reply", wave, "--to", "imitated", text="Please look at http://login-bank.example.net/a, which citizen1@people.example got.\n")
    assert queued["state"] == "queued" and queued["defanged"] == 1 and queued["removed"] == 1 and queued["seconds"] == 60
    message = office.sent(queued["number"])
    assert message["To"] == "soc@bank.example" or "soc@bank.example" in message["To"]
    assert message["Subject"].startswith(f"[TLP:AMBER] [CIRT-XX {wave}] ") and message["X-TLP"] == "TLP:AMBER"
    assert message["Reply-To"].count(f"case+{wave}-") == 1 and message["Auto-Submitted"] is None
    text = body(message)
    assert text.startswith("TLP:AMBER\n") and text.rstrip().endswith("TLP:AMBER")
    assert "hxxp://login-bank[.]example[.]net/a" in text and "[address removed]" in text and "citizen1@" not in text
    assert text.count("-- \nCIRT Exampleland\ncirt@cirt.example\n") == 1
    assert office.one("SELECT string_agg(d.cause || ' ' || d.tlp || ' ' || d.channel || ' ' || (d.told IS NOT NULL), ',') FROM disclosure d JOIN outbox o "
                      f"ON o.id = d.outbox WHERE o.number = '{queued['number']}'") == "mail amber mail true"


def test_answer_keeps_thread_and_their_ticket(office, wave):
    """The bank answers with a ticket of its own: it lands in the case, and our next mail hangs below it and keeps the ticket."""
    first = office.sent(office.write("reply", wave, "--to", "imitated", text="Do you know it?")["number"])
    ident = office.answer(first, "Yes. See http://login-bank.example.net/b too.", subject=f"Re: {first['Subject']} [BANK #5512]")
    wait_for(lambda: ident in office.sql("SELECT l.message_id FROM letter l JOIN case_letter c ON c.item = l.mail"), 30, "the answer in the case")
    wait_for(lambda: office.sql(f"SELECT answered IS NOT NULL FROM outbox WHERE message_id = '{first['Message-ID']}'") == "t", 30, "the mail to be answered")
    plan = office.daemon.cirt("reply", wave, "--to", "imitated", "--draft")
    assert "> Yes. See hxxp://login-bank[.]example[.]net/b too." in plan["text"]
    message = office.sent(office.write("reply", wave, "--to", "imitated", text="Thanks.")["number"])
    assert f"[CIRT-XX {wave}] [BANK #5512]" in message["Subject"] and message["Subject"].count("[") == 3
    assert message["In-Reply-To"] == f"<{ident}>"
    assert message["References"].split()[-1] == f"<{ident}>" and first["Message-ID"] in message["References"]


def test_gate_holds_what_was_typed(office, wave):
    """A secret's address typed by hand does not leave; below the case's TLP two people let it go."""
    secret = office.one("SELECT substr(o, 11) FROM report r, unnest(r.observables) o WHERE r.tlp = 'amber+strict' AND o LIKE 'ip source %'")
    said = office.refused("reply", wave, "--to", "imitated", "--text", "-", text=f"Block {secret} as well.")
    assert said.startswith("4 ") and secret in said and "cirt tlp ask" in said
    held = office.write("reply", wave, "--to", "imitated", "--tlp", "green", text="A warning for all.")
    assert held["state"] == "held" and "below the case's AMBER" in held["why"]
    office.hurry()
    assert office.sql(f"SELECT state FROM outbox WHERE number = '{held['number']}'") == "held"
    shown = office.daemon.cirt_text("reply", wave, "--to", "imitated", "--dry-run", "--text", "-", stdin="Hello.").stdout
    assert "To soc@bank.example [in the clear]" in shown and "gate: ok" in shown and "TLP:AMBER" in shown


def test_case_that_becomes_stricter_holds_its_mail(office):
    number = office.case("Strict later", "citizen5@people.example")
    office.contact(name="", organisation="Late", email="it@late.example")
    office.party(number, "affected", organisation="Late")
    queued = office.write("reply", number, "--to", "affected", text="Soon.")
    office.daemon.psql(f"UPDATE cases SET tlp = 'red' WHERE number = '{number}'")
    office.hurry()
    wait_for(lambda: office.sql(f"SELECT state FROM outbox WHERE number = '{queued['number']}'") == "held", 30, "the mail to be held")
    assert not any(b"it@late.example" in one[1].encode() if isinstance(one[1], str) else False for one in office.server.mails)


def test_undo_takes_it_back(office, wave):
    queued = office.write("mail", "--to", "imitated", "--case", wave, "--subject", "too soon", text="Never mind.")
    assert "does not go" in office.daemon.cirt("undo")["said"]
    assert office.sql(f"SELECT state FROM outbox WHERE number = '{queued['number']}'") == "cancelled"
    sent = office.write("mail", "--to", "imitated", "--case", wave, "--subject", "on its way", text="It goes.")
    office.sent(sent["number"])
    assert office.refused("undo", str(sent["act"])).startswith("1 ")


def test_report_is_answered(office, wave):
    """A citizen is written to about his own mail, and that is answered once the mail is out."""
    report = office.one("SELECT report_number(id) FROM report WHERE title = 'Your parcel of the bank'")
    queued = office.write("reply", report, text="It is no mail of your bank. Delete it.")
    assert queued["to"] == "citizen1@people.example" and queued["recipient"] == "source"
    assert office.daemon.cirt("report", "show", report)["state"] != "answered"
    message = office.sent(queued["number"])
    assert message["In-Reply-To"] == "<citizen1.people.example.first@x.example>"
    assert office.daemon.cirt("report", "show", report)["state"] == "answered"


def test_reply_goes_to_who_opened_the_case(office):
    """Nobody is named as reporter, and nothing has come into the case but the mail that opened it: that is answered."""
    number = office.case("Strange invoice", "citizen9@people.example", "Must I pay this?")
    draft = office.daemon.cirt("reply", number, "--draft")
    assert draft["to"] == "citizen9@people.example" and draft["case"] == number and "> Must I pay this?" in draft["text"]
    queued = office.write("reply", number, text="No: throw it away.")
    assert queued["to"] == "citizen9@people.example" and office.write("reply", number, "--to", "reporter", "--dry-run", text="No.")["to"] == queued["to"]
    message = office.sent(queued["number"])
    assert message["In-Reply-To"] == "<citizen9.people.example.first@x.example>" and f"[CIRT-XX {number}]" in message["Subject"]


class Terminal:
    """cirt on a terminal of its own, with an editor of the test."""

    def __init__(self, office, editor, *arguments):
        self.home = pathlib.Path(office.daemon.folder) / "operator"
        self.home.mkdir(exist_ok=True)
        script = self.home / f"editor-{time.monotonic_ns()}"
        script.write_text("#!/bin/sh\n" + editor)
        script.chmod(0o755)
        master, slave = pty.openpty()
        environment = {**office.daemon.environment(), "HOME": str(self.home), "EDITOR": str(script), "TERM": "dumb"}
        environment.pop("VISUAL", None)
        environment.pop("XDG_STATE_HOME", None)
        self.process = subprocess.Popen([str(office.daemon.programs.cirt), "--socket", str(office.daemon.socket), *arguments], stdin=slave, stdout=slave,
                                        stderr=slave, env=environment, start_new_session=True, preexec_fn=heed_signals)
        os.close(slave)
        self.master, self.text = master, ""

    def expect(self, text, timeout=60):
        end = time.monotonic() + timeout
        while text not in self.text:
            assert time.monotonic() < end, f"no {text!r} in:\n{self.text}"
            if select.select([self.master], [], [], 1)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode()
                except OSError:
                    assert text in self.text, f"no {text!r} in:\n{self.text}"

    def type(self, text):
        os.write(self.master, text.encode())

    def end(self):
        code = self.process.wait(60)
        os.close(self.master)
        return code

    def drafts(self):
        return sorted((self.home / ".local/state/cirt/drafts").glob("*.txt"))


def test_editor_that_fails_sends_nothing(office, wave):
    """Its exit code, a file left as it was or emptied: nothing goes, the draft is there and its path is said."""
    before = office.one("SELECT count(*) FROM outbox")
    for editor in ("exit 3\n", "exit 0\n", ': >"$1"\n', 'rm "$1"\n'):
        terminal = Terminal(office, editor, "reply", wave, "--to", "imitated")
        terminal.expect("The draft is kept: ")
        assert terminal.end() == 1
        if "rm" not in editor:
            draft = terminal.drafts()[-1]
            assert str(draft) in terminal.text.replace("\r\n", "\n") and draft.stat().st_mode & 0o777 == 0o600
    assert office.one("SELECT count(*) FROM outbox") == before


def test_a_draft_that_was_kept_goes_on_as_it_is(office, wave):
    """Its first lines are whom and what, not text; what the command line says counts more."""
    terminal = Terminal(office, 'sed -i "s/^Subject: .*/Subject: gone on with/; s/^TLP: .*/TLP: GREEN/" "$1"\nexit 3\n', "reply", wave, "--to", "imitated")
    terminal.expect("--text ")
    assert terminal.end() == 1
    draft = str(terminal.drafts()[-1])
    plan = office.daemon.cirt("reply", wave, "--text", draft, "--dry-run")
    assert (plan["to"], plan["subject"], plan["tlp"]) == ("soc@bank.example", "gone on with", "green")
    assert "Subject:" not in plan["text"] and "TLP:" not in plan["text"]
    assert office.daemon.cirt("reply", wave, "--text", draft, "--subject", "another", "--dry-run")["subject"] == "another"
    plain = office.daemon.cirt("reply", wave, "--text", "-", "--dry-run", stdin="To: whom it may concern\nthat is all")
    assert plain["text"].startswith("To: whom it may concern")


def test_editor_that_hangs_is_ended_by_its_writer(office, wave):
    """Nothing waits for it on the desk; broken off, it sends nothing and leaves the draft."""
    before = office.one("SELECT count(*) FROM outbox")
    terminal = Terminal(office, "echo begun\nexec sleep 300\n", "reply", wave, "--to", "imitated")
    terminal.expect("begun")
    assert office.daemon.cirt("case", "note", wave, "meanwhile")
    os.killpg(terminal.process.pid, signal.SIGINT)
    terminal.expect("The draft is kept: ")
    assert terminal.end() == 1 and terminal.drafts()[-1].stat().st_size > 0
    assert office.one("SELECT count(*) FROM outbox") == before


def test_editor_then_gate_then_a_minute(office, wave):
    """What was written is shown before it goes, and `u` takes it back."""
    terminal = Terminal(office, 'grep -q "^To: soc@bank.example" "$1" && grep -q "^Subject: .CIRT-XX" "$1" && grep -q "^TLP: AMBER" "$1" || exit 9\n'
                        'sed -i "s/^Subject: .*/Subject: From the terminal/; s/^Dear SOC,/Dear SOC, look at http:\\/\\/login-bank.example.net\\/q/" "$1"\n',
                        "reply", wave, "--to", "imitated")
    terminal.expect("send it?")
    assert "gate: ok" in terminal.text, terminal.text
    assert "From the terminal" in terminal.text and "left out" in terminal.text
    terminal.type("y\n")
    terminal.expect("u = undo")
    terminal.type("u\n")
    terminal.expect("undone: ")
    assert terminal.end() == 0
    assert office.one("SELECT state || ' ' || (fields ->> 'subject') || ' ' || (fields ->> 'text' LIKE '%hxxp://login-bank[.]example[.]net/q%') FROM outbox "
                      "WHERE fields ->> 'subject' = 'From the terminal'") == "cancelled From the terminal true"


def test_what_a_mail_cannot_be(office, wave):
    for text in ("", "  \n", "> only what they said\n\n-- \nCIRT\n"):
        assert "there is no text" in office.refused("reply", wave, "--to", "imitated", "--text", "-", text=text)
    assert "at most 200000 bytes" in office.refused("reply", wave, "--to", "imitated", "--text", "-", text="x" * 300000)
    assert office.refused("reply", wave, "--to", "registrar", "--text", "-", text="x").startswith("3 ")
    assert office.refused("reply", "2026-999999", "--text", "-", text="x").startswith("3 ")
    assert "no terminal" in office.refused("reply", wave, "--to", "imitated")
    assert "our own" in office.refused("mail", "--case", wave, "--to", "case@cirt.example", "--text", "-", text="x")
    # Nothing of a subject makes a field, and nothing of it reaches a terminal.
    said = office.write("mail", "--case", wave, "--to", "imitated", "--subject", "a\r\nBcc: x@x.example\x1b[31m", text="x")
    message = office.sent(said["number"])
    assert message["Bcc"] is None and email.utils.parseaddr(message["To"])[1] == "soc@bank.example"
    assert "\x1b" not in office.daemon.cirt_text("case", "show", wave).stdout
