"""From a feed's rows to mails: rules, bundles, what is held, two people, repeats, what became of it."""
import json
import os
import subprocess

import pytest
from harness import native, wait_for

REGISTER = """
SET search_path = cirt;
SET cirt.actor = 'test';
INSERT INTO organisation (name, kind, sector) VALUES ('City Hospital', 'hospital', 'health'), ('Telco', 'isp', 'telecom'),
    ('Silent Ltd', 'business', '');
INSERT INTO organisation_prefix (organisation, prefix) SELECT id, p::cidr FROM organisation JOIN (VALUES
    ('City Hospital', '192.0.2.0/26'), ('Telco', '192.0.2.64/26'), ('Silent Ltd', '192.0.2.128/26')) AS v(n, p) ON n = name;
INSERT INTO contact (organisation, role, email, language, format) SELECT id, 'security', e, l, 'csv' FROM organisation JOIN (VALUES
    ('City Hospital', 'it@hospital.example', 'de'), ('Telco', 'abuse@telco.example', 'en')) AS v(n, e, l) ON n = name;
"""


@pytest.fixture(scope="module")
def desk(daemon):
    """The daemon with a register that the store has read."""
    daemon.psql(REGISTER)
    number = iter(range(1, 100))

    def attributed():
        daemon.send_lines([line(f"192.0.2.{64 + next(number) % 20}", "warm-up", 0)])
        daemon.settle()
        return one(daemon, "SELECT count(*) FROM cirt.report WHERE identifier = 'warm-up' AND organisation IS NOT NULL") != "0"

    wait_for(attributed, what="the register", every=0.5)
    worked(daemon)
    return daemon


def line(address, identifier, number, kind="vulnerable-system"):
    return native(number, type=kind, identifier=identifier, source={"ip": address, "port": 3389}, title=f"{identifier} at {address}")


def one(daemon, sql):
    return daemon.psql(sql)[0][0]


def said(daemon, *arguments, check=True):
    done = daemon.cirt_text(*arguments, check=check)
    return done.stdout + done.stderr


def worked(daemon):
    """Until the keeper has looked at all that landed."""
    daemon.settle()
    wait_for(lambda: daemon.cirt("notice", "preview")["pending"] == 0, what="the keeper")
    wait_for(lambda: one(daemon, "SELECT count(*) FROM cirt.notice_arrival") == "0", what="the keeper")


def land(daemon, addresses, identifier, kind="vulnerable-system"):
    daemon.send_lines([line(address, identifier, number, kind) for number, address in enumerate(addresses)])
    worked(daemon)
    return [report["id"] for report in daemon.reports("--limit", "1000") if report["identifier"] == identifier]


def mails(daemon, *more):
    return daemon.all_pages("notice", "list", *more)


def mail_of(daemon, report):
    """The newest mail that tells it."""
    return next((mail for mail in mails(daemon) if any(
        row["report"] == report for row in daemon.cirt("notice", "show", mail["number"], "--limit", "1000")["items"])), None)


def test_rows_are_gathered_by_contact(desk):
    reports = land(desk, [f"192.0.2.{n}" for n in range(1, 11)] + [f"192.0.2.{n}" for n in range(100, 105)], "open-rdp")
    assert len(reports) == 15
    hospital = mail_of(desk, reports[-1])
    assert {mail["to"] for mail in (mail_of(desk, report) for report in reports)} == {"it@hospital.example", "abuse@telco.example"}
    by_address = {mail["to"]: mail for mail in mails(desk)}
    shown = desk.cirt("notice", "show", by_address["it@hospital.example"]["number"])
    assert shown["rows"] == 10 and shown["language"] == "de" and shown["state"] == "bundling" and hospital
    assert {row["cause"] for row in shown["items"]} == {"new"}
    text = said(desk, "notice", "preview")
    assert "to send" in text and "it@hospital.example" in text


def test_who_has_no_contact_is_named(desk):
    (report,) = land(desk, ["192.0.2.130"], "open-telnet")
    why = desk.cirt("rule", "why", report)
    assert why["stands"]["outcome"] == "no-contact" and why["organisation"] == "Silent Ltd"
    assert [rule["says"] for rule in why["rules"]][-1].startswith("holds:")
    assert "no-contact" in said(desk, "notice", "preview")
    assert "constituents" in said(desk, "rule", "why", report)


def test_rule_suppresses_from_then_on(desk):
    made = desk.cirt("rule", "new", "telco-dns", "--org", "Telco", "--identifier", "dns-*", "--suppress")
    assert made["hides"] == []
    (report,) = land(desk, ["192.0.2.110"], "dns-open-resolver")
    why = desk.cirt("rule", "why", report)
    assert why["stands"]["outcome"] == "suppressed" and why["rules"][-1]["name"] == "telco-dns"
    assert any(rule["rule"] == "telco-dns" for rule in desk.cirt("notice", "preview")["rules"])
    assert "rule/" in one(desk, "SELECT object FROM cirt.journal WHERE object LIKE 'rule/%' ORDER BY id DESC LIMIT 1")


