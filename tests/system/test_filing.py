"""Files of the house and what the law wants: regimes, playbooks, business hours, filings from the first call to the final report."""
import datetime
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from harness import Daemon, native, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates)
    for kind in ("regimes", "playbooks"):
        shutil.copytree(TOP / "etc" / kind, daemon.folder / kind)
    (daemon.folder / "holidays").write_text("12-25 Christmas\n")
    daemon.sections["clocks"] = {"time_zone": "Europe/Vienna", "hours": "Mon-Sun 00:00-24:00", "regimes": daemon.folder / "regimes",
                                 "playbooks": daemon.folder / "playbooks", "holidays": [daemon.folder / "holidays"]}
    daemon.write_conf()
    daemon.start()
    daemon.add_sensor()
    daemon.cirt("org", "new", "Filing Hospital", "--kind", "hospital", "--sector", "health", "--criticality", "critical",
                "--prefix", "198.51.100.64/28")
    wait_for(lambda: daemon.cirt("regime", "list")["items"], what="the regimes")
    yield daemon
    daemon.remove()


def new_case(desk, number, host):
    known = {row["number"] for row in desk.cirt("case", "list", "--all")["items"]}
    desk.send_lines([native(number, type="system-compromise", severity=85, observables=[{"type": "ip", "value": host, "role": "source"}])])
    return wait_for(lambda: {row["number"] for row in desk.cirt("case", "list", "--all")["items"]} - known, what="a case").pop()


def reload(desk, check):
    desk.process.send_signal(signal.SIGHUP)
    return wait_for(check, what="what the files say now")


def ago(**span):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_filing_from_the_first_call_to_the_final_report(desk):
    case = new_case(desk, 601, "198.51.100.65")
    desk.psql(f"INSERT INTO cirt.case_tag SELECT id, 'ransomware' FROM cirt.cases WHERE number = '{case}'")
    began = desk.psql(f"SELECT cirt.case_opened(id)::text FROM cirt.cases WHERE number = '{case}'")[0][0]
    assert '"ransomware-hospital", "tasks" : 7' in began.replace('"playbook" : ', ""), began
    # A machine opened it: they have yet to file. Then their early warning comes by phone.
    filing = desk.cirt("filing", "list", "--case", case)["items"][0]
    assert filing["who"] == "Filing Hospital" and filing["assumed"] and [stage["state"] for stage in filing["stages"]][:2] == ["expected"] * 2
    told = desk.cirt("filing", "new", case, "--regime", "nis", "--stage", "early-warning", "--aware", ago(hours=2), "--from", "IT head, phone")
    assert told["filing"] == filing["filing"] and told["stages"][0]["state"] == "on time" and told["stages"][0]["answer_state"] == "OURS"
    shown = desk.cirt_text("clock", "list", "--case", case, "--next", "4d").stdout
    assert re.search(rf"{case}\s+OURS\s+answer to the early warning of Filing Hospital\s+NIS", shown), shown
    assert re.search(r"2 d 21 h\s.*theirs\s+notification, 72 hours from awareness\s+NIS", shown), shown
    assert "answer to the early warning of Filing Hospital due" in desk.cirt_text("today").stdout
    # The law does not wait with the case, and the case cannot be closed before we have answered.
    desk.cirt("case", "wait", case, "--for", "police", "--until", "2d")
    rows = {row["what"].split(",")[0]: row["state"] for row in desk.cirt("clock", "list", "--case", case)["items"]}
    assert rows["notification"] == "running" and rows["first word to the hospital"] == "paused", rows
    desk.cirt("case", "move", case, "open")
    desk.psql(f"UPDATE cirt.task SET state = 'dropped', ended = now(), result = 'x' WHERE state = 'open' AND case_id IN"
              f" (SELECT id FROM cirt.cases WHERE number = '{case}')")
    ends = desk.psql(f"SELECT e.what FROM cirt.cases c, cirt.case_open_ends(c.id) e WHERE c.number = '{case}'")
    assert len(ends) == 1 and f"cirt filing answer {filing['filing']}" in ends[0][0], ends
    assert "on time" in desk.cirt_text("filing", "answer", filing["filing"], "--note", "first advice by phone").stdout
    extended = desk.cirt("filing", "extend", filing["filing"], "--stage", "notification", "--by", "24h", "--ground", "sec. 12 (3), by phone")
    assert extended["extensions"][0]["ground"] == "sec. 12 (3), by phone"
    done = desk.cirt("filing", "new", case, "--regime", "NIS", "--stage", "notification", "--from", "counsel, mail")
    assert [stage["state"] for stage in done["stages"]] == ["on time", "on time", "expected"]
    assert not desk.psql(f"SELECT e.what FROM cirt.cases c, cirt.case_open_ends(c.id) e WHERE c.number = '{case}'")
    assert desk.cirt("case", "close", case, "--outcome", "resolved")["state"] == "closed"
    assert desk.cirt("clock", "list", "--case", case)["items"][0]["what"] == "final report, 1 month after the notification"
    desk.cirt("filing", "close", filing["filing"], "--outcome", "no final report needed")
    assert desk.cirt("clock", "list", "--case", case)["items"] == []
    assert desk.psql(f"SELECT count(*) FROM cirt.hold WHERE object = 'case/{case}' AND until IS NULL")[0][0] in (1, "1")


