"""Feeds of every kind, from servers that behave and from servers that do not."""
import itertools
import json
import os
import pathlib
import signal
import time

import pytest

from feed_servers import Host, Misp, Shadowserver, Taxii, basic, gzip_bomb, indicator, raw
from harness import Daemon, wait_for


@pytest.fixture(scope="module")
def feeds(programs, certificates):
    """A daemon that lets a pull take little, and has a certificate to show."""
    section = {"feed_max_size": "2M", "feed_timeout": "4s", "feed_item_patience": "4s", "certificate": certificates.sensor[2], "key": certificates.sensor[3]}
    daemon = Daemon(programs, certificates, sections={"exchange": section})
    yield daemon.start()
    daemon.remove()


NAMES = (f"f-{number}" for number in itertools.count(1))


def add(daemon, kind, url, *options, interval=1):
    name = next(NAMES)
    daemon.cirt("source", "add", name, "--kind", kind, "--match", url, "--tlp", "green", "--interval", interval, *options)
    return name


def shown(daemon, name):
    return daemon.cirt("source", "show", name)


def reports(daemon, name):
    return daemon.reports("--source", name)


def until_reports(daemon, name, count):
    wait_for(lambda: len(reports(daemon, name)) >= count, 60, f"{count} reports of {name}: {shown(daemon, name)}", every=0.3)
    daemon.settle()
    found = reports(daemon, name)
    assert len(found) == count and {report["count"] for report in found} == {1}, f"{len(found)} reports of {name}"
    return found


def until_pull(daemon, name, state, text=""):
    """Wait for what `cirt source show` says of the pull."""
    def said():
        source = shown(daemon, name)
        return source if source["pull"] == state and text in (source["problem"] or "") else None
    try:
        return wait_for(said, 40, f"{name} to be {state}", every=0.2)
    except AssertionError as error:
        raise AssertionError(f"{error}: {shown(daemon, name)}\n{daemon.log_text()[-1500:]}") from None


# TAXII

@pytest.mark.parametrize("auth, header", [("user:pass", basic("user:pass")), ("bearer t0ken", "Bearer t0ken"), ("token abc", "Token abc")])
def test_taxii_with_its_ways_to_say_who_we_are(feeds, certificates, auth, header):
    """Pages of ten under medallion's rules, none of them broken; who is wrong is told so."""
    server = Taxii(certificates, user=header)
    server.grow(35)
    name = add(feeds, "taxii", server.url, "--auth", auth)
    until_reports(feeds, name, 35)
    wrong = add(feeds, "taxii", server.url, "--auth", "user:wrong")
    source = until_pull(feeds, wrong, "refused", "401")
    assert source["failures"] >= 1 and source["next_try"] and not source["pulled"]
    assert server.wrong == []
    for one in (name, wrong):
        feeds.cirt("source", "disable", one)
    server.host.close()


def test_taxii_by_our_certificate(feeds, certificates):
    server = Taxii(certificates, client_ca=certificates.ca[2])
    server.grow(3)
    name = add(feeds, "taxii", server.url, "--auth", "certificate")
    until_reports(feeds, name, 3)
    without = add(feeds, "taxii", server.url)
    wait_for(lambda: shown(feeds, without)["pull"] in ("certificate", "cut"), 30, "the pull without certificate to fail", every=0.2)
    for one in (name, without):
        feeds.cirt("source", "disable", one)
    server.host.close()


def test_a_source_has_a_certificate_of_its_own(feeds, certificates):
    """Two sources on one server, each by its own name; beside it credentials as ever; half of a pair is refused."""
    seen = {}
    server = Taxii(certificates, user="Bearer t0ken", client_ca=certificates.ca[2])
    route = server.host.routes[f"{server.ROOT}collections/{server.ID}/objects/"]

    def noted(request):
        seen[dict(pair[0] for pair in request.connection.getpeercert()["subject"])["commonName"]] = request.headers.get("Authorization")
        return route(request)
    server.host.routes[f"{server.ROOT}collections/{server.ID}/objects/"] = noted
    own = certificates.issue("partner-identity", "partner-identity.test")
    pem = "".join(pathlib.Path(own[part]).read_text() for part in (2, 3))
    ours = add(feeds, "taxii", server.url, "--auth", "certificate bearer t0ken")
    theirs = add(feeds, "taxii", server.url, "--auth", f"certificate bearer t0ken {pem}")
    wait_for(lambda: len(seen) == 2, 30, "both to have asked", every=0.2)
    assert set(seen.values()) == {"Bearer t0ken"} and any("partner-identity" in one for one in seen)
    for wrong in (pem, f"certificate {pathlib.Path(own[2]).read_text()}"):
        assert feeds.cirt("source", "set", theirs, "--auth", wrong, check=False).returncode == 2
    assert "PRIVATE KEY" not in feeds.log_text() and "PRIVATE KEY" not in json.dumps(shown(feeds, theirs))
    for one in (ours, theirs):
        feeds.cirt("source", "disable", one)
    server.host.close()


