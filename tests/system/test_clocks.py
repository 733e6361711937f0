"""What is due by when: clocks, cases that wait and come back by themselves, warnings that are said once."""
import datetime
import re

import pytest

from harness import mail, native, wait_for


@pytest.fixture(scope="module")
def desk(daemon):
    return daemon


def new_case(desk, number, host):
    """A case of its own: a report of an intrusion opens it by rule."""
    known = {row["number"] for row in desk.cirt("case", "list", "--all")["items"]}
    desk.send_lines([native(number, type="system-compromise", severity=80, observables=[
        {"type": "ip", "value": host, "role": "source"}])])
    return wait_for(lambda: {row["number"] for row in desk.cirt("case", "list", "--all")["items"]} - known, what="a case").pop()


def ahead(**span):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_case_waits_until_a_date_and_comes_back_alone(desk):
    case = new_case(desk, 501, "198.51.100.51")
    desk.cirt("case", "move", case, "open")
    said = desk.cirt_text("case", "wait", case, "--for", "hoster", "--until", "2d").stdout
    assert re.match(f"{case} waits for hoster until 20", said), said
    assert desk.cirt("case", "show", case)["state"] == "waiting"
    assert [row["what"] for row in desk.cirt("clock", "list", "--case", case)["items"]] == ["hoster: ask again (waiting)"]
    assert f"next: {case} (hoster, " in desk.cirt_text("today").stdout
    # Said again it waits for something else, and that date comes.
    desk.cirt("case", "wait", case, "--for", "the registrar", "--until", ahead(seconds=3))
    wait_for(lambda: desk.cirt("case", "show", case)["state"] == "open", what="the case to come back")
    rows = desk.psql(f"SELECT actor || ': ' || (after::jsonb ->> 'reason') FROM cirt.journal WHERE object = 'case/{case}' AND action = 'update'"
                     " ORDER BY n DESC LIMIT 1")
    assert rows[0][0].startswith("keeper: no answer of the registrar until "), rows
    assert f"back: {case} (the registrar)" in desk.cirt_text("today").stdout


def test_an_answer_of_the_party_brings_a_case_back(desk):
    case = new_case(desk, 502, "198.51.100.52")
    desk.psql(f"INSERT INTO cirt.party (case_id, role, name, contact) SELECT id, 'hoster', 'Answering Hoster', 'abuse@answering.example'"
              f" FROM cirt.cases WHERE number = '{case}'")
    assert desk.cirt("case", "wait", case, "--for", "hoster", "--until", "3d")["party"] == "hoster Answering Hoster"
    tag = desk.cirt("case", "show", case)["subject_tag"]
    desk.send_mail(mail(f"{tag} it is down now", "We took it down.\n", "abuse@answering.example", 502))
    wait_for(lambda: desk.cirt("case", "show", case)["state"] == "open", what="the case to come back")
    assert f"{case} (hoster has answered)" in desk.cirt_text("today").stdout


def test_what_cannot_wait_says_why(desk):
    case = new_case(desk, 503, "198.51.100.53")
    for arguments, wanted in ((["--for", "x", "--until", "2001-01-01"], "is over already"), (["--for", "x"], "until when? --until WHEN"),
                              (["--until", "2d"], "for whom? --for"), (["--for", "x", "--until", "someday"], "expected a time ahead")):
        refused = desk.cirt_text("case", "wait", case, *arguments, check=False)
        assert refused.returncode == 2 and wanted in refused.stderr, refused.stderr
    desk.cirt("case", "move", case, "rejected", "--reason", "a test")
    refused = desk.cirt_text("case", "wait", case, "--for", "x", "--until", "2d", check=False)
    assert refused.returncode == 1 and "from there it goes to" in refused.stderr


def test_a_clock_is_said_once_before_and_at_its_end_whatever_ends_meanwhile(desk):
    case = new_case(desk, 504, "198.51.100.54")
    desk.cirt("case", "take", case)
    near = desk.cirt("clock", "new", case, "--what", "call the ministry back", "--within", "2 h", "--warn", "119 m")["id"]
    over = desk.cirt("clock", "new", case, "--what", "write to the bank", "--within", "1 h")["id"]

    def said(kind, clock):
        rows = desk.cirt("alarm", "list", "--all")["items"]
        return [row for row in rows if row["kind"] == kind and row["subject"] == f"clock {clock}"]

    desk.psql(f"UPDATE cirt.clock SET warn_at = now() WHERE id = {near}; UPDATE cirt.clock SET due = now() WHERE id = {over}")
    wait_for(lambda: said("clock-near", near) and said("clock-breached", over), what="the alarms")
    me = desk.cirt("today")["operator"]["name"]
    assert said("clock-near", near)[0]["text"].startswith(f"{me}: {case} our call the ministry back is due ")
    desk.kill()
    desk.start()
    desk.cirt("clock", "pause", str(near), "--reason", "their turn")
    wait_for(lambda: desk.cirt("status")["rooms"], what="the rooms")
    fresh = desk.cirt("clock", "new", case, "--what", "a later one", "--within", "1 h")["id"]
    desk.psql(f"UPDATE cirt.clock SET due = now() WHERE id = {fresh}")
    wait_for(lambda: said("clock-breached", fresh), what="the keeper at work again")
    assert [row["count"] for row in said("clock-near", near) + said("clock-breached", over)] == [1, 1]
    assert [row["id"] for row in desk.cirt("clock", "list", "--breached", "--case", case)["items"]] == [over, fresh]
    assert "CLOCKS" in desk.cirt_text("today").stdout
    desk.cirt("clock", "met", str(over))
    assert said("clock-breached", over)[0]["ended"]
    assert desk.cirt("clock", "list", "--case", case, "--all")["items"][0]["state"] == "met late"


