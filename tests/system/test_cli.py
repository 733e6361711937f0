"""What a person at the desk gets from cirt: answers, mistakes, rights, and nothing harmful on the terminal."""
import json
import os
import pty
import select
import socket
import subprocess
import threading
import time

import pytest

from harness import native, wait_for

NASTY = "clear \x1b[2J\x1b]0;owned\x07 turn \u202egnp.exe c1 \u009b31m"


def on_terminal(daemon, *arguments, **environment):
    """What cirt writes to a terminal of 100 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([str(daemon.programs.cirt), "--socket", str(daemon.socket), *map(str, arguments)], stdout=follower,
                               stderr=follower, stdin=subprocess.DEVNULL,
                               env=dict(daemon.environment(), TERM="xterm", COLUMNS="100", LC_ALL="C.UTF-8", **environment))
    os.close(follower)
    seen = b""
    while True:
        ready, _, _ = select.select([leader], [], [], 60)
        try:
            piece = os.read(leader, 65536) if ready else b""
        except OSError:
            piece = b""
        if not piece:
            break
        seen += piece
    os.close(leader)
    process.wait(60)
    return seen.decode()


def as_user(daemon, uid, *arguments):
    """cirt as another user of this machine."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", str(daemon.programs.cirt), "--socket",
               str(daemon.socket), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=daemon.environment())


@pytest.fixture(scope="module")
def filled(daemon):
    """Thirty reports, some of which open cases, one with a hostile title."""
    lines = [native(number, identifier=f"cli-{number % 3}", severity=90 if number < 3 else 30) for number in range(30)]
    lines.append(native(77, identifier="nasty", title=NASTY, text=NASTY, type="system-compromise", severity=95))
    daemon.send_lines(lines)
    daemon.settle()
    wait_for(lambda: daemon.all_pages("case", "list"), 30, "a case")
    return daemon


def test_every_list_is_a_page(filled):
    for words in (["source", "list"], ["report", "list"], ["report", "search", "cli-1"], ["case", "list"], ["quarantine", "list"],
                  ["rules", "list"], ["plugin", "list"]):
        page = filled.cirt(*words)
        assert isinstance(page["items"], list) and "next" in page, words
    report = filled.cirt("report", "list")["items"][0]
    assert {"id", "source", "classification", "identifier", "severity", "tlp", "title", "state", "organisation", "first_seen",
            "last_seen", "count", "case"} <= set(report)
    assert {report["severity"] for report in filled.reports()} <= {"info", "low", "medium", "high", "critical"}


def test_what_a_sender_leaves_out_is_filled_in_or_null(filled):
    """Severity by RSIT type, a title of what, which and where; never an empty text for what there is not."""
    filled.send_lines([{"type": "vulnerable-system", "source": {"ip": "198.51.100.7", "port": 3389}, "identifier": "open-rdp"},
                       {"type": "scanner", "source": {"ip": "192.0.2.250"}}])
    filled.settle()
    rdp, scan = [filled.cirt("report", "search", address)["items"][0] for address in ("198.51.100.7", "192.0.2.250")]
    assert (rdp["title"], rdp["severity"]) == ("198.51.100.7: vulnerable-system open-rdp", "medium")
    assert (scan["title"], scan["severity"], scan["identifier"]) == ("192.0.2.250: scanner", "low", None)
    shown = filled.cirt("report", "show", scan["id"])
    assert shown["title"] == scan["title"] and shown["asn"] is None and shown["country"] is None and shown["sender_id"] is None


def test_report_is_shown_with_all_that_hangs_on_it(filled):
    report = filled.cirt("report", "list", "--source", "sensor-1", "--limit", 200)["items"][-1]
    shown = filled.cirt("report", "show", report["id"])
    assert [sum(one["count"] for one in shown["sightings"])] == [shown["count"]]
    text = filled.cirt_text("report", "show", report["id"]).stdout
    assert "OBSERVABLE" in text and "SEEN BY" in text and "AS SENT" in text and "WHY" not in text
    why = filled.cirt_text("report", "show", report["id"], "--why").stdout
    assert "same incident seen again when rule infected-host (version 1)" in why and "After 7 days without it" in why