def test_taxii_filters_and_first_day(feeds, certificates):
    server = Taxii(certificates)
    server.grow(2)
    name = add(feeds, "taxii", server.url, "--filter", "type=indicator,malware version=all", "--since", "2026-11-01")
    until_reports(feeds, name, 2)
    first = server.host.asked("/api1/collections/")[0][1]
    assert "match%5Btype%5D=indicator%2Cmalware&match%5Bversion%5D=all" in first
    assert "added_after=2026-11-01T00%3A00%3A00.000000Z" in first and server.wrong == []
    feeds.cirt("source", "disable", name)
    server.host.close()


@pytest.mark.parametrize("status", [429, 503])
def test_taxii_waits_as_long_as_it_is_told(feeds, certificates, status):
    server = Taxii(certificates)
    server.busy = [(status, "3")]
    server.grow(1)
    name = add(feeds, "taxii", server.url)
    until_pull(feeds, name, "busy", str(status))
    until_reports(feeds, name, 1)
    assert server.times[1] - server.times[0] >= 3.0
    feeds.cirt("source", "disable", name)
    server.host.close()


def test_trap_01_killed_while_paging(make_daemon, certificates):
    """kill -9 of the exchange, the spool and all of it between pages: nothing is repeated, nothing skipped."""
    server = Taxii(certificates, page=4)
    server.grow(120)
    slow = server.host.routes[f"{server.ROOT}collections/{server.ID}/objects/"]

    def paced(request):
        time.sleep(0.05)
        return slow(request)

    server.host.routes[f"{server.ROOT}collections/{server.ID}/objects/"] = paced
    daemon = make_daemon().start()
    name = add(daemon, "taxii", server.url)
    for victim in ("exchange", "spool", "exchange", None):
        before = len(server.times)
        wait_for(lambda: len(server.times) >= before + 4, 60, "a few pages", every=0.01)
        if victim:
            os.kill(daemon.room_pid(victim), signal.SIGKILL)
        else:
            daemon.kill()
            wait_for(lambda: not daemon.rooms(), 20, "rooms to end")
            daemon.start()
        server.grow(3)
    until_reports(daemon, name, 132)
    server.host.close()


# MISP

def test_misp_feed_takes_what_is_new_or_changed(feeds, certificates):
    server = Misp(certificates)
    for number in range(6):
        server.put(number, 1795000000 + number)
    lost = server.put(6, 1795000006)
    server.gone.add(lost)
    name = add(feeds, "misp-feed", server.host.url("/feed/"))
    until_reports(feeds, name, 6)
    source = until_pull(feeds, name, "gone", lost)
    assert source["pulled"] and not source["failures"], "the rest went well"
    server.gone.clear()
    server.put(2, 1795000100)  # changed
    server.put(7, 1794000000)  # listed late, with an older time than all
    until_reports(feeds, name, 9)
    asked = [one[1] for one in server.host.asked("/feed/") if "manifest" not in one[1]]
    assert len(asked) == len(set(asked)) + 1 + asked.count(f"/feed/{lost}.json") - 1, "each event once per change"
    report = reports(feeds, name)[0]
    detail = feeds.cirt("report", "show", report["id"])
    assert detail["tlp"] == "green" and detail["classification"] == "c2-server" and "misp:event" in json.dumps(detail)
    until_pull(feeds, name, "ok")
    feeds.cirt("source", "disable", name)
    server.host.close()


def items_of(daemon, name):
    return {item["item"]: item for item in shown(daemon, name).get("items") or []}


def alarms_of(daemon, name, kind):
    return [alarm for alarm in daemon.all_pages("alarm", "list") if alarm["subject"] == name and alarm["kind"] == kind]