@pytest.mark.parametrize("options, says", [
    (["--type", "phish", "--suppress"], "no type"),
    (["--type", "phishing", "--class", "vulnerable", "--suppress"], "never hold"),
    (["--group", "nobody", "--suppress"], "no group"),
    (["--org", "Nowhere", "--suppress"], "no organisation"),
    (["--prefix", "300.1.1.0/24", "--suppress"], "prefix"),
    (["--to", "security", "--after", "elsewhere"], "comes first"),
    (["--org", "Telco", "--to", "address:report@cirt.example"], "mailbox of ours"),
    (["--org", "Telco", "--to", "address:report+x@cirt.example"], "mailbox of ours"),
    (["--org", "Telco", "--to", "address:case+2026-000001-x@cirt.example"], "mailbox of ours"),
    (["--org", "Telco", "--to", "as:itself"], "a circle"),
    (["--org", "Telco"], "what is it to do"),
    (["--org", "Telco", "--suppress", "--to", "security"], "either"),
    (["--org", "Telco", "--to", "security", "--repeat", "soon"], "such as 7d"),
    (["--org", "Telco", "--to", "security", "--repeat", "-5d"], "such as 7d"),
    (["--org", "Telco", "--to", "security", "--repeat", "4000y"], "at most 10 years"),
    (["--org", "Telco", "--to", "security", "--template", "nosuch"], 'no template "nosuch"; there are: vulnerable'),
    (["--org", "Telco", "--to", "security", "--template", "../x"], "there are: vulnerable"),
    (["--org", "Telco", "--to", "security", "--language", "Deutsch"], "BCP 47"),
    (["--whose", "foreign", "--to", "abuse-desk", "--country", "Austria"], "two letters"),
    (["--prefix", "192.0.2.77/26", "--suppress"], "the network is 192.0.2.64/26"),
])
def test_wrong_rules_are_refused(desk, options, says):
    done = said(desk, "rule", "new", "itself", *options, check=False)
    assert says in done
    assert not any(rule["name"] == "itself" for rule in desk.cirt("rule", "list")["items"])


def test_a_rule_names_a_template_that_there_is(desk):
    made = desk.cirt("rule", "new", "in-plain-words", "--org", "Telco", "--prefix", "192.0.2.99", "--to", "security", "--template", "notice-vulnerable")
    assert made["template"] == "notice-vulnerable" and "192.0.2.99/32" in made["when"]
    assert desk.cirt("rule", "set", "in-plain-words", "--template", "-")["template"] is None
    desk.cirt("rule", "delete", "in-plain-words")


def test_draft_is_tried_before_it_holds(desk):
    (report,) = land(desk, ["192.0.2.20"], "open-vnc")
    desk.cirt("rule", "new", "no-vnc", "--identifier", "open-vnc", "--whose", "ours", "--suppress", "--draft")
    tried = desk.cirt("rule", "test", "--against", "last-week")
    assert tried["changed"] == 1 and tried["items"][0]["now_rule"] == "no-vnc" and tried["items"][0]["example"] == report
    assert "no-vnc" in said(desk, "rule", "test")
    assert not any(rule["name"] == "no-vnc" for rule in desk.cirt("rule", "list")["items"])
    assert desk.cirt("rule", "apply")["new"] == 1
    assert any(rule["name"] == "no-vnc" for rule in desk.cirt("rule", "list")["items"])
    desk.cirt("rule", "delete", "no-vnc")


def test_seen_again_within_the_interval_sends_nothing(desk):
    reports = land(desk, ["192.0.2.21"], "open-smb")
    number = mail_of(desk, reports[0])["number"]
    assert land(desk, ["192.0.2.21"], "open-smb") == reports
    assert desk.cirt("notice", "show", number)["rows"] == sum(1 for row in desk.cirt("notice", "show", number, "--limit", "1000")["items"])
    assert one(desk, f"SELECT count(*) FROM cirt.disclosure WHERE cirt.report_number(report) = '{reports[0]}'") == "1"


def test_hold_cancel_and_send(desk):
    (report,) = land(desk, ["192.0.2.111"], "open-ipmi")
    number = mail_of(desk, report)["number"]
    held = desk.cirt("notice", "hold", number, "--reason", "they move today")
    assert held["state"] == "held" and "they move today" in held["why"]
    assert desk.cirt("notice", "send", number)["mails"] == 1
    # Held again it is not there to be gathered into: what comes now goes into another one.
    (other,) = land(desk, ["192.0.2.112"], "open-mqtt")
    second = mail_of(desk, other)["number"]
    assert second != number
    assert desk.cirt("notice", "cancel", second, "--reason", "false alarm")["state"] == "cancelled"
    assert "cancelled" in said(desk, "notice", "send", second, check=False)
    assert desk.cirt("rule", "why", other)["stands"]["outcome"] == "held"
    assert "outbox/" + number in one(desk, "SELECT string_agg(DISTINCT object, ' ') FROM cirt.journal WHERE object LIKE 'outbox/%'")


