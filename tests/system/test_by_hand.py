"""What comes by phone, by chat or in person: through the same ledger, as a report or as a case with it."""
import json
import os
import signal
import stat

import pytest

from harness import wait_for
from terminal import Terminal


@pytest.fixture(scope="module")
def desk(daemon):
    daemon.cirt("org", "new", "Hand Hospital", "--kind", "hospital", "--prefix", "198.18.90.0/24")
    yield daemon


def entries(desk):
    return desk.settle()["entries"]["received"]


def editor(folder, body):
    """A program that is somebody's editor."""
    path = folder / "editor"
    path.write_text("#!/bin/sh\n" + body)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return {"EDITOR": str(path), "VISUAL": "", "XDG_STATE_HOME": str(folder)}


def test_a_case_by_phone_opens_at_once_and_its_report_lands_in_it(desk):
    before = entries(desk)
    done = desk.cirt("case", "open", "--phone", "--from", "IT head, +99 555 0101", "--callback", "+99 555 0102", "--confidence", "high",
                     "--org", "Hand Hospital", "--class", "unauthorised-information-modification", "--tag", "ransomware", "-s", "critical",
                     "--about", "198.18.90.7", "--text", "ER on paper\nsince ten")
    case = desk.cirt("case", "show", done["case"])
    assert (case["title"], case["state"], case["severity"], case["organisation"]) == ("ER on paper", "open", "critical", "Hand Hospital")
    assert case["assignee"] and case["tags"] == ["ransomware"] and case["tlp"] == "amber"
    wait_for(lambda: desk.cirt("case", "show", done["case"])["reports"] == 1, what="its report")
    report = desk.cirt("report", "show", desk.reports("--org", "Hand Hospital")[0]["id"])
    assert (report["case"], report["state"], report["confidence"], report["tags"]) == (done["case"], "linked", 90, ["ransomware"])
    assert json.loads(report["doc"])["extra"] == {"channel": "phone", "from": "IT head, +99 555 0101", "callback": "+99 555 0102"}
    receipt = desk.cirt("receipt", done["entry"])
    assert receipt["items"][0]["case"] == done["case"]
    assert entries(desk) == before + 1
    assert len(desk.cirt("case", "list")["items"]) == 1, "no rule has opened another"
    assert desk.cirt("audit", "verify")["ok"]


def test_a_call_is_no_feed_in_the_day(desk):
    desk.settle()
    before = desk.cirt("today")["intake"].get("calls", {"rows": 0})["rows"]
    done = desk.cirt("report", "new", "--phone", "--from", "a caller of the day", "--text", "something of the day")
    wait_for(lambda: desk.cirt("receipt", done["entry"])["state"] != "pending", what="it to land")
    intake = desk.cirt("today")["intake"]
    assert set(intake) == {"calls"} and intake["calls"]["rows"] == before + 1
    assert "by phone, by chat or in person" in desk.cirt_text("today").stdout and "FEEDS" not in desk.cirt_text("today").stdout


def test_what_a_person_reads(desk):
    shown = desk.cirt_text("case", "open", "--in-person", "--from", "A minister's aide", "--title", "Web site changed").stdout
    assert " opened " in shown and "you own it" in shown and "TLP:AMBER" in shown and "restricted: no" in shown
    assert " report 20" in shown and "next: cirt case note" in shown


def test_a_report_by_chat_is_counted_and_found_like_any_other(desk):
    desk.psql("UPDATE cirt.correlation_rule SET mode = 'by-hand'")
    before = entries(desk)
    done = desk.cirt("report", "new", "--chat", "--from", "someone@partner.example", "--class", "phishing", "--about",
                     "http://by-hand.example/login", "--text", "They say that it asks for passwords.", "--tlp", "green")
    assert done["landed"]["report"] and done["case"] is None
    assert entries(desk) == before + 1
    found = desk.cirt("report", "search", "by-hand.example")["items"]
    assert [one["id"] for one in found] == [done["landed"]["report"]] and found[0]["tlp"] == "green"
    number = desk.cirt("case", "open", "--phone", "--from", "x", "--title", "for linking")["case"]
    done = desk.cirt("report", "new", "--phone", "--from", "y", "--text", "More of the same", "--case", number)
    wait_for(lambda: desk.cirt("case", "show", number)["reports"] == 2, what="both reports")


def test_two_calls_that_say_the_same_are_two_reports(desk):
    before = desk.settle()["items"]["reports"]
    for _ in range(2):
        desk.cirt("report", "new", "--phone", "--from", "A. Citizen", "--title", "The same words")
    assert desk.settle()["items"]["reports"] == before + 2