def test_what_is_no_time_and_no_clock_is_refused(desk):
    case = new_case(desk, 505, "198.51.100.55")
    for arguments, wanted in ((["clock", "new", case, "--what", "x", "--within", "soon"], 'expected a time such as "24 hours"'),
                              (["clock", "new", case, "--within", "1 h"], "what is due? --what TEXT"),
                              (["clock", "met", "seven"], "a clock's number was expected"),
                              (["clock", "list", "--next", "x"], 'expected a time such as "24 hours"')):
        refused = desk.cirt_text(*arguments, check=False)
        assert refused.returncode == 2 and wanted in refused.stderr, refused.stderr
    assert desk.cirt_text("clock", "met", "999999", check=False).returncode == 3
    bad = desk.cirt("clock", "new", case, "--what", "a \u202e\x1b[31mtrick", "--within", "3 d")["id"]
    shown = desk.cirt_text("clock", "list", "--case", case).stdout
    assert "\x1b" not in shown and "\u202e" not in shown and str(bad) in shown


def test_waiting_is_undone(desk):
    """To what it waited for before, then to what it was; the clocks go on. What has come back is not."""
    case = new_case(desk, 514, "198.51.100.154")
    desk.cirt("case", "move", case, "open")
    clock = desk.cirt("clock", "new", case, "--what", "ask the owner", "--within", "5 hours")["id"]
    desk.cirt("case", "wait", case, "--for", "first", "--until", "2d")
    assert "undo: cirt undo " in desk.cirt_text("case", "wait", case, "--for", "second", "--until", "3d").stdout
    assert "waits for first again" in desk.cirt("undo")["said"]
    shown = desk.cirt("case", "show", case)
    assert shown["state"] == "waiting" and shown["waits"]["whom"] == "first"
    assert [row["state"] for row in shown["clocks"] if row["id"] == clock] == ["paused"]
    act = [row["act"] for row in desk.cirt("undo", "--list")["items"] if row["what"] == f"{case} waits for first"][0]
    assert f"{case} is open again" in desk.cirt("undo", act)["said"]
    shown = desk.cirt("case", "show", case)
    assert shown["state"] == "open" and shown["waits"] is None and [row["state"] for row in shown["clocks"] if row["id"] == clock] == ["running"]
    desk.cirt("case", "wait", case, "--for", "third", "--until", "2d")
    desk.cirt("case", "move", case, "open")
    refused = desk.cirt_text("undo", check=False)
    assert refused.returncode == 1 and "does not wait for third any more" in refused.stderr


def test_clocks_of_merged_cases_are_one_and_two_again(desk):
    """The earlier time stands; what says something else stays; a closed case ends all of them; taken apart each has its own."""
    first, second = new_case(desk, 515, "198.51.100.155"), new_case(desk, 516, "198.51.100.156")
    ids = {name: desk.cirt("clock", "new", case, "--what", what, "--within", within)["id"] for name, case, what, within in (
        ("late", first, "Call the owner", "9 hours"), ("early", second, "call the owner", "3 hours"), ("other", second, "tell the press", "2 hours"))}
    clocks = lambda case: {row["id"]: row for row in desk.cirt("case", "show", case)["clocks"]}
    due = clocks(second)[ids["early"]]["due"]
    desk.cirt("case", "merge", second, first)
    whole = {row["id"] for row in clocks(first).values() if "owner" in row["what"].lower() or "press" in row["what"]}
    assert whole == {ids["early"], ids["other"]} and clocks(first)[ids["early"]]["due"] == due
    assert desk.cirt("case", "list", "--order", "due")["items"]
    desk.cirt("case", "split", second)
    assert ids["late"] in clocks(first) and ids["early"] not in clocks(first)
    assert {ids["early"], ids["other"]} <= set(clocks(second)) and clocks(second)[ids["early"]]["due"] == due
    # What is met while they are one is met for both.
    desk.cirt("case", "merge", second, first)
    desk.cirt("clock", "met", ids["early"])
    desk.cirt("undo", [row["act"] for row in desk.cirt("undo", "--list")["items"] if row["what"] == f"{second} merged into {first}"][0])
    assert ids["late"] not in clocks(first) and ids["early"] not in clocks(second) and ids["other"] in clocks(second)
    met = desk.psql(f"SELECT count(met) FROM cirt.clock WHERE id IN ({ids['late']}, {ids['early']})")[0][0]
    assert met == "2" and desk.cirt("audit", "verify")
    # They stand and end with the case that they are shown in.
    desk.cirt("case", "merge", second, first)
    desk.cirt("case", "move", first, "open")
    desk.cirt("case", "wait", first, "--for", "both", "--until", "2d")
    assert clocks(first)[ids["other"]]["state"] == "paused"
    desk.cirt("case", "split", second)
    assert clocks(second)[ids["other"]]["state"] == "running"