def test_what_is_no_filing_says_why(desk):
    case = new_case(desk, 602, "198.51.100.2")
    for arguments, code, wanted in ((["filing", "new", case, "--regime", "GDPR"], 3, 'there is no regime "GDPR"; there is: NIS'),
                                    (["filing", "new", case], 2, "under which regime? --regime NAME"),
                                    (["filing", "new", case, "--regime", "NIS"], 2, "since when do they know? --aware WHEN"),
                                    (["filing", "new", case, "--regime", "NIS", "--aware", "1h"], 2, "who has to file? --org NAME"),
                                    (["filing", "show", "F999"], 3, "there is no filing F999"),
                                    (["filing", "answer", "x"], 2, "reads as F12")):
        refused = desk.cirt_text(*arguments, check=False)
        assert refused.returncode == code and wanted in refused.stderr, refused.stderr
    filing = desk.cirt("filing", "new", case, "--regime", "NIS", "--aware", "1h", "--from", "a clinic \x1b[31m\u202e")["filing"]
    for arguments in (["filing", "show", filing], ["filing", "list"], ["clock", "list"]):
        shown = desk.cirt_text(*arguments).stdout
        assert "a clinic" in shown or arguments[0] == "clock"
        assert "\x1b" not in shown and "\u202e" not in shown


def test_a_broken_file_is_refused_with_its_line_and_the_others_stand(desk):
    playbooks, regimes = desk.folder / "playbooks", desk.folder / "regimes"
    (playbooks / "website-defacement.conf").write_text("title = x\n[task]\ntext = look\nwhen = now\n")
    (playbooks / "new-one.conf").write_text("title = A new one\n[task]\ntext = look\n")
    law = (regimes / "NIS.conf").read_text()
    (regimes / "NIS.conf").write_text(law.replace("within = 72 hours", "within = soon"))
    line = law[:law.index("within = 72 hours")].count("\n") + 1
    said = subprocess.run(desk.command("-t"), capture_output=True, text=True, env=desk.environment())
    assert said.returncode != 0 and f"NIS.conf:{line}: a time such as" in said.stderr and "website-defacement.conf:4: one of text due" in said.stderr

    rows = reload(desk, lambda: (rows := {row["playbook"]: row for row in desk.cirt("playbook", "list")["items"]}) and "new-one" in rows and rows)
    assert rows["website-defacement"]["problem"].startswith("website-defacement.conf:4: ") and rows["website-defacement"]["tasks"] == 4
    nis = desk.cirt("regime", "list")["items"][0]
    assert f"NIS.conf:{line}: " in nis["problem"] and nis["version"] == 1
    assert {"playbook website-defacement", "regime NIS"} <= {row["subject"] for row in desk.cirt("alarm", "list")["items"]}
    assert desk.cirt("regime", "show", "NIS")["stages"][1]["within"] == "72 hours"
    # Mended, and changed: a new version, for what begins from now on.
    case = new_case(desk, 603, "198.51.100.66")
    old = desk.cirt("filing", "new", case, "--regime", "NIS", "--aware", "1h")
    (regimes / "NIS.conf").write_text(law.replace("within = 72 hours", "within = 48 hours"))
    shutil.copy(TOP / "etc/playbooks/website-defacement.conf", playbooks)
    reload(desk, lambda: desk.cirt("regime", "list")["items"][0]["version"] == 2)
    assert not {row["subject"] for row in desk.cirt("alarm", "list")["items"] if row["kind"] == "sheet-wrong"}
    assert desk.cirt("filing", "show", old["filing"])["stages"][1]["within"] == "72 hours"
    fresh = desk.cirt("filing", "new", new_case(desk, 604, "198.51.100.67"), "--regime", "NIS", "--aware", "1h")
    assert fresh["version"] == 2 and fresh["stages"][1]["within"] == "48 hours"