def test_mistakes_are_told_before_anything_is_taken_in(desk):
    before, cases = entries(desk), desk.psql("SELECT count(*) FROM cirt.cases")
    for arguments, says in ((["--from", "x", "--title", "y"], "--phone, --chat or --in-person"), (["--phone", "--title", "y"], "from"),
                            (["--phone", "--from", "x", "--title", "y", "--org", "Nobody At All"], "Nobody At All"),
                            (["--phone", "--from", "x", "--title", "y", "--tag", "nonsense"], "nonsense"),
                            (["--phone", "--from", "x", "--title", "y", "-s", "grave"], "severity"),
                            (["--phone", "--from", "x", "--title", "y", "--at", "gestern"], "expected a time")):
        refused = desk.cirt_text("case", "open", *arguments, check=False)
        assert refused.returncode != 0 and says in refused.stderr, (arguments, refused.stderr)
    assert entries(desk) == before and desk.psql("SELECT count(*) FROM cirt.cases") == cases


def test_where_landing_is_slow_the_case_is_there_and_the_report_joins(desk):
    store = desk.room_pid("store")
    os.kill(store, signal.SIGSTOP)
    try:
        done = desk.cirt("case", "open", "--phone", "--from", "Somebody in a hurry", "--title", "While the queue stands")
        assert done["landed"] is None and done["entry"]
        assert desk.cirt("case", "show", done["case"])["state"] == "open"
    finally:
        os.kill(store, signal.SIGCONT)
    wait_for(lambda: desk.cirt("case", "show", done["case"])["reports"] == 1, what="its report")
    desk.settle()
    assert desk.psql("SELECT count(*) FROM cirt.by_hand WHERE done IS NULL") == [["0"]]


def test_a_desk_that_dies_in_between_loses_and_doubles_nothing(desk):
    """The line is in the spool, and nobody could write down which entry it is."""
    done = desk.cirt("case", "open", "--phone", "--from", "Cut off", "--title", "The line went dead")
    wait_for(lambda: desk.cirt("case", "show", done["case"])["reports"] == 1, what="its report")
    report = desk.psql(f"SELECT report, case_id FROM cirt.by_hand WHERE token = '{done['token']}'")[0]
    desk.psql("UPDATE cirt.by_hand SET done = NULL, report = NULL, spool = NULL, "
              f"sequence = NULL, day = NULL, at = at - interval '1 minute' WHERE token = '{done['token']}'")
    wait_for(lambda: desk.psql(f"SELECT report, case_id FROM cirt.by_hand WHERE token = '{done['token']}'")[0] == report, what="it again")
    assert desk.cirt("case", "show", done["case"])["reports"] == 1


def test_an_editor_opens_where_no_text_is_given(desk, open_folder):
    writes = editor(open_folder, 'printf "Backups are intact\\n# a comment\\n" >"$1"\n')
    with Terminal(desk, "report", "new", "--phone", "--from", "Ed", environment=writes) as terminal:
        terminal.expect(" report 20")
        assert terminal.end() == 0
    assert any(one["title"] == "Backups are intact" for one in desk.reports())
    before = entries(desk)
    for body, says in (("exit 3\n", "ended with 3"), (': >"$1"\n', "empty"), ("true\n", "as it was"),
                       ('printf "\\377" >"$1"\n', "not UTF-8")):
        with Terminal(desk, "report", "new", "--phone", "--from", "Ed", environment=editor(open_folder, body)) as terminal:
            terminal.expect(says)
            assert terminal.end() == 1
    assert entries(desk) == before


def test_what_is_said_in_a_drill_stays_in_it(desk):
    """--exercise names it; without that nothing real becomes a drill's, even where the drill's source was there first."""
    desk.psql("INSERT INTO cirt.exercise (name) VALUES ('autumn-drill')")
    words = ["case", "open", "--phone", "--from", "a player", "--text", "the drill's host is down", "--exercise", "autumn-drill"]
    none = desk.cirt_text(*words, check=False)
    assert none.returncode == 3 and "cirt source add NAME --kind desk --exercise autumn-drill" in none.stderr
    assert 'there is no exercise "spring"' in desk.cirt_text(*words[:-1], "spring", check=False).stderr
    desk.cirt("source", "add", "drill-desk", "--kind", "desk", "--exercise", "autumn-drill")
    case = desk.cirt(*words)["case"]
    assert desk.cirt("case", "show", case)["exercise"] == "autumn-drill"
    wait_for(lambda: desk.cirt("case", "show", case)["reports"] == 1, what="its report")
    assert desk.cirt("report", "show", desk.reports("--source", "drill-desk")[0]["id"])["exercise"] == "autumn-drill"
    entry = desk.cirt("report", "new", "--chat", "--from", "a player", "--text", "another host of the drill", "--exercise", "autumn-drill")["entry"]
    assert wait_for(lambda: (lambda found: found if found["state"] != "pending" else None)(desk.cirt("receipt", entry)), what="it to land")["source"] == "drill-desk"
    real = desk.cirt("case", "open", "--phone", "--from", "a citizen", "--text", "this one is real")["case"]
    assert desk.cirt("case", "show", real)["exercise"] is None