def lost_and_found(daemon, name, lost, mend, count):
    """Items that cannot be had are given up with an alarm while the others land; when they are mended, --again fetches them."""
    until_reports(daemon, name, count)
    wait_for(lambda: {key for key, item in items_of(daemon, name).items() if item["state"] == "given up"} >= set(lost), 60,
             f"{lost} to be given up: {shown(daemon, name)}", every=0.3)
    for item in lost:
        assert items_of(daemon, name)[item]["tries"] >= 3 and items_of(daemon, name)[item]["problem"]
    wait_for(lambda: alarms_of(daemon, name, "feed-item"), 10, "an alarm", every=0.2)
    assert lost[0] in daemon.cirt_text("source", "show", name).stdout
    assert not shown(daemon, name).get("failures"), "the feed itself is well"
    mend()
    wait_for(lambda: daemon.cirt("source", "pull", name, "--again", check=False).returncode == 0, 20, "it to be pulled again", every=0.1)
    until_reports(daemon, name, count + len(lost))
    wait_for(lambda: not items_of(daemon, name) and not alarms_of(daemon, name, "feed-item"), 30, "all to be well", every=0.3)
    daemon.cirt("source", "disable", name)


def test_a_bad_event_stops_no_misp_feed(feeds, certificates):
    server = Misp(certificates)
    lost = [server.put(number, 1795001000 + number) for number in range(3)]
    for number in range(3, 6):
        server.put(number, 1795001000 + number)
    answers = dict(zip(lost, [(500, {}, b"x"), (200, {"Content-Type": "application/json"}, b'{"Event": {'), (200, {}, b" " * (3 << 20))]))
    good = server.host.routes["/feed/*"]
    server.host.routes["/feed/*"] = lambda request: answers.get(request.path.rsplit("/", 1)[1].removesuffix(".json")) or good(request)
    manifest = server.host.routes["/feed/manifest.json"]
    listed = {"no uuid at all": {"timestamp": "1"}, "33333333-1111-4111-8111-111111111111": "no object"}

    def extended(request):
        status, headers, body = manifest(request)
        return (status, headers, body) if status != 200 else (200, {}, json.dumps({**json.loads(body), **listed}).encode())
    server.host.routes["/feed/manifest.json"] = extended
    name = add(feeds, "misp-feed", server.host.url("/feed/"))
    wait_for(lambda: "no uuid at all" in items_of(feeds, name), 30, "the bad key to be shown", every=0.3)

    def mend():
        answers.clear()
        listed.clear()
    lost_and_found(feeds, name, lost, mend, 3)
    server.host.close()


def test_a_bad_event_stops_no_rest_search(feeds, certificates):
    """Given up, the lists move on behind it; asked for again, it is fetched though no list names it any more."""
    server = Misp(certificates)
    now = int(time.time())
    lost = server.put(0, now - 90000)
    for number in range(1, 4):
        server.put(number, now - 80000 + number)
    good = server.host.routes["/events/restSearch"]
    bad = [lost]

    def search(request):
        if json.loads(request.body).get("uuid") in bad:
            return 500, {}, b"x"
        return good(request)
    server.host.routes["/events/restSearch"] = search
    name = add(feeds, "misp", server.host.url("/"), "--auth", f"key {Misp.KEY}")
    lost_and_found(feeds, name, [lost], bad.clear, 3)
    server.host.close()


def test_a_bad_download_stops_no_shadowserver_report(feeds, certificates):
    server = Shadowserver(certificates)
    days = [time.strftime("%Y-%m-%d", time.gmtime(time.time() - back * 86400)) for back in range(6)]
    lost = server.put(days[5], "scan_telnet", ["192.0.2.50"])
    for back in (4, 1):
        server.put(days[back], "scan_telnet", [f"192.0.2.{back}"])
    server.days[days[4]].append({"type": "scan_telnet"})
    body = server.files.pop(lost)
    name = add(feeds, "shadowserver", server.host.url("/api2/"), "--auth", f"{server.KEY}:{server.SECRET}", "--since", days[5],
               "--download", server.host.url("/dl/"))
    wait_for(lambda: any("no id" in item for item in items_of(feeds, name)), 30, "the report without id to be shown", every=0.3)

    def mend():
        server.files[lost] = body
        server.days[days[4]].pop()
    lost_and_found(feeds, name, [lost], mend, 2)
    server.host.close()