def test_a_playbook_is_applied_by_hand_once(desk):
    case = new_case(desk, 605, "198.51.100.3")
    said = desk.cirt_text("playbook", "apply", case, "website-defacement").stdout
    assert said == f"{case} playbook website-defacement: tasks 4, clocks 0\n"
    assert "nothing is added" in desk.cirt_text("playbook", "apply", case, "website-defacement").stdout
    assert desk.psql(f"SELECT count(*) FROM cirt.task t JOIN cirt.cases c ON c.id = t.case_id WHERE c.number = '{case}'")[0][0] in (4, "4")
    shown = desk.cirt_text("playbook", "show", "ransomware-hospital").stdout
    assert "early-warning" in shown and "first word to the hospital" in shown and "Backups: offline" in shown
    refused = desk.cirt_text("playbook", "apply", case, "nothing", check=False)
    assert refused.returncode == 3 and "there is: compromised-account" in refused.stderr


def test_a_case_by_phone_begins_with_its_playbook_and_filing(desk):
    said = desk.cirt_text("case", "open", "--phone", "--from", "IT head of the night", "--org", "Filing Hospital", "--tag", "ransomware",
                          "-s", "critical", "--aware", ago(minutes=25)).stdout
    assert "ransomware-hospital" in said and "7 tasks" in said, said
    case = re.search(r"20\d\d-\d{6}", said).group()
    filing = desk.cirt("filing", "list", "--case", case)["items"][0]
    assert filing.get("assumed") is None and filing["stages"][0]["state"] == "on time" and filing["stages"][0]["answer_state"] == "OURS"
    rows = {row["what"].split(",")[0]: row for row in desk.cirt("clock", "list", "--case", case)["items"]}
    due = {name: datetime.datetime.fromisoformat(row["due"].replace("Z", "+00:00")) for name, row in rows.items()}
    # Ours from the call, theirs from awareness: 25 minutes apart, whatever the law of the day says.
    assert rows["answer to the early warning of Filing Hospital"]["whose"] == "OURS" and rows["notification"]["whose"] == "theirs"
    apart = due["notification"] - due["answer to the early warning of Filing Hospital"]
    assert datetime.timedelta(minutes=34) < apart % datetime.timedelta(hours=1) < datetime.timedelta(minutes=36), apart


def test_a_case_says_what_starts_the_clocks_of_a_law_until_somebody_has(desk):
    """--at starts nothing; --aware does, for every law that applies. What nobody has said is said, with what to type next."""
    call = lambda who, *more: desk.cirt_text("case", "open", "--phone", "--from", who, "--title", f"a call of {who}", *more).stdout
    number = lambda said: re.search(r"20\d\d-\d{6}", said).group()
    said = call("the night porter", "--org", "Filing Hospital", "-s", "high", "--at", ago(hours=3))
    case = number(said)
    asks = f"NIS applies and NO CLOCK RUNS: since when do they know? cirt filing new {case} --regime NIS --aware WHEN"
    assert asks in said and asks in desk.cirt_text("case", "show", case).stdout
    assert not desk.cirt("clock", "list", "--case", case)["items"]
    desk.cirt("filing", "new", case, "--regime", "NIS", "--aware", "2h")
    shown = desk.cirt_text("case", "show", case).stdout
    assert "since when do they know" not in shown and "their early warning" in shown
    # With --aware it has begun; what they have to file counts from there.
    said = call("the day porter", "--org", "Filing Hospital", "-s", "high", "--aware", ago(hours=1))
    filing = desk.cirt("filing", "list", "--case", number(said))["items"][0]
    assert "since when do they know" not in said and "notification" in said and filing.get("assumed") is None
    # A playbook began it, and nobody said so: it counts from the opening.
    said = call("a nurse", "--org", "Filing Hospital", "-s", "critical", "--tag", "ransomware")
    filing = desk.cirt("filing", "list", "--case", number(said))["items"][0]["filing"]
    asks = f"when the case was opened: since when do they know? cirt filing set {filing} --aware WHEN"
    assert asks in said and asks in desk.cirt_text("case", "show", number(said)).stdout
    desk.cirt("filing", "set", filing, "--aware", ago(minutes=10))
    assert "since when do they know" not in desk.cirt_text("case", "show", number(said)).stdout
    # Where no law applies, --aware says that it started nothing.
    said = call("a shop", "--aware", ago(hours=1))
    assert "no law that we know of" in said and not desk.cirt("filing", "list", "--case", number(said))["items"]
