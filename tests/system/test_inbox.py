"""The inbox: groups of what is new, people's mail first, one key for a whole group, suggestions with their reason."""
import contextlib
import os
import signal
import termios

import pytest

from harness import mail, native, wait_for
from terminal import Terminal


@pytest.fixture(scope="module")
def desk(daemon):
    """A daemon in which nothing opens a case by itself, so that the inbox holds it."""
    daemon.psql("UPDATE cirt.correlation_rule SET mode = 'by-hand'")
    yield daemon


def lines(desk, *narrow):
    return desk.cirt("inbox", *narrow, "--limit", 200)["items"]


def line(desk, what):
    """The group whose text holds these words, once the keeper has sorted it in."""
    def find():
        return next((one for one in lines(desk) if what in one["what"]), None)
    return wait_for(find, what=f"{what} in the inbox")


def scans(desk, what, count, host):
    desk.send_lines([native(n, identifier=what, type="scanner", malware="", source={"ip": f"{host}.{n + 1}"}) for n in range(count)])
    desk.settle()
    wait_for(lambda: line(desk, what)["n"] == count, what="all of them")
    return line(desk, what)


def letters(desk, subject, count, body="Nothing but words.\n"):
    for n in range(count):
        desk.send_mail(mail(subject=f"{subject} {n}", body=body, sender=f"{subject.replace(' ', '-').lower()}-{n}@people.example"))
    desk.settle()
    wait_for(lambda: line(desk, subject)["n"] == count, what="all of them")
    return line(desk, subject)


@contextlib.contextmanager
def sums_as_they_are(desk):
    """The keeper, who alone writes them, waits."""
    holding = desk.owner.connect()
    holding.autocommit = False
    holding.cursor().execute("LOCK TABLE inbox_whose IN EXCLUSIVE MODE")
    try:
        yield
    finally:
        holding.close()


def test_mails_of_one_subject_are_one_group_before_what_machines_say(desk):
    scans(desk, "inbox-first", 12, "198.19.1")
    group = letters(desk, "Your parcel", 3)
    assert group["people"] and group["n"] == 3
    listed = lines(desk)
    assert [one["people"] for one in listed] == sorted((one["people"] for one in listed), reverse=True)
    assert all(one["people"] for one in lines(desk, "people")) and not any(one["people"] for one in lines(desk, "feeds"))
    assert {one["source"] for one in lines(desk, "sensor-1")} == {"sensor-1"}
    text = desk.cirt_text("inbox").stdout
    assert "Your parcel" in text and "scanner/inbox-first" in text and "SUGGESTED" in text
    assert desk.cirt_text("inbox", "nobody", check=False).returncode == 3


def test_an_act_is_on_the_whole_group_and_undone_as_one(desk):
    group = scans(desk, "inbox-whole", 20, "198.19.2")
    shown = desk.cirt("inbox", "show", group["group"])
    assert shown["n"] == 20 and len(shown["items"]) == 20
    assert "20 reports rejected: false-alarm" in desk.cirt_text("inbox", "reject", group["group"], "--reason", "false-alarm").stdout
    assert not any("inbox-whole" in one["what"] for one in lines(desk)), "gone at once"
    assert {one["state"] for one in desk.reports("--identifier", "inbox-whole")} == {"rejected"}
    wait_for(lambda: desk.psql("SELECT count(*) FROM inbox_delta") == [["0"]], what="the sums to hold it")
    with sums_as_they_are(desk):
        desk.cirt("undo")
        assert [one["n"] for one in lines(desk) if "inbox-whole" in one["what"]] == [20], "and back at once"
    opened = desk.cirt("inbox", "open", line(desk, "inbox-whole")["group"], "--title", "A scan of all")
    case = desk.cirt("case", "show", opened["number"])
    assert (case["title"], case["state"], case["reports"]) == ("A scan of all", "open", 20) and case["assignee"]
    said = desk.cirt_text("undo").stdout
    assert "20 reports as before" in said and "is rejected" in said
    assert desk.cirt("case", "show", opened["number"])["state"] == "rejected"