def test_misp_rest_search_pages_and_follows(feeds, certificates):
    """Pages of three by timestamp; an old event that is published late is found; a restart asks for nothing again."""
    server = Misp(certificates)
    now = int(time.time())
    for number in range(8):
        server.put(number, now - 100000 + number)
    name = add(feeds, "misp", server.host.url("/"), "--auth", f"key {Misp.KEY}", "--filter", '{"tags":["tlp:green"]}')
    until_reports(feeds, name, 8)
    server.put(3, now)
    server.put(20, now - 5000000, published=now)
    until_reports(feeds, name, 10)
    queries = [json.loads(one[3]) for one in server.host.asked("/events/restSearch", "POST")]
    assert {query["page"] for query in queries if "page" in query} >= {1, 2, 3, 4}
    assert any("timestamp" in query for query in queries) and any("publish_timestamp" in query for query in queries)
    assert all(query["tags"] == ["tlp:green"] and query["returnFormat"] == "json" for query in queries)
    fetched = [query["uuid"] for query in queries if "uuid" in query]
    os.kill(feeds.room_pid("exchange"), signal.SIGKILL)
    before = len(queries)
    wait_for(lambda: len(server.host.asked("/events/restSearch", "POST")) > before + 8, 30, "it to be asked again", every=0.2)
    after = [json.loads(one[3]).get("uuid") for one in server.host.asked("/events/restSearch", "POST")]
    assert [one for one in after if one] == fetched, "no event is fetched twice"
    wrong = add(feeds, "misp", server.host.url("/"), "--auth", "key wrong")
    until_pull(feeds, wrong, "refused", "403")
    for one in (name, wrong):
        feeds.cirt("source", "disable", one)
    server.host.close()


# Shadowserver

def test_shadowserver_reports_fill_gaps_by_day(feeds, certificates):
    server = Shadowserver(certificates)
    day = 86400
    days = [time.strftime("%Y-%m-%d", time.gmtime(time.time() - back * day)) for back in range(12)]
    for back in (11, 9, 5, 1):
        server.put(days[back], "scan_telnet", [f"203.0.113.{back}"])
    server.put(days[4], "scan_other", ["203.0.113.200"])
    options = ("--auth", f"{server.KEY}:{server.SECRET}", "--since", days[10], "--download", server.host.url("/dl/"), "--filter", "scan_telnet")
    name = add(feeds, "shadowserver", server.host.url("/api2/"), *options)
    found = until_reports(feeds, name, 3)
    assert {(report["classification"], report["identifier"]) for report in found} == {("potentially-unwanted-accessible", "open-telnet")}, found[0]
    assert set(server.listed) == set(days[:11]), "every day from the first on, none before"
    assert {report["identifier"] for report in until_reports(feeds, name, 3)} == {"open-telnet"}
    server.put(days[2], "scan_telnet", ["203.0.113.22"])  # late
    until_reports(feeds, name, 4)
    server.listed.clear()
    os.kill(feeds.room_pid("exchange"), signal.SIGKILL)
    wait_for(lambda: days[0] in server.listed, 30, "it to list again", every=0.2)
    downloads = [one[1] for one in server.host.asked("/dl/")]
    assert len(downloads) == len(set(downloads)) == 4
    assert days[10] not in server.listed, "days that are complete are not listed again"
    wrong = add(feeds, "shadowserver", server.host.url("/api2/"), "--auth", "a:b", "--download", server.host.url("/dl/"))
    until_pull(feeds, wrong, "malformed", "Authentication Failed")
    for one in (name, wrong):
        feeds.cirt("source", "disable", one)
    server.host.close()


# CSV

def test_csv_feed_by_its_map(feeds, certificates):
    body = b"# list\nwhen;bad host;family\n2026-11-22T10:00:00Z;198.51.100.77:8080;QakBot\n2026-11-22T11:00:00Z;words;Emotet\n"
    server = Host(certificates, {"/list.csv": lambda _: (200, {"Content-Type": "text/csv"}, body)})
    name = add(feeds, "feed", server.url("/list.csv"), "--format", "csv", "--columns", 'when=time "bad host"=endpoint family=malware',
               "--separator", ";", "--type", "c2-server")
    report = until_reports(feeds, name, 1)[0]
    detail = feeds.cirt("report", "show", report["id"])
    assert "198.51.100.77" in json.dumps(detail) and detail["malware"] == "qakbot" and detail["classification"] == "c2-server"
    rows = [row for row in feeds.all_pages("quarantine", "list") if row["source"] == name]
    assert len(rows) == 1 and "words" in rows[0]["reason"]
    feeds.cirt("source", "disable", name)
    server.close()


