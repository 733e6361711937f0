"""What people do in a case: its words, parties, tasks, countermeasures, notes, tags, references, campaigns; how it ends."""
import json

import pytest

from harness import native, wait_for


@pytest.fixture(scope="module")
def desk(daemon):
    daemon.psql("INSERT INTO cirt.organisation (name, kind, sector) VALUES ('City Hospital', 'hospital', 'health')")
    daemon.psql("INSERT INTO cirt.operator (name, role, uid) VALUES ('op7', 'analyst', 70007)")
    return daemon


def count(desk, rows_of):
    return desk.psql(f"SELECT count(*) FROM {rows_of}")[0][0]


def open_case(desk, title):
    """A case of its own, as the schema opens them."""
    return desk.psql(f"INSERT INTO cirt.cases (title, state, severity, type) VALUES ('{title}', 'open', 50, 'phishing') RETURNING number")[0][0]


def refused(desk, *words):
    done = desk.cirt_text(*words, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def what(desk, number):
    return [row["what"] for row in desk.cirt("case", "show", number)["journal"]]


def test_a_case_is_told_what_it_is_and_the_journal_has_it_in_words(desk):
    number = open_case(desk, "words")
    desk.cirt("case", "set", number, "--title", "Files are encrypted", "--severity", "critical", "--tlp", "amber+strict", "--type",
              "unauthorised-information-modification", "--org", "City Hospital", "--impact", "significant", "--identifier", "lockbit")
    shown = desk.cirt("case", "show", number)
    assert (shown["title"], shown["severity"], shown["tlp"], shown["organisation"], shown["impact"]) == \
        ("Files are encrypted", "critical", "amber+strict", "City Hospital", "significant")
    assert "severity medium → critical" in what(desk, number)[-1] and "organisation - → City Hospital" in what(desk, number)[-1]
    assert "expected clear, green" in refused(desk, "case", "set", number, "--tlp", "purple")
    assert "expected none, minor" in refused(desk, "case", "set", number, "--impact", "huge")
    assert "nothing to change" in refused(desk, "case", "set", number)
    assert "no organisation" in refused(desk, "case", "set", number, "--org", "City Hospitl")


def test_a_case_goes_no_further_than_its_reports_without_a_word(desk):
    made = desk.cirt("case", "open", "--phone", "--from", "their CISO", "--title", "Told in confidence", "--tlp", "red")
    number = made["case"]
    wait_for(lambda: desk.cirt("case", "show", number)["reports"] == 1, what="what was told")
    assert "TLP:RED" in refused(desk, "case", "set", number, "--tlp", "green")
    assert desk.cirt("case", "show", number)["tlp"] == "red"
    assert desk.cirt("case", "set", number, "--tlp", "green", "--reason", "they said so by phone")["tlp"] == "green"
    assert any("they said so by phone" in str(row) for row in desk.cirt("journal", number)["items"])
    desk.cirt("case", "set", number, "--tlp", "amber")


def test_it_ends_with_an_outcome_of_the_table_once_nothing_is_open(desk):
    number = open_case(desk, "ends")
    task = desk.cirt("task", "new", number, "call", "the", "vendor")["id"]
    assert "resolved, mitigated" in refused(desk, "case", "close", number, "--outcome", "cleaned up")
    assert f"cirt task done {task}" in refused(desk, "case", "close", number, "--outcome", "resolved")
    assert desk.cirt("case", "show", number)["open_ends"]
    desk.cirt("task", "done", task, "--text", "they ship on Friday")
    closed = desk.cirt("case", "close", number, "--outcome", "mitigated", "--text", "blocked, not repaired", "--impact", "minor")
    assert (closed["state"], closed["outcome"], closed["impact"]) == ("closed", "mitigated", "minor")
    assert "reopen" in refused(desk, "task", "new", number, "too late")
    assert "wants a reason" in refused(desk, "case", "reopen", number)
    assert desk.cirt("case", "reopen", number, "--reason", "the page is up again")["state"] == "open"
    assert "nothing is to be reopened" in refused(desk, "case", "reopen", number, "--reason", "x")


def test_unknown_transitions_say_which_are_known(desk):
    number = open_case(desk, "moves")
    for wrong in ("new", "nonsense"):
        assert "waiting, contained, resolved, closed (cirt case close)" in refused(desk, "case", "move", number, wrong)


def test_tasks_are_listed_by_what_is_due_and_go_their_way(desk):
    number = open_case(desk, "tasks")
    late = desk.cirt("task", "new", number, "late one", "--due", "2026-01-02")["id"]
    soon = desk.cirt("task", "new", number, "soon", "--due", "4h", "--for", "op7")["id"]
    never = desk.cirt("task", "new", number, "some day")["id"]
    rows = desk.cirt("task", "list", "--case", number)["items"]
    assert [row["id"] for row in rows] == [late, soon, never] and rows[0]["overdue"] and rows[1]["assignee"] == "op7"
    assert [row["id"] for row in desk.cirt("task", "list", "--for", "op7")["items"]] == [soon]
    assert late in [row["id"] for row in desk.cirt("task", "list", "--overdue")["items"]]
    assert desk.cirt("case", "show", number)["due"].startswith("2026-01-02")
    page = desk.cirt("task", "list", "--case", number, "--limit", "2")
    assert [row["id"] for row in desk.cirt("task", "list", "--case", number, "--cursor", page["next"])["items"]] == [never]
    assert desk.cirt("task", "take", never)["assignee"] == desk.cirt("task", "list", "--mine")["items"][-1]["assignee"]
    assert "wants one" in refused(desk, "task", "drop", late)
    assert desk.cirt("task", "drop", late, "--reason", "they called us")["state"] == "dropped"
    assert f"cirt task reopen {late}" in refused(desk, "task", "done", late)
    assert desk.cirt("task", "reopen", late, "--reason", "after all")["state"] == "open"
    assert desk.cirt("task", "set", late, "--title", "Renamed", "--no-due")["title"] == "Renamed"
    assert any(f"task {late} dropped: late one (they called us)" == line for line in what(desk, number))


def test_parties_have_parts_and_references_are_found(desk):
    number = open_case(desk, "parties")
    police = desk.cirt("party", "add", number, "police", "--name", "Sgt Moreau", "--contact", "moreau@police.example", "--ref", "PN-2231/26")
    desk.cirt("party", "add", number, "affected", "--org", "City Hospital")
    assert "expected reporter, affected" in refused(desk, "party", "add", number, "victim", "--name", "x")
    assert "--org" in refused(desk, "party", "add", number, "hoster")
    assert "already" in refused(desk, "party", "add", number, "affected", "--org", "City Hospital")
    desk.cirt("party", "set", police["id"], "--contact", "+99 555 0101", "--language", "fr")
    shown = desk.cirt("case", "show", number)
    assert [(one["role"], one.get("organisation") or one.get("name")) for one in shown["parties"]] == \
        [("police", "Sgt Moreau"), ("affected", "City Hospital")]
    assert "parties   police Sgt Moreau ref PN-2231/26 · affected City Hospital" in desk.cirt_text("case", "show", number).stdout
    desk.cirt("ref", "add", number, "misp", "5f3c2a10-7d1e")
    for looked in ("pn-2231", "5F3C2A10-7D1E"):
        assert [row["case"] for row in desk.cirt("ref", "find", looked)["items"]] == [number]
    assert "already" in refused(desk, "ref", "add", number, "misp", "5f3c2a10-7d1e")
    desk.cirt("party", "remove", police["id"])
    assert [row["case"] for row in desk.cirt("ref", "find", "PN-2231/26")["items"]] == [number], "the reference stays"
    desk.cirt("ref", "remove", number, "PN-2231/26")
    assert not desk.cirt("ref", "find", "PN-2231/26")["items"]


def test_what_is_personal_is_not_in_the_journal(desk):
    number = open_case(desk, "personal")
    desk.cirt("party", "add", number, "reporter", "--name", "Iris Onlyhere", "--contact", "iris.onlyhere@example.org")
    desk.cirt("event", "add", number, "Iris Onlyhere opened the attachment")
    desk.cirt("case", "note", number, "Iris Onlyhere called")
    assert count(desk, "cirt.journal WHERE before LIKE '%nlyhere%' OR after LIKE '%nlyhere%'") == "0"
    assert desk.cirt("audit", "verify")["ok"] is True


def test_tags_come_from_the_list(desk):
    number = open_case(desk, "tags")
    assert "cirt tag list" in refused(desk, "case", "tag", number, "ransomwear")
    desk.cirt("case", "tag", number, "ransomware", "press")
    desk.cirt("tag", "new", "supply-chain", "--meaning", "came by a supplier")
    assert desk.cirt("case", "tag", number, "supply-chain")["tags"] == ["press", "ransomware", "supply-chain"]
    assert desk.cirt("case", "untag", number, "press")["tags"] == ["ransomware", "supply-chain"]
    assert [row["number"] for row in desk.cirt("case", "list", "--tag", "supply-chain")["items"]] == [number]
    desk.cirt("tag", "set", "supply-chain", "--retire")
    assert "supply-chain" not in [row["name"] for row in desk.cirt("tag", "list")["items"]]
    assert "no tag" in refused(desk, "case", "tag", number, "supply-chain")
    assert "expected lower-case" in refused(desk, "tag", "new", "No Blanks")


def test_a_countermeasure_outlives_its_case_and_alarms_when_it_is_due(desk):
    number = open_case(desk, "measures")
    measure = desk.cirt("measure", "new", "dns-block", "login-bank.example.net", "--case", number, "--for", "op7", "--review", "30d")
    assert "expected dns-block" in refused(desk, "measure", "new", "magic", "x", "--review", "1d")
    assert "--review" in refused(desk, "measure", "new", "dns-block", "x.example")
    desk.cirt("case", "close", number, "--outcome", "resolved")
    assert measure["id"] in [row["id"] for row in desk.cirt("measure", "list")["items"]]
    desk.cirt("measure", "set", measure["id"], "--review", "2026-01-01")
    raised = wait_for(lambda: [one for one in desk.cirt("alarm", "list")["items"] if one["kind"] == "measure-review"], 90, "an alarm")
    assert "login-bank.example.net" in raised[0]["text"] and "op7" in raised[0]["text"]
    assert [row["state"] for row in desk.cirt("measure", "list", "--due")["items"]] == ["to be reviewed"]
    assert "dns-block login-bank.example.net, to be reviewed (op7)" in desk.cirt_text("today").stdout
    assert "a time to come" in refused(desk, "measure", "review", measure["id"])
    assert desk.cirt("measure", "review", measure["id"], "--next", "30d")["state"] == "stands"
    wait_for(lambda: not [one for one in desk.cirt("alarm", "list")["items"] if one["kind"] == "measure-review"], 90, "the alarm to be over")
    ended = desk.cirt("measure", "end", measure["id"], "--reason", "the name is deleted")
    assert ended["state"] == "ended" and "was ended" in refused(desk, "measure", "set", measure["id"], "--for", "op7")
    assert "ended (the name is deleted): dns-block login-bank.example.net" in \
        [row["what"] for row in desk.cirt("measure", "show", measure["id"])["journal"]]


def test_the_course_of_the_incident_is_sorted_by_its_own_time(desk):
    number = open_case(desk, "course")
    desk.cirt("event", "add", number, "files", "encrypted", "--at", "2026-11-01 22:10", "--about", "--from", "IT head")
    desk.cirt("event", "add", number, "first login", "--at", "2026-10-28 03:00", "--until", "2026-10-28 04:00")
    assert [row["text"] for row in desk.cirt("case", "show", number)["events"]] == ["first login", "files encrypted"]
    assert "behind" in refused(desk, "event", "add", number, "x", "--at", "2026-10-28", "--until", "2026-10-27")
    last = desk.cirt("event", "list", number)["items"][-1]
    assert last["about"] and last["told_by"] == "IT head"
    desk.cirt("event", "set", last["id"], "--at", "2026-10-01 10:00", "--exactly")
    assert [row["text"] for row in desk.cirt("event", "list", number)["items"]] == ["files encrypted", "first login"]
    desk.cirt("event", "remove", last["id"])
    assert [row["text"] for row in desk.cirt("event", "list", number)["items"]] == ["first login"]


def test_notes_keep_what_they_said_and_are_erased_with_proof(desk):
    number = open_case(desk, "notes")
    note = desk.cirt("case", "note", number, "patient Lovelace was named", "--pin")["note"]
    assert desk.cirt("case", "show", number)["now"]["text"] == "patient Lovelace was named"
    desk.cirt("note", "edit", note, "a patient was named: Lovelace")
    shown = desk.cirt("note", "show", note)
    assert shown["text"].startswith("a patient") and [one["text"] for one in shown["revisions"]] == ["patient Lovelace was named"]
    digests = [json.loads(row[0]) for row in desk.psql(
        f"SELECT after FROM cirt.journal WHERE object = 'case/{number}' AND action LIKE 'note%'")]
    assert shown["digest"] in [row.get("digest") for row in digests]
    assert "reason" in refused(desk, "note", "erase", note)
    asked = desk.cirt("note", "erase", note, "--reason", "names a patient")
    assert asked["waits"] and asked["approval"]["kind"] == "note-erase" and desk.cirt("note", "show", note)["text"]
    erased = desk.cirt("note", "erase", note, "--reason", "names a patient", "--break-glass", "nobody else is here")
    assert erased["digest"] == shown["digest"] and erased["erased"]
    assert count(desk, "cirt.note WHERE text LIKE '%Lovelace%'") == "0"
    assert count(desk, "cirt.note_revision WHERE text LIKE '%Lovelace%'") == "0"
    assert f"note {note} erased: names a patient" in what(desk, number)
    assert "was erased" in refused(desk, "note", "edit", note, "again")
    assert desk.cirt("audit", "verify")["ok"] is True
    assert "(erased)" in desk.cirt_text("case", "show", number).stdout


def test_a_note_is_at_most_a_megabyte_and_the_error_says_so(desk):
    number = open_case(desk, "large")
    whole = "\"\n" * 500000
    note = desk.cirt("case", "note", number, "-", stdin=whole)["note"]
    assert desk.cirt("note", "show", note)["text"] == whole
    assert f"cirt note show {note}" in desk.cirt_text("case", "show", number).stdout
    done = desk.cirt_text("case", "note", number, "-", stdin="x" * 10_000_000, check=False)
    assert done.returncode != 0 and "1 MB" in done.stderr
    with pytest.raises(AssertionError, match="at most 1000000"):
        desk.cirt("note", "edit", note, "x", "y" * 100_000, *["z" * 100_000] * 10)


def test_hostile_words_are_kept_as_sent_and_never_reach_the_terminal_raw(desk):
    number = open_case(desk, "hostile")
    nasty = "clear \x1b[2J\x1b]0;owned\x07 turn \u202egnp.exe c1 \u009b31m"
    note = desk.cirt("case", "note", number, nasty, "--pin")["note"]
    desk.cirt("case", "set", number, "--title", nasty)
    task = desk.cirt("task", "new", number, nasty)["id"]
    desk.cirt("event", "add", number, nasty)
    assert desk.cirt("note", "show", note)["text"] == nasty
    for words in (["case", "show", number, "--journal"], ["case", "list"], ["task", "list"], ["event", "list", number], ["note", "show", note]):
        shown = desk.cirt_text(*words).stdout
        assert "\\x1b" in shown and not any(one in shown for one in ("\x1b", "\x07", "\u202e", "\u009b")), words
    assert "one line" in refused(desk, "party", "add", number, "other", "--name", nasty)
    assert "\x1b" not in refused(desk, "case", "move", number, nasty)
    desk.cirt("task", "drop", task, "--reason", "test")


def test_a_campaign_is_a_case_that_others_belong_to(desk):
    one, two = open_case(desk, "first of it"), open_case(desk, "second of it")
    campaign = desk.cirt("campaign", "new", "winter-lock", one, two)
    assert (campaign["cases"], campaign["open"]) == (2, 2)
    assert desk.cirt("case", "show", one)["campaign"] == {"number": campaign["number"], "title": "winter-lock", "cases": 2}
    assert "campaign winter-lock (2 cases)" in desk.cirt_text("case", "show", one).stdout
    assert [row["number"] for row in desk.cirt("case", "list", "--campaign", campaign["number"])["items"]] == [two, one]
    assert [row["number"] for row in desk.cirt("campaign", "show", one)["items"]] == [two, one]
    assert campaign["number"] in [row["number"] for row in desk.cirt("campaign", "list")["items"]]
    assert "no campaign of itself" in refused(desk, "campaign", "add", campaign["number"], campaign["number"])
    assert "is a campaign" in refused(desk, "campaign", "add", open_case(desk, "above it"), campaign["number"])
    assert desk.cirt("campaign", "remove", two)["cases"] == 1
    assert "belongs to no campaign" in refused(desk, "campaign", "remove", two)


def test_who_watches_a_case_finds_it_in_his_list(desk):
    number = open_case(desk, "watched")
    assert number not in [row["number"] for row in desk.cirt("case", "list", "--watching")["items"]]
    desk.cirt("case", "watch", number, "--for", "op7")
    assert "op7" in desk.cirt("case", "watch", number)["watchers"]
    assert [row["number"] for row in desk.cirt("case", "list", "--watching")["items"]] == [number]
    desk.cirt("case", "unwatch", number)
    assert "does not watch" in refused(desk, "case", "unwatch", number)
    assert desk.cirt("case", "show", number)["watchers"] == ["op7"]


def test_lists_have_an_order_and_go_on_where_they_ended(desk):
    numbers = [open_case(desk, f"order {n}") for n in range(4)]
    for number, severity in zip(numbers, ("low", "critical", "info", "high")):
        desk.cirt("case", "set", number, "--severity", severity, "--type", "masquerade")

    def all_of(*words):
        found, cursor = [], []
        while True:
            page = desk.cirt("case", "list", "--type", "masquerade", "--limit", "1", *words, *cursor)
            found += [numbers.index(row["number"]) for row in page["items"]]
            if not page["next"]:
                return found
            cursor = ["--cursor", page["next"]]
    assert all_of("--order", "severity") == [1, 3, 0, 2]
    assert all_of() == [3, 2, 1, 0]
    desk.cirt("case", "set", numbers[0], "--title", "changed last")
    assert all_of("--order", "changed") == [0, 3, 2, 1]
    desk.cirt("task", "new", numbers[2], "later", "--due", "2d")
    desk.cirt("task", "new", numbers[3], "sooner", "--due", "1d")
    assert all_of("--order", "due") == [3, 2]
    assert "newest, severity" in refused(desk, "case", "list", "--order", "luck")
    assert "`next`" in refused(desk, "case", "list", "--cursor", "x")


def test_reports_split_off_go_back_by_undo(desk):
    desk.send_lines([native(41, type="system-compromise", identifier="split-undo", severity=90)])
    desk.settle()
    case = wait_for(lambda: [one for one in desk.all_pages("case", "list") if one["identifier"] == "split-undo"], 30, "a case")[0]["number"]
    report = desk.cirt("case", "show", case)["report_items"][0]["id"]
    new = desk.cirt("case", "split", case, report, "--title", "Of its own")
    assert (new["moved"], new["from"]) == (1, case)
    desk.cirt("undo")
    assert [row["id"] for row in desk.cirt("case", "show", case)["report_items"]] == [report]
    assert desk.cirt("case", "show", new["number"])["state"] == "rejected"
