"""Several at one case: two operators at once, and cases that are one for a time."""
import os
import subprocess
import threading

import pytest

from harness import native, wait_for


@pytest.fixture(scope="module")
def desk(daemon):
    for name in ("op1", "op2"):
        daemon.psql(f"INSERT INTO cirt.operator (name, role) VALUES ('{name}', 'lead')")
    return daemon


def open_case(desk, title, state="open"):
    return desk.psql(f"INSERT INTO cirt.cases (title, state, severity, type) VALUES ('{title}', '{state}', 50, 'phishing') RETURNING number")[0][0]


def refused(desk, *words):
    done = desk.cirt_text(*words, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def as_other(desk, sql):
    """Somebody else at the desk does something: a verb's function, with his name on the transaction."""
    desk.psql(f"BEGIN; SET LOCAL search_path = cirt; SELECT set_config('cirt.actor', 'op2', true); {sql}; COMMIT")


def asked(number, **members):
    parts = "".join(f", '{name}', '{value}'" for name, value in members.items())
    return f"jsonb_build_object('operator', 'op2', 'role', 'lead', 'number', '{number}'{parts})"


def test_the_second_is_shown_what_the_first_changed_once(desk):
    number = open_case(desk, "two at once")
    desk.cirt_text("case", "show", number)
    as_other(desk, f"SELECT desk_case_set({asked(number, severity='critical', title='Seen by op2')})")
    told = refused(desk, "case", "set", number, "--severity", "low")
    assert "op2" in told and "severity medium → critical" in told and "title two at once → Seen by op2" in told
    assert desk.cirt("case", "show", number)["severity"] == "critical", "nothing was changed"
    assert "low" in desk.cirt_text("case", "set", number, "--severity", "low").stdout, "said again it goes on"
    assert desk.cirt_text("case", "move", number, "contained").returncode == 0, "his own change is no news"


@pytest.mark.parametrize("words", [["take"], ["move", "contained"], ["close", "--outcome", "resolved"], ["set", "--impact", "minor"],
                                   ["merge", "OTHER"], ["reopen", "--reason", "again"]], ids=lambda words: words[0])
def test_every_verb_that_changes_a_case_asks(desk, words):
    number, other = open_case(desk, "asks " + words[0]), open_case(desk, "other " + words[0])
    if words[0] == "reopen":
        desk.cirt("case", "close", number, "--outcome", "resolved")
    revision = desk.cirt("case", "show", number)["revision"]
    as_other(desk, f"SELECT desk_case_set({asked(number, title='changed by op2')})" if words[0] != "reopen"
             else f"UPDATE cases SET outcome_text = 'said by op2' WHERE number = '{number}'")
    rest = [other if word == "OTHER" else word for word in words[1:]]
    assert "was changed since" in refused(desk, "case", words[0], number, *rest, "--if", revision)
    assert desk.cirt("case", words[0], number, *rest, "--if", desk.cirt("case", "show", number)["revision"])


def test_what_adds_to_a_case_is_nobodys_conflict(desk):
    number = open_case(desk, "added to")
    desk.cirt_text("case", "show", number)
    as_other(desk, f"SELECT desk_case_note({asked(number, text='by op2')}); SELECT desk_case_watch({asked(number)})")
    desk.cirt_text("case", "set", number, "--title", "goes on")
    assert "expected a revision" in refused(desk, "case", "take", number, "--if", "soon")


def test_of_two_at_the_same_instant_one_wins_and_the_other_is_told(desk):
    """Sessions at once, each with the same revision: as many changes as the journal has, and every loser is told."""
    number = open_case(desk, "race")
    revision = desk.cirt("case", "show", number)["revision"]
    done = [None] * 8

    def change(n):
        sql = f"SELECT set_config('cirt.actor', 'racer{n}', true); SELECT desk_case_set(jsonb_build_object('operator', 'racer{n}', 'role', " \
              f"'lead', 'number', '{number}', 'title', 'by racer {n}', 'if', '{revision}'))"
        done[n] = subprocess.run(desk.command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-c",
                                              f"SET search_path = cirt; {sql}"),
                                 capture_output=True, text=True, timeout=120, check=False, env=desk.environment())
    threads = [threading.Thread(target=change, args=(n,)) for n in range(len(done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [n for n, one in enumerate(done) if one.returncode == 0]
    assert len(won) == 1, [one.stderr for one in done]
    assert desk.cirt("case", "show", number)["title"] == f"by racer {won[0]}"
    assert all(f"title race → by racer {won[0]}" in one.stderr for n, one in enumerate(done) if n != won[0])


def test_what_was_seen_is_kept_privately(desk):
    number = open_case(desk, "private")
    desk.cirt_text("case", "show", number)
    path = f"{desk.environment()['XDG_STATE_HOME']}/cirt/seen"
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, encoding="utf-8") as file:
        assert number in file.read()
    assert desk.cirt_text("case", "show", number).returncode == 0
    done = subprocess.run([str(desk.programs.cirt), "--socket", str(desk.socket), "case", "show", number], capture_output=True, text=True,
                          check=False, env=dict(desk.environment(), XDG_STATE_HOME="/proc/nowhere"))
    assert done.returncode == 0 and not done.stderr


# Merging


def dress(desk, number, word):
    """Everything that hangs on a case, told by this word."""
    desk.cirt("party", "add", number, "reporter", "--name", f"party {word}", "--contact", f"{word}@together.example")
    desk.cirt("task", "new", number, f"task {word}", "--due", "2d")
    desk.cirt("case", "tag", number, "ransomware" if word == "one" else "press")
    desk.cirt("ref", "add", number, "misp", f"uuid-{word}")
    desk.cirt("case", "note", number, f"note {word}")
    desk.cirt("event", "add", number, f"event {word}")
    desk.cirt("case", "watch", number, "--for", "op1" if word == "one" else "op2")
    desk.cirt("measure", "new", "dns-block", f"{word}.together.example", "--case", number, "--review", "30d")


def carried(desk, number):
    shown = desk.cirt("case", "show", number)
    return {"parties": sorted(one["name"] for one in shown["parties"]), "tasks": sorted(one["title"] for one in shown["tasks"]),
            "tags": shown["tags"], "references": sorted(one["value"] for one in shown["references"]),
            "notes": sorted(one["text"] for one in shown["notes"]), "events": sorted(one["text"] for one in shown["events"]),
            "watchers": shown["watchers"], "measures": sorted(one["target"] for one in shown["measures"]),
            "reports": sorted(one["id"] for one in shown["report_items"]), "state": shown["state"], "due": bool(shown["due"])}


def test_merged_cases_show_all_and_stand_alone_again_with_nothing_lost(desk):
    desk.send_lines([native(50 + n, type="system-compromise", identifier=f"together-{n}", severity=90,
                            source={"ip": f"203.0.113.{50 + n}"}) for n in range(2)])
    desk.settle()
    found = wait_for(lambda: (lambda rows: rows if len(rows) == 2 else None)(
        [row for row in desk.all_pages("case", "list") if (row["identifier"] or "").startswith("together-")]), 30, "two cases")
    one, two = (row["number"] for row in found)
    for number, word in ((one, "one"), (two, "two")):
        desk.cirt("case", "take", number)
        dress(desk, number, word)
    desk.cirt("case", "move", one, "contained")
    before = {number: carried(desk, number) for number in (one, two)}
    desk.cirt("case", "merge", one, two, "--reason", "same kit")
    both = carried(desk, two)
    for what in ("parties", "tasks", "tags", "references", "notes", "events", "watchers", "measures", "reports"):
        assert both[what] == sorted(before[one][what] + before[two][what]), what
    assert f"merged into {two}" in desk.cirt_text("case", "show", one).stdout
    assert "is open: task one" in refused(desk, "case", "close", two, "--outcome", "resolved"), "its tasks keep the whole open"
    assert f"was merged into {two}: do it there" in refused(desk, "case", "note", one, "too late")
    desk.cirt("case", "split", one)
    assert {number: carried(desk, number) for number in (one, two)} == before, "as they were, the state too"
    assert desk.cirt("audit", "verify")["ok"] is True


def test_merges_are_undone_in_any_order_whenever(desk):
    names = [open_case(desk, f"chain {n}") for n in range(3)]
    for number in names:
        desk.cirt("task", "new", number, f"of {number}")
    a, b, c = names
    desk.cirt("case", "merge", a, b)
    desk.cirt("case", "merge", b, c)
    assert len(carried(desk, c)["tasks"]) == 3 and desk.cirt("case", "show", c)["merged"] == [a, b]
    desk.cirt("case", "split", a)
    assert carried(desk, a)["tasks"] == [f"of {a}"] and carried(desk, c)["tasks"] == [f"of {b}", f"of {c}"]
    desk.cirt("case", "merge", a, c)
    desk.cirt("case", "split", b)
    assert carried(desk, c)["tasks"] == sorted([f"of {a}", f"of {c}"])
    desk.cirt("case", "split", a)
    assert [carried(desk, number)["tasks"] for number in names] == [[f"of {number}"] for number in names]


def test_reports_come_back_from_where_a_chain_took_them(desk):
    desk.send_lines([native(60 + n, type="system-compromise", identifier=f"chain-{n}", severity=90,
                            source={"ip": f"203.0.113.{60 + n}"}) for n in range(3)])
    desk.settle()
    found = wait_for(lambda: (lambda rows: rows if len(rows) == 3 else None)(
        [row for row in desk.all_pages("case", "list") if (row["identifier"] or "").startswith("chain-")]), 30, "three cases")
    a, b, c = (row["number"] for row in found)
    own = {number: carried(desk, number)["reports"] for number in (a, b, c)}
    desk.cirt("case", "merge", a, b)
    desk.cirt("case", "merge", b, c)
    assert carried(desk, c)["reports"] == sorted(sum(own.values(), []))
    desk.cirt("case", "split", a)
    assert carried(desk, a)["reports"] == own[a] and carried(desk, c)["reports"] == sorted(own[b] + own[c])
    desk.cirt("case", "split", b)
    assert {number: carried(desk, number)["reports"] for number in (a, b, c)} == own


def test_no_merge_goes_in_a_circle_or_twice(desk):
    a, b, c = (open_case(desk, f"circle {n}") for n in range(3))
    assert "into itself" in refused(desk, "case", "merge", a, a)
    desk.cirt("case", "merge", a, b)
    assert "in a circle" in refused(desk, "case", "merge", b, a)
    assert f"cirt case split {a}" in refused(desk, "case", "merge", a, c)
    assert f"was merged into {b}: merge {c} into that" in refused(desk, "case", "merge", c, a)
    desk.cirt("case", "merge", b, c)
    assert "in a circle" in refused(desk, "case", "merge", c, a)
    assert desk.psql(f"SELECT count(*) FROM cirt.cases WHERE number IN ('{a}', '{b}') AND state = 'merged'") == [["2"]]


def test_a_merge_is_the_last_act_that_undo_takes_back(desk):
    a, b = open_case(desk, "undo a", "new"), open_case(desk, "undo b")
    desk.cirt("case", "merge", a, b)
    assert "stands by itself again" in desk.cirt_text("undo").stdout
    assert desk.cirt("case", "show", a)["state"] == "new"
    closed = open_case(desk, "closed one")
    desk.cirt("case", "close", closed, "--outcome", "duplicate")
    assert f"cirt case reopen {closed}" in refused(desk, "case", "merge", a, closed)