def test_one_shot_goes_at_once(desk):
    (report,) = land(desk, ["192.0.2.113"], "dns-amplifier")
    assert desk.cirt("rule", "why", report)["stands"]["outcome"] == "suppressed"
    tried = desk.cirt("notice", "oneshot", report, "--dry-run")
    assert tried["items"][0]["to"] == "abuse@telco.example" and tried["items"][0]["number"] is None
    done = desk.cirt("notice", "oneshot", report, "--reason", "the minister asks")
    assert desk.cirt("notice", "show", done["items"][0]["number"])["kind"] == "one-shot"
    assert "open-rdp" not in json.dumps(done)
    wrong = said(desk, "notice", "oneshot", "nonsense", check=False)
    assert "202611-123" in wrong


def test_effect_counts_reports(desk):
    reports = land(desk, [f"192.0.2.{n}" for n in range(30, 36)], "open-ldap")
    ids = ", ".join(str(int(r.split("-")[0]) * 10**10 + int(r.split("-")[1])) for r in reports)
    # As the courier says it, forty days ago; then two are gone after three and one after twenty days.
    desk.psql(f"UPDATE cirt.disclosure SET told = now() - interval '40 days' WHERE report IN ({ids})")
    first, second, third = ids.split(", ")[:3]
    for report, days in ((first, 3), (second, 3), (third, 20)):
        desk.psql(f"INSERT INTO cirt.report_status (report, gone_at) VALUES ({report}, now() - interval '{40 - days} days') "
                  "ON CONFLICT (report) DO UPDATE SET gone_at = excluded.gone_at")
    rows = {row["what"]: row for row in desk.cirt("notice", "effect", "--by", "identifier")["items"]}
    assert {key: rows["open-ldap"][key] for key in ("seen", "warned", "gone_7", "gone_30", "relapsed")} == {
        "seen": 6, "warned": 6, "gone_7": 2, "gone_30": 3, "relapsed": 0}
    states = {report["state"] for report in desk.reports("--limit", "1000") if report["id"] in reports}
    assert states == {"noticed"}
    assert "open-ldap" in said(desk, "notice", "effect", "--by", "identifier")


def test_send_all_and_preview_is_empty(desk):
    land(desk, ["192.0.2.40"], "open-ftp")
    assert desk.cirt("notice", "send", "--all")["mails"] >= 1
    assert desk.cirt("notice", "preview")["mails"] == 0


def test_mass_mail_wants_two_people(make_daemon):
    daemon = make_daemon(sections={"notices": {"mass": 1}})
    daemon.start()
    daemon.add_sensor()
    daemon.psql(REGISTER)

    def both():
        daemon.send_lines([line("192.0.2.1", "one", 1), line("192.0.2.70", "two", 2)])
        daemon.send_lines([line(f"192.0.2.{2 + both.tries}", "one", 1), line(f"192.0.2.{71 + both.tries}", "two", 2)])
        both.tries += 1
        worked(daemon)
        return daemon.cirt("notice", "preview")["mails"] == 2

    both.tries = 0
    wait_for(both, what="two mails", every=0.5)
    done = daemon.cirt("notice", "send", "--all")
    assert done["mails"] == 0 and done["waiting"] == 2
    assert daemon.cirt("notice", "send", "--all")["mails"] == 0
    held, other = (one["number"] for one in daemon.cirt("notice", "list", "--state", "held")["items"])
    assert "another person" in said(daemon, "notice", "approve", held, check=False)
    daemon.cirt("notice", "hold", held, "--reason", "wait for the ministry")
    daemon.psql("SET cirt.actor = 'test'; INSERT INTO cirt.operator (name, role, uid) VALUES ('second', 'analyst', 41311)")
    assert sent_by_another(daemon, 41311)["mails"] == 1, "what somebody holds does not go with the others"
    shown = daemon.cirt("notice", "show", other)
    assert len(shown["approved_by"]) == 2 and shown["approved_by"][1] == "second" and shown["state"] in ("queued", "sent", "held")
    assert daemon.cirt("notice", "show", held)["state"] == "held"


def sent_by_another(daemon, uid):
    """`cirt notice send --all` of the operator who has this uid; who cannot become him asks the database as the desk would."""
    if os.getuid() != 0:
        return json.loads(one(daemon, "SET search_path = cirt; SET cirt.actor = 'second'; SELECT desk_notice_send('{\"all\": true, \"mass\": 1}')"))
    command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", str(daemon.programs.cirt), "--json", "--socket",
               str(daemon.socket), "notice", "send", "--all"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=daemon.environment())
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