@pytest.mark.parametrize("options, expected", [
    (("--kind", "feed", "--match", "https://a.example/", "--format", "csv", "--columns", "time colour"), "colour"),
    (("--kind", "feed", "--match", "https://a.example/", "--columns", "ip"), "only for --format csv"),
    (("--kind", "feed", "--match", "http://a.example/"), "https://"),
    (("--kind", "taxii", "--match", "https://a.example/", "--filter", "colour=blue"), "type="),
    (("--kind", "misp", "--match", "https://a.example/"), "key"),
    (("--kind", "misp", "--match", "https://a.example/", "--auth", "key x", "--filter", "[1]"), "JSON object"),
    (("--kind", "shadowserver", "--match", "https://a.example/", "--auth", "x"), "KEY:SECRET"),
    (("--kind", "misp-feed", "--match", "https://a.example/", "--since", "yesterday"), "2026-11-01"),
    (("--kind", "sensor", "--match", "san:x", "--download", "https://x/"), "not for a source of this kind"),
])
def test_a_wrong_setting_is_told(feeds, options, expected):
    done = feeds.cirt("source", "add", "wrong", *options, check=False)
    assert done.returncode == 2 and expected in done.stderr + done.stdout


# Hostile ones: each a clear state, nothing lost, nothing looped

OBJECT = json.dumps({"objects": [indicator(1)]}).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/taxii+json;version=2.1\r\n"


def envelope(body):
    return lambda _: (200, {"Content-Type": "application/taxii+json;version=2.1"}, json.dumps(body).encode())