def test_what_is_like_a_case_is_suggested_with_the_reason(desk):
    body = "".join(f"Dear customer {word}, your parcel waits at the counter of http://kit.example/p/{word}.\n" for word in range(40))
    first = letters(desk, "Kit", 1, body)
    number = desk.cirt("inbox", "open", first["group"])["number"]
    # The same host, whatever else the mail says.
    second = letters(desk, "Quite other words", 1, "Somebody sent me http://kit.example/p/3 today.\n")
    assert second["suggested"]["act"] == "link" and second["suggested"]["case"] == number
    assert "kit" in second["suggested"]["why"], second["suggested"]
    assert f"1 report linked to {number}" in desk.cirt_text("inbox", "link", second["group"]).stdout
    other = letters(desk, "Unlike anything", 1)
    refused = desk.cirt_text("inbox", "link", other["group"], check=False)
    assert refused.returncode == 2 and "--case" in refused.stderr
    # A mail that names a case, from somebody whom the case does not know, is probably of it.
    tag = desk.cirt("case", "show", number)["subject_tag"]
    desk.send_mail(mail(subject=f"Re: {tag} once more", sender="stranger@elsewhere.example"))
    desk.settle()
    guess = line(desk, "once more")
    assert guess["suggested"]["text"] == f"link {number} (probably its thread)"


def test_government_and_compromised_is_suggested_to_be_opened(desk):
    desk.cirt("org", "new", "Ministry of Inboxes", "--kind", "government", "--prefix", "198.19.40.0/24")
    desk.cirt("org", "new", "School of Inboxes", "--kind", "education", "--prefix", "198.19.41.0/24")
    desk.send_lines([native(n, type="infected-system", identifier="inbox-lumma", malware="", source={"ip": f"198.19.{40 + n}.9"}) for n in (0, 1)])
    desk.settle()
    grave = wait_for(lambda: next((one for one in lines(desk, "grave") if "inbox-lumma" in one["what"]), None), what="the grave one")
    assert grave["whose"] == "Ministry of Inboxes" and grave["suggested"]["text"] == "open (government + compromised)"
    rest = next(one for one in lines(desk, "feeds") if "inbox-lumma" in one["what"] and one["group"] != grave["group"])
    assert rest["n"] == 1 and rest["whose"] == "School of Inboxes"


def test_keys_on_a_terminal_of_80_columns(desk):
    desk.psql("UPDATE cirt.report_status SET state = 'rejected', reject_reason = 'test' WHERE state = 'new'")
    for one in lines(desk):
        desk.cirt("inbox", "reject", one["group"], "--reason", "test")
    number = desk.psql("INSERT INTO cirt.cases (title, state) VALUES ('keys', 'open') RETURNING number")[0][0]
    letters(desk, "Keys opened", 2)
    scans(desk, "inbox-keys-a", 4, "198.19.5")
    scans(desk, "inbox-keys-b", 5, "198.19.6")
    with Terminal(desk, "inbox", lines=24, columns=80) as terminal:
        shown = terminal.expect("[1/3]")
        assert "Keys opened" in shown and "o open" in shown
        assert max(len(row) for row in terminal.rows()) <= 80
        terminal.type("\r")
        assert "Nothing but words." in terminal.expect("any key goes back")
        terminal.type(" ")
        terminal.expect("[1/3]")
        terminal.type("o")
        terminal.expect("opened with 2 reports. u = undo")
        terminal.type("l")
        terminal.expect("into case:")
        terminal.type(f"{number}\r")
        terminal.expect(f"linked to {number}. u = undo")
        terminal.type("r")
        terminal.expect("why?")
        terminal.type("f")
        terminal.expect("rejected: false-alarm")
        terminal.type("u")
        terminal.expect("undone:")
        terminal.type("q")
        assert terminal.end() == 0
        assert terminal.modes == terminal.before, "the terminal is as it was"
    left = lines(desk)
    assert len(left) == 1 and "inbox-keys" in left[0]["what"]
    assert desk.cirt("case", "show", number)["reports"] in (4, 5)


@pytest.mark.parametrize("way", ["\x03", "\x04", signal.SIGTERM, signal.SIGHUP])
def test_every_end_leaves_the_terminal_as_it_was(desk, way):
    with Terminal(desk, "inbox") as terminal:
        terminal.expect("q quit")
        if isinstance(way, str):
            terminal.type(way)
        else:
            terminal.seen = ""
            os.kill(terminal.pid, way)
        assert terminal.end() == 0
        assert terminal.modes == terminal.before and "\x1b[?1049l" in terminal.seen
        assert terminal.modes[3] & termios.ECHO


def test_trap_terminal_escapes_in_a_subject_never_reach_the_terminal(desk):
    desk.send_mail(mail(subject="=?utf-8?q?Evil_=1B]0;owned=07_=E2=80=AEgnp?=", sender="evil@people.example"))
    desk.settle()
    line(desk, "Evil")
    with Terminal(desk, "inbox", "people") as terminal:
        terminal.expect("Evil")
        terminal.type("\r")
        terminal.expect("any key")
        assert "\x1b]0" not in terminal.seen and "\u202e" not in terminal.seen
        terminal.type("q")
        terminal.type("q")
        assert terminal.end() == 0
