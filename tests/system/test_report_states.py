"""Reports have a state, set one by one or on a filter, with a preview and undo."""
import pytest

from harness import mail, native, wait_for
from terminal import Terminal


@pytest.fixture(scope="module")
def desk(daemon):
    """A daemon in which people's mail opens no case by itself, so that reports stay new."""
    daemon.psql("UPDATE cirt.correlation_rule SET mode = 'by-hand'")
    yield daemon


def land(desk, what, count, host, **more):
    """Reports of this identifier; their numbers."""
    desk.send_lines([native(n, identifier=what, source={"ip": f"{host}.{n + 1}"}, malware=what, **more) for n in range(count)])
    desk.settle()
    return sorted(one["id"] for one in desk.reports("--identifier", what))


def states(desk, what):
    return sorted({(one["state"], one["case"]) for one in desk.reports("--identifier", what)}, key=str)


def case_of(desk, what):
    """A case, out of one mail by hand."""
    desk.send_mail(mail(subject=what, sender=f"{what}@people.example"))
    desk.settle()
    report = next(one["id"] for one in desk.reports("--source", "report") if one["title"] == what)
    desk.psql("INSERT INTO cirt.cases (title, state) VALUES ('" + what + "', 'open')")
    number = desk.psql("SELECT number FROM cirt.cases WHERE title = '" + what + "'")[0][0]
    assert desk.cirt("report", "link", number, report)["reports"] == 1
    return number, report


def test_named_reports_go_into_a_case_and_out_again(desk):
    one, two = land(desk, "walks", 2, "198.18.1")
    number, report = case_of(desk, "walks-case")
    said = desk.cirt_text("report", "link", number, one, two).stdout
    assert f"2 reports linked to {number}" in said and "cirt undo" in said
    assert states(desk, "walks") == [("linked", number)]
    assert desk.cirt("case", "show", number)["reports"] == 3
    refused = desk.cirt_text("report", "link", number, one, check=False)
    assert refused.returncode != 0 and f"{one} is linked in {number}" in refused.stderr
    desk.cirt("report", "unlink", report)
    assert desk.cirt("case", "show", number)["reports"] == 2
    assert "1 report as before" in desk.cirt_text("undo").stdout
    assert desk.cirt("report", "show", report)["case"] == number


def test_a_filter_is_shown_before_it_is_obeyed(desk):
    land(desk, "shown-first", 5, "198.18.2")
    asked = desk.cirt_text("report", "reject", "--identifier", "shown-first", "--reason", "false-alarm", check=False)
    assert asked.returncode == 2 and "--dry-run" in asked.stderr, "nobody is there to be asked"
    shown = desk.cirt("report", "reject", "--identifier", "shown-first", "--reason", "false-alarm", "--dry-run")
    assert shown["reports"] == 5 and shown["groups"][0]["n"] == 5 and shown["act"] is None
    with Terminal(desk, "report", "reject", "--identifier", "shown-first", "--reason", "false-alarm") as terminal:
        assert "5 reports rejected: false-alarm: nothing is done yet" in terminal.expect("Do it? [y/N]")
        terminal.type("n\n")
        assert terminal.end() == 0
    assert states(desk, "shown-first") == [("new", None)]
    with Terminal(desk, "report", "reject", "--identifier", "shown-first", "--reason", "false-alarm") as terminal:
        terminal.expect("Do it? [y/N]")
        terminal.type("y\n")
        terminal.expect("undo: cirt undo")
        assert terminal.end() == 0
    assert states(desk, "shown-first") == [("rejected", None)]


def test_many_are_one_act_one_row_of_the_journal_and_one_undo(desk):
    land(desk, "many-at-once", 200, "198.18.3")
    # Sums of rows are of a chain of their own.
    rows = lambda: int(desk.psql("SELECT count(*) FROM cirt.journal WHERE role = 'cirt_desk' AND object NOT LIKE 'rows/%'")[0][0])  # noqa: E731
    before = rows()
    done = desk.cirt("report", "reject", "--identifier", "many-at-once", "--reason", "test", "--yes")
    assert done["reports"] == 200 and states(desk, "many-at-once") == [("rejected", None)]
    assert rows() == before + 1
    desk.cirt("report", "reopen", desk.reports("--identifier", "many-at-once")[0]["id"])
    said = desk.cirt_text("undo", done["act"]).stdout
    assert "199 reports as before, 1 changed since" in said
    assert states(desk, "many-at-once") == [("new", None)]
    listed = desk.cirt("undo", "--list")["items"]
    assert next(act for act in listed if act["act"] == done["act"])["undone"]
    assert desk.cirt("audit", "verify")["ok"]


def test_what_they_are_and_whose_is_said_by_people(desk):
    one, two = land(desk, "said-anew", 2, "198.18.4")
    desk.cirt("org", "new", "Said Hospital")
    desk.cirt("report", "reclassify", "phishing", one, "--as-identifier", "said-anew")
    desk.cirt("report", "reassign", "Said Hospital", "--identifier", "said-anew", "--yes")
    desk.cirt("report", "retag", one, "--add", "ransomware")
    shown = desk.cirt("report", "show", one)
    assert (shown["classification"], shown["organisation"], shown["tags"]) == ("phishing", "Said Hospital", ["ransomware"])
    assert {row["id"] for row in desk.reports("--org", "Said Hospital")} == {one, two}
    wrong = desk.cirt_text("report", "retag", one, "--add", "nonsense", check=False)
    assert wrong.returncode == 3 and "cirt tag list" in wrong.stderr
    # A change of the register leaves what a person said.
    desk.cirt("org", "new", "Said Other", "--prefix", "198.18.4.0/24")
    wait_for(lambda: desk.psql("SELECT count(*) FROM cirt.attribution_queue")[0][0] == "0", what="the register's change")
    assert desk.cirt("report", "show", one)["organisation"] == "Said Hospital"


def test_only_ways_of_the_table_are_gone(desk):
    (one,) = land(desk, "one-way", 1, "198.18.5")
    desk.cirt("report", "reject", one, "--reason", "spam")
    number, _ = case_of(desk, "one-way-case")
    refused = desk.cirt_text("report", "link", number, one, check=False)
    assert refused.returncode != 0 and "rejected" in refused.stderr and "cirt report reopen" in refused.stderr
    with pytest.raises(AssertionError, match="does not go from rejected to linked"):
        desk.psql(f"UPDATE cirt.report_status SET state = 'linked', reject_reason = NULL WHERE report = {int(one[:6]) * 10**10 + int(one[7:])}")