HOSTILE = {
    "file": (lambda _: (302, {"Location": "file:///etc/passwd"}, b""), "redirect", "only https"),
    "plain": (lambda _: (302, {"Location": "http://localhost/"}, b""), "redirect", "only https"),
    "itself": (lambda request: (302, {"Location": request.path}, b""), "redirect", "more than 5 times"),
    "gzip bomb": (lambda _: (200, {"Content-Encoding": "gzip", "Content-Type": "application/json"}, gzip_bomb(50 << 20)), "too-large", "larger"),
    "huge headers": (raw(HEAD + b"X-Pad: " + b"a" * 90000 + b"\r\n" + b"X-Pad: b\r\n\r\n{}"), "too-large", "headers"),
    "many headers": (raw(HEAD + b"X-Pad: b\r\n" * 9000 + b"\r\n{}"), "too-large", "headers"),
    "html": (lambda _: (200, {"Content-Type": "text/html"}, b"<html>Log in</html>"), "malformed", "expected JSON"),
    "html json": (lambda _: (200, {"Content-Type": "text/html"}, OBJECT), "malformed", "text/html"),
    "other version": (lambda _: (200, {"Content-Type": "application/taxii+json; version=2.0"}, OBJECT), "malformed", "version=2.0"),
    "not JSON": (lambda _: (200, {"Content-Type": "application/taxii+json;version=2.1"}, b'{"objects": [{"a": '), "malformed", "whole"),
    "truncated": (raw(HEAD + b"Content-Length: 5000\r\n\r\n" + OBJECT), "cut", ""),
    "304": (lambda _: (304, {}, b""), "malformed", "304"),
    "500": (lambda _: (500, {}, b"x"), "server", "500"),
    "410": (lambda _: (410, {}, b"x"), "gone", "410"),
    "same next": (envelope({"more": True, "next": "again", "objects": [indicator(2)]}), "loop", "led before"),
    "no way on": (envelope({"more": True, "objects": [indicator(3)]}), "loop", "neither"),
    "empty for ever": (lambda request: envelope({"more": True, "next": str(time.monotonic())})(request), "loop", "without an object"),
    "dripping": (raw(HEAD + b"Content-Length: 50000\r\n\r\n", (b" " for _ in range(400)), 0.05), "slow", ""),
    "not HTTP": (raw(b"\x16\x03\x01hello there\r\n\r\n"), "malformed", ""),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_server_is_a_clear_state(feeds, certificates, what):
    route, state, text = HOSTILE[what]
    server = Host(certificates, {"/*": route})
    name = add(feeds, "taxii", server.url("/c/"))
    source = until_pull(feeds, name, state, text)
    assert source["failing_since"] and source["next_try"] and source["problem"]
    assert feeds.room_pid("exchange"), "the room lives on"
    time.sleep(1.0)
    assert len(server.requests) < 60, "it is not asked in a loop"
    feeds.settle()
    assert len(reports(feeds, name)) <= 1
    feeds.cirt("source", "disable", name)
    server.close()


def test_redirect_to_inside_is_not_followed_and_takes_no_secret_along(feeds, certificates):
    """Another origin on an inner address is not asked at all; the same origin may move its pages."""
    inner = Host(certificates, {"/*": lambda _: (200, {}, b"secret of ours")})
    outer = Host(certificates, {"/*": lambda _: (302, {"Location": inner.url("/admin")}, b""),
                                "/moved": lambda _: (302, {"Location": "/here"}, b""),
                                "/here": lambda _: (200, {"Content-Type": "text/csv"}, b"ip\n198.51.100.200\n")})
    name = add(feeds, "feed", outer.url("/list"), "--format", "csv", "--auth", "bearer hidden")
    until_pull(feeds, name, "redirect", "not gone to")
    moved = add(feeds, "feed", outer.url("/moved"), "--format", "csv", "--auth", "bearer hidden")
    until_reports(feeds, moved, 1)
    assert inner.requests == []
    assert outer.asked("/here")[0][2].get("Authorization") == "Bearer hidden"
    for one in (name, moved):
        feeds.cirt("source", "disable", one)
    inner.close()
    outer.close()


def test_a_server_whose_certificate_is_not_trusted(feeds, certificates):
    class Other:
        door = certificates.issue("untrusted", "localhost", server=True, authority=certificates.other_ca)
    server = Host(Other, {"/*": lambda _: (200, {}, b"ip\n198.51.100.1\n")})
    name = add(feeds, "feed", server.url("/x.csv"), "--format", "csv")
    until_pull(feeds, name, "certificate")
    assert server.requests == []
    feeds.cirt("source", "disable", name)
    server.close()


def test_a_web_page_is_no_feed(feeds, certificates):
    server = Host(certificates, {"/*": lambda _: (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>Please log in</html>")})
    name = add(feeds, "feed", server.url("/x"))
    until_pull(feeds, name, "malformed", "web page")
    feeds.cirt("source", "disable", name)
    server.close()


def test_nobody_there(feeds):
    name = add(feeds, "feed", "https://localhost:1/x")
    until_pull(feeds, name, "unreachable")
    feeds.cirt("source", "disable", name)


def test_only_what_is_its_own_hurries_a_failing_feed(feeds, certificates):
    """Other sources' rows leave its back-off alone; its own row, and credentials of its own, are tried at once."""
    server = Taxii(certificates, user=basic("user:pass"))
    server.grow(3)
    name = add(feeds, "taxii", server.url, "--auth", "user:wrong", interval=3600)
    until_pull(feeds, name, "refused", "401")
    time.sleep(1)
    failures = shown(feeds, name)["failures"]
    for number in range(6):
        feeds.cirt("source", "add", f"beside-{number}", "--kind", "sensor", "--match", f"san:beside-{number}.test")
        time.sleep(0.6)
    assert shown(feeds, name)["failures"] == failures
    feeds.psql(f"UPDATE cirt.source SET interval_seconds = 3000 WHERE name = '{name}'")
    wait_for(lambda: shown(feeds, name)["failures"] > failures, 15, "another try with the changed row", every=0.2)
    feeds.psql(f"UPDATE cirt.source SET auth = 'user:pass' WHERE name = '{name}'")
    until_reports(feeds, name, 3)
    feeds.cirt("source", "disable", name)
    server.host.close()


def test_a_source_is_changed(feeds, certificates):
    """What is said changes, the rest stays; the doors follow without a restart; what add refuses, set refuses."""
    paths = {"/a.csv": b"198.51.100.230,QakBot\n", "/b.csv": b"Emotet,198.51.100.231\n"}
    server = Host(certificates, {path: (lambda request: (200, {"Content-Type": "text/csv"}, paths[request.path])) for path in paths})
    name = add(feeds, "feed", server.url("/a.csv"), "--format", "csv", "--columns", "ip malware", "--silent-after", 5000, interval=3600)
    until_reports(feeds, name, 1)
    before = shown(feeds, name)
    feeds.cirt("source", "set", name, "--match", server.url("/b.csv"), "--columns", "malware ip", "--trust", 80, "--restricted", "yes",
               "--reason", "they moved it")
    found = until_reports(feeds, name, 2)
    assert "198.51.100.231" in json.dumps([feeds.cirt("report", "show", report["id"]) for report in found])
    after = shown(feeds, name)
    assert (after["trust"], after["restricted"], after["match"]) == (80, True, server.url("/b.csv"))
    for same in ("kind", "tlp", "pap", "format", "interval", "silent_after", "state"):
        assert after[same] == before[same]
    feeds.cirt("source", "set", name, "--silent-after", 0, "--restricted", "no", "--auth", "bearer x", "--interval", 1)
    after = shown(feeds, name)
    assert after.get("silent_after") is None and after["restricted"] is False and after["interval"] == 1
    wait_for(lambda: server.requests[-1][2].get("Authorization") == "Bearer x", 20, "the secret to be shown", every=0.2)
    feeds.cirt("source", "set", name, "--trust", 10)
    assert feeds.psql(f"SELECT auth FROM cirt.source WHERE name = '{name}'") == [["bearer x"]], "what is not said stays"
    for wrong, text in ((("--tlp", "pink"), "tlp"), (("--match", "http://x/"), "https://"), (("--filter", "x"), "not for a source"),
                        (("--columns", "colour"), "colour"), (("--restricted", "perhaps"), "yes or no"), (("--trust", "101"), "trust")):
        done = feeds.cirt("source", "set", name, *wrong, check=False)
        assert done.returncode == 2 and text in done.stderr + done.stdout, (wrong, done.stderr)
    assert feeds.cirt("source", "set", "nobody", "--trust", 1, check=False).returncode == 3
    assert len(feeds.psql(f"SELECT n FROM cirt.journal WHERE object = 'source/{name}'")) >= 5
    assert "bearer x" not in str(feeds.psql("SELECT before, after FROM cirt.journal WHERE object LIKE 'source/%'"))
    feeds.cirt("source", "disable", name)
    server.close()


def test_a_silent_feed_raises_an_alarm(feeds, certificates):
    """Told nothing new for longer than it was said to: an alarm, in status and at the source; over when it speaks again."""
    bodies = [b"ip\n198.51.100.210\n"]
    server = Host(certificates, {"/*": lambda _: (200, {"Content-Type": "text/csv"}, bodies[-1])})
    name = add(feeds, "feed", server.url("/x.csv"), "--format", "csv", "--silent-after", 3)
    wait_for(lambda: shown(feeds, name)["silent_since"], 60, "it to be silent", every=0.5)
    assert "nothing new" in shown(feeds, name)["silent"]
    wait_for(lambda: feeds.cirt("status")["database"]["alarms"] >= 1, 20, "status to count the alarm", every=0.5)
    assert [alarm for alarm in feeds.all_pages("alarm", "list") if alarm["subject"] == name and alarm["kind"] == "feed-silent"]
    assert feeds.log_contains(f"{name}: nothing new")
    stop = [False]

    def speaking():
        bodies.append(f"ip\n198.51.100.{len(bodies) % 200}\n".encode())
        return not shown(feeds, name)["silent_since"]
    wait_for(speaking, 60, "it to speak again", every=0.5)
    assert not stop[0]
    feeds.cirt("source", "disable", name)
    server.close()


def test_discover_names_roots_and_collections(feeds, certificates):
    """From the server's bare name on; what it names elsewhere is asked without credentials, and not at inner addresses."""
    server = Taxii(certificates, user=basic("user:pass"))
    for path in ("/taxii2/", "/taxii2", "/", "", "/api1/", "/api1/collections/"):
        found = feeds.cirt("source", "discover", server.host.url(path), "--auth", "user:pass")
        assert [one["id"] for one in found["collections"]] == [server.ID, "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4"], path
        assert found["collections"][0]["url"] == server.url and found["collections"][0]["can_read"] is True
    roots = {root["url"]: root.get("problem") for root in feeds.cirt("source", "discover", server.host.url("/"), "--auth", "user:pass")["roots"]}
    assert roots[server.host.url("/api1/")] is None and "404" in roots[server.host.url("/gone/")]
    assert "not gone to" in roots["https://127.0.0.1:1/elsewhere/"]
    assert server.wrong == []
    text = feeds.cirt_text("source", "discover", server.host.url("/"), "--auth", "user:pass").stdout
    assert server.url in text and "\x1b[31m" not in text
    denied = feeds.cirt("source", "discover", server.host.url("/"), "--auth", "user:wrong", check=False)
    assert denied.returncode == 1 and "401" in denied.stderr + denied.stdout
    server.host.close()


def test_discover_and_servers_that_are_none(feeds, certificates):
    server = Host(certificates, {"/html/": lambda _: (200, {}, b"<html>"), "/list/": lambda _: (200, {}, b"[1]"), "/other/": lambda _: (200, {}, b'{"a":1}'),
                                 "/deep/": lambda _: (200, {}, b'{"a":' * 1000), "/big/": lambda _: (200, {}, b" " * (2 << 20))})
    for path, text in (("/html/", "JSON"), ("/list/", "JSON object"), ("/other/", "TAXII 2.1"), ("/deep/", "JSON"), ("/big/", "larger"), ("/x/", "404")):
        done = feeds.cirt("source", "discover", server.url(path), check=False)
        assert done.returncode == 1 and text in done.stderr + done.stdout, (path, done.stderr)
    assert feeds.cirt("source", "discover", "http://localhost/", check=False).returncode == 2
    server.close()


def test_pull_now(feeds, certificates):
    server = Host(certificates, {"/*": lambda _: (200, {"Content-Type": "text/csv"}, b"ip\n198.51.100.240\n")})
    name = add(feeds, "feed", server.url("/x.csv"), "--format", "csv", interval=3600)
    until_reports(feeds, name, 1)
    until_pull(feeds, name, "ok")
    feeds.cirt("source", "pull", name)
    wait_for(lambda: len(server.requests) >= 2, 20, "the second pull")
    assert feeds.cirt("source", "pull", "nobody", check=False).returncode == 3
    feeds.cirt("source", "disable", name)
    wait_for(lambda: feeds.cirt("source", "pull", name, check=False).returncode == 1, 20, "the disabled one to be refused")
    server.close()


DATA = pathlib.Path(os.environ.get("CIRTD_SHARED_DATA") or "/nonexistent")


@pytest.mark.skipif(not DATA.is_dir(), reason="CIRTD_SHARED_DATA names no folder")
def test_what_the_reference_server_serves(feeds, certificates):
    """The data set of the reference server's own tests, served in pages of three: indicators are reports, the rest is kept."""
    data = json.loads((DATA / "taxii" / "medallion-default_data.json").read_text())
    collection = next(one for one in data["trustgroup1"]["collections"] if one.get("objects"))
    server = Taxii(certificates, page=3)
    server.objects = list(zip(sorted(row["date_added"] for row in collection["manifest"]), collection["objects"]))
    before = feeds.settle()["items"]
    name = add(feeds, "taxii", server.url)
    until_pull(feeds, name, "ok")
    after = feeds.settle()["items"]
    assert after["found"] - before["found"] == len(collection["objects"]) and server.wrong == []
    assert after["quarantined"] == before["quarantined"]
    assert reports(feeds, name)
    feeds.cirt("source", "disable", name)
    server.host.close()


def test_a_csv_file_is_submitted_by_the_columns_of_its_source(feeds, open_folder):
    name = add(feeds, "feed", "https://localhost:1/x", "--format", "csv", "--columns", "- ip malware", interval=3600)
    wait_for(lambda: shown(feeds, name)["pull"] != "not yet", 30, "the doors to know it", every=0.2)
    path = open_folder / "list.csv"
    path.write_text("1,198.51.100.251,QakBot\n2,198.51.100.252,Emotet\n")
    feeds.cirt("submit", path, "--source", name, "--format", "csv")
    found = until_reports(feeds, name, 2)
    details = json.dumps([feeds.cirt("report", "show", report["id"]) for report in found])
    assert "198.51.100.251" in details and "emotet" in details
    feeds.cirt("source", "disable", name)
