"""Mail that machines send, by the door: feedback reports, X-ARF, Shadowserver's tables, digests, bounces."""
import base64
import email
import io
import json
import re
import zipfile

from harness import TOP, wait_for

GOLDEN = TOP / "tests" / "golden"
SENDER = "auto@reporter.example"


def send(daemon, name, change=lambda text: text, **options):
    """Send a golden mail; what it became: counts of items."""
    before = daemon.settle()["items"]
    daemon.send_mail(change((GOLDEN / "mail" / name).read_text()).encode(), sender=options.get("sender", SENDER))
    after = daemon.settle()["items"]
    return {kind: after[kind] - before[kind] for kind in after if after[kind] != before[kind]}


def reports(daemon, identifier):
    return [report for report in daemon.reports("--source", "report") if report["identifier"] == identifier]


def observables(daemon, report):
    shown = daemon.cirt("report", "show", report["id"])["observables"]
    return {(one["type"], one["role"], one["value"]) for one in shown}


def test_feedback_report_is_a_report_of_its_own(daemon):
    assert send(daemon, "arf-abuse.eml") == {"found": 2, "reports": 1, "context": 1}
    found = reports(daemon, "feedback-abuse")
    assert len(found) == 1 and found[0]["classification"] == "spam"
    assert {("ip", "source", "198.51.100.25"), ("url", "indicator", "http://collect.spammer.example/now")} <= observables(
        daemon, found[0])


def test_feedback_about_the_same_sender_folds(daemon):
    def another(text):
        return text.replace("jane@", "john@").replace("You have won", "You won again").replace("fbl-1@", "fbl-2@")

    assert send(daemon, "arf-abuse.eml", another) == {"found": 2, "folded": 1, "context": 1}


def test_praise_is_no_report(daemon):
    assert send(daemon, "arf-not-spam.eml") == {"found": 2, "context": 2}


def test_xarf_in_its_three_families(daemon):
    """Version 0.2 and 4 tell of the same login attack; one folds into the other."""
    first = send(daemon, "xarf-0.2.eml")
    assert first == {"found": 2, "reports": 1, "context": 1}
    assert send(daemon, "xarf-4.eml") == {"found": 2, "folded": 1, "context": 1}
    assert send(daemon, "xarf-3.eml") == {"found": 2, "reports": 1, "context": 1}
    assert {report["classification"] for report in reports(daemon, "login-attack")} == {"brute-force"}
    assert ("ip", "target", "203.0.113.7") in observables(daemon, reports(daemon, "port-scan")[0])


def test_wrong_xarf_is_quarantined_with_all_reasons(daemon):
    assert send(daemon, "xarf-4-wrong.eml")["quarantined"] == 1
    row = next(row for row in daemon.all_pages("quarantine", "list") if row["stage"] == "xarf")
    assert "report_id" in row["reason"] and "first_seen" in row["reason"] and "reporter" in row["reason"]


def test_xarf_by_submit(daemon):
    before = daemon.settle()["items"]
    daemon.cirt("submit", GOLDEN / "xarf" / "list-one-bad.json")
    after = daemon.settle()["items"]
    assert after["found"] - before["found"] == 4 and after["quarantined"] - before["quarantined"] == 2


def test_shadowserver_rows_land_beside_a_bad_one(daemon):
    """Each good row is a report with its own document; the bad one waits with its reason."""
    assert send(daemon, "shadowserver-csv.eml") == {"found": 5, "reports": 2, "context": 2, "quarantined": 1}
    found = reports(daemon, "open-rdp")
    assert len(found) == 2 and {report["severity"] for report in found} == {"high"}
    shown = daemon.cirt("report", "show", found[0]["id"])
    assert '"sector"' in json.dumps(shown["doc"]).replace('\\"', '"')


def test_the_same_rows_zipped_fold_the_next_day(daemon):
    def tomorrow(text):
        message = email.message_from_string(text)
        part = message.get_payload(1)
        table = zipfile.ZipFile(io.BytesIO(part.get_payload(decode=True)))
        name = table.namelist()[0]
        again = io.BytesIO()
        with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name.replace("11-22", "11-23"), table.read(name).replace(b"2026-11-22", b"2026-11-23"))
        part.set_payload(base64.encodebytes(again.getvalue()).decode())
        return message.as_string().replace("s-2@", "s-20@")

    assert send(daemon, "shadowserver-zip.eml", tomorrow) == {"found": 5, "folded": 2, "context": 2, "quarantined": 1}
    assert {report["count"] for report in reports(daemon, "open-rdp")} == {2}


def test_machines_by_mail_open_no_cases_for_each_row(daemon):
    assert not [case for case in daemon.all_pages("case", "list", "--all") if "open-rdp" in case["title"]]


def test_drift_of_columns_raises_an_alarm(daemon):
    assert not [alarm for alarm in daemon.all_pages("alarm", "list") if alarm["kind"] == "feed-drift"]

    def drifted(text):
        return text.replace('"naics","sector"', '"naics","industry"').replace("s-1@", "s-10@")

    send(daemon, "shadowserver-csv.eml", drifted)
    alarm = [alarm for alarm in daemon.all_pages("alarm", "list") if alarm["kind"] == "feed-drift"][0]
    assert alarm["subject"] == "report shadowserver scan_rdp"
    assert re.search(r"new: industry; gone: sector", alarm["text"])
    source = daemon.cirt("source", "show", "report")
    assert any("industry" in text for text in source["alarms"])
    assert any(feed["feed"] == "shadowserver scan_rdp" and feed["changes"] == 1 for feed in source["feeds"])
    wait_for(lambda: daemon.cirt("status")["database"]["alarms"] == 1, 30, "status to count the alarm")
    assert "ALARMS" in daemon.cirt_text("status").stdout
    daemon.cirt("alarm", "ack", alarm["id"], "--reason", "seen")
    assert not [one for one in daemon.all_pages("alarm", "list") if one["kind"] == "feed-drift"]
    assert [one for one in daemon.all_pages("alarm", "list", "--all") if one["id"] == alarm["id"]][0]["ended_by"]


def test_link_only_mail_says_where_the_report_is(daemon):
    assert send(daemon, "shadowserver-link.eml") == {"found": 1, "reports": 1}
    shown = daemon.cirt("report", "show", reports(daemon, "shadowserver-link")[0]["id"])
    assert any("https://dl.shadowserver.org/AbCdEfGhIjKl" in note for note in shown["notes"])
    assert shown["severity"] == "info" and not shown.get("case")


def test_digest_is_opened(daemon):
    assert send(daemon, "digest.eml") == {"found": 5, "reports": 2, "correspondence": 1, "context": 2}


def test_a_bounce_of_our_own_notice_opens_nothing(daemon):
    """Its table is what we sent: neither rows nor a report, and no case."""
    cases = len(daemon.all_pages("case", "list", "--all"))
    assert send(daemon, "bounce-of-a-notice.eml", sender="") == {"found": 1, "correspondence": 1}
    assert len(daemon.all_pages("case", "list", "--all")) == cases


def test_a_link_opens_no_case(daemon):
    """The digest's phish, which a person told, has opened its case by then."""
    cases = wait_for(lambda: [case for case in daemon.all_pages("case", "list", "--all") if "Phishing" in case["title"]], 30, "the case")
    assert cases and not [case for case in daemon.all_pages("case", "list", "--all") if "Shadowserver" in case["title"]]


def test_the_books_balance(daemon):
    assert daemon.settle()["balanced"]