def test_pages_show_every_row_once(filled):
    seen, cursor = [], None
    while True:
        page = filled.cirt("report", "list", "--limit", 7, *(["--cursor", cursor] if cursor else []))
        seen += [report["id"] for report in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == len(filled.reports())
    assert seen == sorted(seen, key=lambda one: [int(part) for part in one.split("-")], reverse=True)
    found, cursor = [], None
    while True:
        page = filled.cirt("report", "search", "cli-1", "--limit", 3, *(["--cursor", cursor] if cursor else []))
        found += [report["id"] for report in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert len(found) == len(set(found)) == 10


def test_lists_are_narrowed(filled):
    assert all(report["severity"] == "critical" for report in filled.reports("--severity", "critical"))
    assert len(filled.reports("--severity", "critical")) == 4
    assert {report["classification"] for report in filled.reports("--type", "system-compromise")} == {"system-compromise"}
    assert filled.reports("--since", "1h") and not filled.reports("--since", "2099-01-01")
    assert filled.cirt_text("report", "list", "--source", "nobody", check=False).returncode == 3
    assert filled.cirt_text("report", "list", "--type", "phising", check=False).returncode == 2
    assert all(case["severity"] == "critical" for case in filled.all_pages("case", "list", "--severity", "critical"))


def test_nothing_harmful_reaches_the_terminal(filled):
    """Escapes, C1 controls and what turns text around are shown, in tables, in text and in JSON."""
    report = [one for one in filled.reports() if one["identifier"] == "nasty"][0]
    assert report["title"] == NASTY
    for words in (["report", "list"], ["report", "show", report["id"], "--why"], ["case", "list"], ["case", "show", report["case"] or "1"],
                  ["--json", "report", "show", report["id"]], ["report", "search", NASTY]):
        shown = on_terminal(filled, *words, NO_COLOR="1")
        assert "\\x1b" in shown or "\\u001b" in shown or "clear" not in shown, words
        assert not {"\x1b", "\x07", "\u202e", "\u009b"} & set(shown), (words, shown)
    piped = filled.cirt_text("report", "show", report["id"]).stdout
    assert "\x1b" not in piped and "\\x1b[2J" in piped


def test_colour_only_on_a_terminal(filled):
    assert "\x1b[" in on_terminal(filled, "report", "list")
    assert "\x1b[" not in on_terminal(filled, "report", "list", NO_COLOR="1")
    assert "\x1b[" not in filled.cirt_text("report", "list").stdout


def test_tables_fit_the_terminal(filled):
    shown = on_terminal(filled, "report", "list", NO_COLOR="1")
    assert max(len(line) for line in shown.replace("\r", "").split("\n") if not line.startswith("more:")) <= 100


@pytest.mark.parametrize("words,code,says", [
    (["case", "lst"], 2, "list"), (["reprot", "list"], 2, "report"), (["case", "show"], 2, "NUMBER"),
    (["report", "list", "--limt", "3"], 2, "--limit"), (["source", "add", "x"], 2, "--kind: missing"),
    (["report", "list", "--severity", "bad"], 2, "--severity: expected info"), (["case", "close", "1"], 2, "--outcome: expected resolved"), (["case", "show", "1999-000001"], 3, "no case"),
    (["report", "show", "199901-5"], 3, "no report"), (["report", "show", "what"], 2, "202611-123"),
    (["quarantine", "show", "99999"], 3, "quarantine"), (["source", "show", "nobody"], 3, "see: cirt source list"),
    (["report", "search", "10.0.0.0/4"], 2, "/8"), (["source", "add", "x y", "--kind", "sensor", "--match", "san:x"], 2, "name"),
    (["source", "add", "x", "--kind", "sensor", "--match", "x"], 2, "san:"), (["source", "add", "x", "--kind", "fed"], 2, "feed"),
    (["source", "add", "sensor-1", "--kind", "sensor", "--match", "san:x"], 1, "exists"),
    (["submit", "/nonexistent"], 1, "No such file"), (["undo", "99999"], 3, "see: cirt undo --list"), (["org", "show", "x"], 3, "see: cirt org list"),
    (["evidence", "add", "1", "/nonexistent"], 1, "cirt: /nonexistent: No such file"),
])
def test_mistakes_are_told_with_their_exit_code(filled, words, code, says):
    done = filled.cirt_text(*words, check=False)
    assert done.returncode == code, done
    assert says in done.stderr


def test_no_daemon_is_exit_5(filled):
    done = subprocess.run([str(filled.programs.cirt), "--socket", "/nonexistent/cirt.sock", "case", "list"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 5 and "--socket" in done.stderr


def test_transitions_name_what_may_follow(filled):
    number = filled.all_pages("case", "list")[0]["number"]
    short = number.split("-")[1].lstrip("0")
    filled.cirt("case", "take", short)
    shown = filled.cirt("case", "show", number)
    assert shown["state"] == "open" and "contained" in shown["next_states"]
    refused = filled.cirt_text("case", "move", number, "new", check=False)
    assert refused.returncode == 1 and "waiting, contained" in refused.stderr
    filled.cirt("case", "close", number, "--outcome", "resolved")
    refused = filled.cirt_text("case", "move", number, "open", check=False)
    assert refused.returncode == 2 and "reason" in refused.stderr
    filled.cirt("case", "move", number, "open", "--reason", "it came back")
    journal = json.dumps(filled.cirt("case", "show", number)["journal"])
    assert "closed" in journal and "it came back" in journal


def test_journal_says_what_was_done_and_nothing_else(filled):
    one, other = [case["number"] for case in filled.all_pages("case", "list")[:2]]
    filled.cirt("case", "take", one)
    before = filled.cirt("case", "show", one)["journal"]
    filled.cirt("case", "take", one)
    assert filled.cirt("case", "show", one)["journal"] == before
    filled.cirt("case", "merge", other, one)
    what = [row["what"] for row in filled.cirt("case", "show", one)["journal"]]
    assert all(what) and f"merged with {other}" in what
    filled.cirt("case", "split", other)


def test_status_counts_the_work(filled):
    wait_for(lambda: "lines 3" in filled.cirt_text("status").stdout, 20, "the counters of intake")
    shown = filled.cirt_text("status").stdout
    assert "BACKLOG" in shown and "DATABASE  up" in shown and "SANDBOX" in shown
    rooms = {room["name"]: room for room in filled.cirt("status")["rooms"]}
    assert {"spool", "triage", "store", "keeper", "intake", "desk", "exchange"} <= set(rooms)
    assert rooms["intake"]["counters"]["lines"] >= 31


def status_shown(daemon, folder, status):
    """What `cirt status` prints of a status that the test made up."""
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / "desk.sock"))
        door.listen()
        with subprocess.Popen([str(daemon.programs.cirt), "--socket", str(folder / "desk.sock"), "status"], stdout=subprocess.PIPE,
                              env=daemon.environment(), text=True) as shown:
            with door.accept()[0] as client, client.makefile("rwb") as stream:
                asked = json.loads(stream.readline())
                stream.write(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": status}).encode() + b"\n")
                stream.flush()
                return shown.communicate(timeout=60)[0]


@pytest.mark.parametrize("state, alarm", [("starting", False), ("waiting", False), ("down", False), ("running", True)])
def test_status_says_nothing_of_the_sandbox_of_a_room_that_starts(filled, open_folder, state, alarm):
    """What holds a room is known once it runs: no alarm before that."""
    status = filled.cirt("status")
    room = [one for one in status["rooms"] if one["name"] == "triage"][0]
    status["rooms"].append(dict(room, instance=7, state=state, enforced={}))
    held = [one for one in status["rooms"][:-1] if one["enforced"].get("landlock")]
    shown = status_shown(filled, open_folder, dict(status, rooms=held + status["rooms"][-1:]))
    assert "triage 7" in shown and ("without Landlock: triage" in shown) == alarm, shown


def test_a_match_that_another_source_has_is_refused(filled):
    """Of two mailboxes or sensors with one match, one would get nothing; the other one is named."""
    def add(name, kind, match):
        return filled.cirt_text("source", "add", name, "--kind", kind, "--match", match, check=False)
    assert add("match-a", "sensor", "san:match-a.test san:match-b.test").returncode == 0
    assert add("match-m", "mailbox", "match-a@cirt.example").returncode == 0
    for kind, match, other in (("sensor", "san:match-c.test san:MATCH-B.test", "match-a"), ("mailbox", "Match-A@cirt.example", "match-m")):
        refused = add("match-z", kind, match)
        assert refused.returncode == 1 and f'"{other}" has that match' in refused.stderr, refused.stderr
    assert add("match-f", "mailbox", "san:match-a.test@cirt.example").returncode == 0
    filled.cirt("source", "disable", "match-a")
    assert add("match-z", "sensor", "san:match-b.test").returncode == 0
    refused = filled.cirt_text("source", "enable", "match-a", check=False)
    assert refused.returncode == 1 and '"match-z" has that match' in refused.stderr, refused.stderr
    filled.cirt("source", "disable", "match-z")
    assert filled.cirt("source", "enable", "match-a")["state"] == "enabled"
    assert filled.cirt("source", "enable", "match-a")["state"] == "enabled"
    assert filled.cirt_text("source", "enable", "match-none", check=False).returncode == 3


def test_rules_check_sums_up(filled):
    items = filled.cirt("rules", "check")["items"]
    assert f"{len(items)} files with {sum(item['rules'] for item in items)} rules: all fine." in filled.cirt_text("rules", "check").stdout


def test_reports_are_split_off_and_their_origin_kept(filled):
    case = [one for one in filled.all_pages("case", "list") if one["reports"] >= 1][0]
    shown = filled.cirt("case", "show", case["number"])
    report = shown["report_items"][0]["id"]
    new = filled.cirt("case", "split", case["number"], report, "--title", "Of its own", "--reason", "another matter")
    assert new["title"] == "Of its own" and new["reports"] == 1 and new["from"] == case["number"]
    assert filled.cirt("report", "show", report)["case"] == new["number"]
    filled.cirt("case", "merge", new["number"], case["number"])
    assert filled.cirt("report", "show", report)["case"] == case["number"]


def test_who_is_not_an_operator_is_denied(filled):
    """Rights follow the verb table; every change carries the operator's name."""
    denied = as_user(filled, 41234, "case", "list")
    assert denied.returncode == 4 and "not an operator" in denied.stderr
    filled.psql("INSERT INTO cirt.operator (name, role, uid) VALUES ('op4', 'viewer', 41234)")
    wait_for(lambda: as_user(filled, 41234, "case", "list").returncode == 0, 20, "the new operator to be let in", every=1)
    number = filled.all_pages("case", "list")[0]["number"]
    denied = as_user(filled, 41234, "case", "note", number, "hello")
    assert denied.returncode == 4 and "trainee" in denied.stderr
    assert "cirt: undo needs the role trainee; op4 is viewer" in as_user(filled, 41234, "undo").stderr
    filled.psql("UPDATE cirt.operator SET role = 'analyst' WHERE name = 'op4'")
    wait_for(lambda: as_user(filled, 41234, "case", "note", number, "by op4").returncode == 0, 20, "the right to be given", every=1)
    assert {"op4"} == {note["actor"] for note in filled.cirt("case", "show", number)["notes"] if note["text"] == "by op4"}
    assert as_user(filled, 41234, "source", "disable", "sensor-1").returncode == 4


def test_submitted_file_is_taken_once(filled, tmp_path):
    """The same file again is not taken in twice; an mbox becomes its mails (trap 1)."""
    path = tmp_path / "two.mbox"
    path.write_text("".join(f"From a@b Mon\nFrom: a@b.example\nSubject: submitted {n}\n\nSee 192.0.2.{n}\n\n" for n in range(2)))
    first = filled.cirt("submit", path)["items"][0]
    assert len(first["entries"]) == 2
    assert filled.cirt("submit", path)["items"][0]["entries"] == []
    before = filled.settle()
    assert len(filled.cirt("submit", path, "--again")["items"][0]["entries"]) == 2
    assert filled.settle()["entries"]["received"] == before["entries"]["received"] + 2
    assert filled.cirt("submit", "-", stdin="Subject: from stdin\n\nSee 192.0.2.9\n")["items"][0]["entries"]


def test_trap_17_watch_skips_nothing_that_commits_late(filled):
    """A row with a lower number that commits later is still shown."""
    one, other = [case["number"] for case in filled.all_pages("case", "list")[:2]]
    seen = []
    watch = subprocess.Popen([str(filled.programs.cirt), "--socket", str(filled.socket), "--json", "watch"], stdout=subprocess.PIPE,
                             text=True, env=filled.environment())
    reader = threading.Thread(target=lambda: [seen.append(json.loads(line)) for line in watch.stdout], daemon=True)
    reader.start()
    try:
        time.sleep(1.5)
        late = threading.Thread(target=filled.psql, args=(
            f"BEGIN; UPDATE cirt.cases SET title = 'late' WHERE number = '{one}'; SELECT pg_sleep(3); COMMIT;",))
        late.start()
        time.sleep(1)
        filled.psql(f"UPDATE cirt.cases SET title = 'early' WHERE number = '{other}'")
        filled.send_lines([native(200, identifier="watch-me")])
        late.join()
        wait_for(lambda: {"late", "early"} <= {one["item"]["title"] for one in seen if one["kind"] == "case"}, 20, "both cases")
        wait_for(lambda: [one for one in seen if one["kind"] == "report" and one["item"]["identifier"] == "watch-me"], 20, "the report")
        titles = [one["item"]["title"] for one in seen if one["kind"] == "case"]
        assert titles.index("early") < titles.index("late")
        reports = [one["item"]["id"] for one in seen if one["kind"] == "report"]
        assert len(reports) == len(set(reports))
    finally:
        watch.terminate()
        watch.wait(20)


def test_the_cap_of_cases_is_an_alarm(make_daemon):
    """Who looks at the alarms sees that rules may open no more cases, how many reports wait, and which option says so."""
    daemon = make_daemon(sections={"keeper": {"case_cap": 1}}).start()
    daemon.add_sensor()
    daemon.send_lines([native(number, identifier=f"cap-{number}", severity=90) for number in range(30)])
    daemon.settle()
    alarm = wait_for(lambda: [one for one in daemon.cirt("alarm", "list")["items"] if one["kind"] == "case-cap"], 60, "the alarm")[0]
    assert "cap of 1 an hour (keeper.case_cap)" in alarm["text"] and "reports wait" in alarm["text"]
    assert "case-cap" in daemon.cirt_text("alarm", "list").stdout


def test_without_database_status_and_submit_work(make_daemon, tmp_path):
    daemon = make_daemon(sections={"database": {"managed": False, "conninfo": "host=/nonexistent dbname=cirt"}}).start(wait=False)
    status = wait_for(lambda: daemon.cirt_try("status"), 60, "the desk")
    assert status["database"]["up"] is False and status["database"]["why"]
    assert "down" in daemon.cirt_text("status").stdout
    path = tmp_path / "one.eml"
    path.write_text("Subject: one\n\nSee 192.0.2.7\n")
    told = wait_for(lambda: [one for one in [daemon.cirt_text("submit", path, check=False)] if "spool is away" not in one.stderr], 30, "the spool")[0]
    assert told.returncode == 1 and "the database was never there: " in told.stderr and "/nonexistent" in told.stderr, told.stderr
    assert "cirt status" in told.stderr
    refused = daemon.cirt_text("case", "list", check=False)
    assert refused.returncode == 1 and "database is away" in refused.stderr and "cirt status" in refused.stderr


def test_first_words_help(filled):
    shown = filled.cirt_text().stdout
    assert "cirt status" in shown and "case" in shown
    assert filled.cirt_text("help", "case", "move").stdout.startswith("usage: cirt case move")
    verbs = filled.cirt("help")["items"]
    assert len(verbs) > 30
    overview = filled.cirt_text("help").stdout
    for noun in {verb["noun"] for verb in verbs}:
        assert f"\n  {noun} " in overview, f"the overview leaves {noun} out"
        assert not filled.cirt_text("help", noun).stdout.split("\n")[0].rstrip().endswith(":"), f"{noun} is not explained"
    for verb in verbs:
        words = [word for word in (verb["noun"], verb["verb"]) if word]
        shown = filled.cirt_text(*words, "--help").stdout
        assert all(f"--{option['name']}" in shown for option in verb["options"])


def shown(daemon, *arguments, **environment):
    return subprocess.run([str(daemon.programs.cirt), "--socket", str(daemon.socket), *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, check=False, env=dict(daemon.environment(), LC_ALL="C.UTF-8", **environment))


def test_columns_and_order_are_chosen(filled):
    rows = shown(filled, "report", "list", "--columns", "severity,id", "--sort", "severity").stdout.splitlines()
    assert rows[0].split() == ["SEVERITY", "ID"]
    ranks = ["info", "low", "medium", "high", "critical"]
    order = [ranks.index(row.split()[0]) for row in rows[1:] if row.split()[0] in ranks]
    assert len(order) >= 31 and order == sorted(order) and order[0] != order[-1]
    rows = shown(filled, "report", "list", "--columns", "Severity", "--sort=-severity").stdout.splitlines()[1:]
    assert [ranks.index(row.strip()) for row in rows] == sorted(order, reverse=True)
    assert shown(filled, "report", "list", "--columns", "tlp").stdout.split()[0] == "TLP"


def test_a_column_that_there_is_not_is_answered_with_those_there_are(filled):
    for option in (["--columns", "severity,weather"], ["--sort", "weather"]):
        answer = shown(filled, "report", "list", *option)
        assert answer.returncode == 2 and 'there is no column "weather"' in answer.stderr and " severity" in answer.stderr


def test_what_is_typed_often_is_kept_under_a_name(filled, tmp_path):
    home = {"XDG_CONFIG_HOME": str(tmp_path)}
    saved = shown(filled, "report", "list", "--severity", "critical", "--columns", "id,severity", "--save", "grave", **home)
    again = shown(filled, "report", "list", "--saved", "grave", **home)
    assert saved.returncode == again.returncode == 0 and again.stdout == saved.stdout and "critical" in again.stdout
    one = shown(filled, "report", "list", "--saved", "grave", "--limit", 1, "--json", **home)
    assert len(json.loads(one.stdout)["items"]) == 1
    other = shown(filled, "report", "list", "--saved", "none", **home)
    assert other.returncode == 2 and 'nothing is saved as "none"' in other.stderr and "grave" in other.stderr
    assert shown(filled, "case", "list", "--saved", "grave", **home).returncode == 2
    assert shown(filled, "report", "list", "--save", "../out", **home).returncode == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["grave"]
    assert (tmp_path / "cirt/saved/report.list/grave").stat().st_mode & 0o777 == 0o600


def test_help_by_what_happened(filled):
    listed = shown(filled, "help", "task").stdout
    assert "Someone phoned" in listed and "A mail of ours bounced" in listed
    assert "cirt case open --phone" in shown(filled, "help", "someone", "phoned").stdout
    assert "cirt notice list --state failed" in shown(filled, "help", "task", "bounce").stdout
    assert "cirt notice list --state failed" in shown(filled, "help", "bouncd").stdout
    nothing = shown(filled, "help", "task", "weather")
    assert nothing.returncode == 3 and "Someone phoned" in nothing.stdout
    assert shown(filled, "help", "weather\x1b[2J").returncode == 2
    assert "\x1b" not in shown(filled, "help", "weather\x1b[2J").stderr


PHRASES = {"phone call": "Someone phoned", "close case": "A case is over", "reopen a case": "A case is over", "take a case": "Whose case it is",
           "someone left": "A colleague comes", "new constituent": "A new constituent", "wrong address": "wrong address",
           "wrong severity": "What a case or a report says is wrong", "send mail": "A mail is to be written", "false alarm": "It is nothing",
           "TLP red": "A source must be asked", "secret case": "Not everybody may see", "attach a file": "Somebody gave us a file",
           "who owns this ip": "What is known of an address", "deadline": "When is that due", "new feed": "A new feed",
           "ask all banks": "One question to many", "takedown": "It has to go down", "drill": "A drill"}


@pytest.mark.parametrize("phrase", PHRASES)
def test_what_people_say_finds_its_situation(filled, phrase):
    """The first situation that is shown is the one that was meant: short words are no mistakes for others."""
    found = shown(filled, "help", "task", *phrase.split())
    assert found.returncode == 0 and PHRASES[phrase] in found.stdout.splitlines()[0]


def test_an_argument_typed_as_an_option_is_said_to_be_one(filled):
    said = shown(filled, "evidence", "add", "ransom.txt", "--case", "2026-000412")
    assert said.returncode == 2 and "--case is an argument and no option: cirt evidence add CASE FILE" in said.stderr
    assert "and: cirt mail search|show" in shown(filled, "mail", "--help").stdout
