"""The torture set: bounded memory, a reason in quarantine, the rest landed, and no worker lost over it. Time is bounded by the
kernel's limit per item, which ends a worker: what ends none kept within it."""
import json
import pathlib
import re

import pytest

import torture
from harness import Daemon, mail, native

MEMORY = 512 << 20  # triage.memory, as it is by default
SANITIZED = 3       # what AddressSanitizer adds


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates)
    daemon.start()
    daemon.add_sensor()
    yield daemon
    daemon.remove()


def peak(daemon):
    """The largest resident set that a worker has had, in bytes."""
    sizes = []
    for name, _, pid in daemon.rooms():
        if name == "triage":
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            sizes.append(int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) << 10)
    return max(sizes)


def memory_limit(daemon):
    return MEMORY * (SANITIZED if b"__asan_init" in daemon.programs.cirtd.read_bytes() else 1)


def restarts(daemon):
    return sum(room["restarts"] for room in daemon.cirt("status")["rooms"])


def outcome(daemon, send, good):
    """What send() adds, with a good one before and after it: counts of items, and reasons."""
    before, lost = daemon.settle(), restarts(daemon)
    known = {row["id"] for row in daemon.all_pages("quarantine", "list")}
    good(1)
    send()
    good(2)
    after = daemon.settle(180)
    reasons = [row["reason"] for row in daemon.all_pages("quarantine", "list") if row["id"] not in known]
    assert restarts(daemon) == lost, f"a worker was lost\n{daemon.log_text()[-3000:]}"
    assert peak(daemon) < memory_limit(daemon)
    return {name: after["items"][name] - before["items"][name] for name in after["items"]}, reasons


# name, mail, what stands in the reasons (None: nothing is set aside)
MAILS = [
    ("10,000 multiparts deep", lambda: torture.multiparts(10000), "nest deeper|more parts"),
    ("10,000 messages deep", lambda: torture.messages(10000), "nest deeper|header section"),
    ("100,000 headers", lambda: torture.many_headers(100000), "header section longer"),
    ("a header of 1 MB", lambda: torture.long_header(1 << 20), "header field longer"),
    ("a folded header of 4 MB", lambda: torture.folded_header(4 << 20), "header field longer"),
    ("20,000 addresses", lambda: torture.long_address_list(20000), "header field longer"),
    ("2,000 continuations", lambda: torture.continuations(2000), None),
    ("50,000 continuations", lambda: torture.continuations(50000), "header field longer"),
    ("2,000 encoded words", lambda: torture.encoded_words(2000), None),
    ("100,000 parts", lambda: torture.parts(100000), "more parts|ends inside"),
    ("NULs and mixed line ends", torture.nuls_and_line_ends, None),
    ("broken base64", torture.broken_base64, None),
    ("a flat bomb", lambda: torture.attached("flat", b"flat.zip", torture.flat_bomb(300 << 20)), "a member larger|too many times its size"),
    ("a nested bomb", lambda: torture.attached("nested", b"42.zip", torture.nested_bomb(3, 16)), "more bytes|too many times|more members"),
    ("a very deep archive", lambda: torture.attached("deep", b"deep.zip", torture.nested_bomb(30, 1)), "nest deeper"),
    ("an overlapping bomb", lambda: torture.attached("overlap", b"o.zip", torture.overlapping_bomb(2000, 2 << 20)), None),
    ("a tar of 50,000 files", lambda: torture.attached("tar", b"a.tgz", torture.tar_of_nothing(50000)), "more members"),
    ("a member of 4 EB", lambda: torture.attached("huge", b"a.tar", torture.huge_tar_entry()), "damaged tar"),
    ("names that climb", lambda: torture.attached("slip", b"slip.zip", torture.slip_names()), None),
    ("an unknown password", lambda: torture.attached("locked", b"locked.zip", torture.encrypted_zip(b"nobody", b"a.exe", b"MZ")), "encrypted zip"),
    ("half an archive", lambda: torture.attached("half", b"half.zip", torture.zipped([("a", bytes(range(256)) * 99)])[:200]), "damaged zip"),
]


@pytest.mark.parametrize("build,reason", [pytest.param(build, reason, id=name) for name, build, reason in MAILS])
def test_mail(desk, build, reason):
    """Its sound parts are a report; what is wrong with it is set aside with the reason."""
    items, reasons = outcome(desk, lambda: desk.send_mail(build()), lambda n: desk.send_mail(mail(subject=f"good {n}")))
    assert items["found"] - items["quarantined"] == 3
    assert bool(reasons) == bool(reason), reasons
    assert all(re.search(reason, text) for text in reasons), reasons


def test_known_password_opens_it(desk):
    """The same archive, with a password that analysts use: what is in it is found."""
    eicar = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    desk.send_mail(torture.attached("behind a password", b"sample.zip", torture.encrypted_zip(b"infected", b"a.com", eicar)))
    desk.settle()
    report = [one for one in desk.reports("--source", "report") if one["title"] == "behind a password"]
    shown = str(desk.cirt("report", "show", report[0]["id"]))
    assert "eicar" in shown and "sample.zip/a.com" in shown and "infected" in shown


def indicator_text(number, old, new):
    return json.dumps(torture.indicator(number)).replace(old, new).encode()


# name, object between two good ones, reason (None: it lands)
OBJECTS = [
    ("1,000 deep", lambda: indicator_text(901, '"name"', '"x_deep":' + "[" * 1000 + "]" * 1000 + ',"name"'), "deep|depth"),
    ("1,000,000 deep", lambda: b"[" * 1000000 + b"]" * 1000000, "deep|depth|object|long"),
    ("a number out of range", lambda: indicator_text(902, '"name"', '"confidence":1e400000,"name"'), "."),
    ("an integer out of range", lambda: indicator_text(903, '"name"', '"confidence":99999999999999999999999,"name"'), "confidence"),
    ("a lone surrogate", lambda: indicator_text(904, "torture 904", "a\\ud800b"), "surrogate|UTF-16|JSON"),
    ("bytes that are not UTF-8", lambda: indicator_text(905, "torture 905", "a").replace(b'"a"', b'"\xff"'), "UTF-8"),
    ("2 MB in one object", lambda: indicator_text(906, "torture 906", "a" * (2 << 20)), "at most"),
    ("a key twice", lambda: indicator_text(907, '"name"', '"type":"malware","name"'), "twice|double|duplicate|again"),
]


@pytest.mark.parametrize("build,reason", [pytest.param(build, reason, id=name) for name, build, reason in OBJECTS])
def test_object_of_a_bundle(desk, open_folder, build, reason):
    """The object alone is set aside; its neighbours in the bundle land."""
    path = open_folder / "bundle.json"
    number = 1000 + 10 * [one[1] for one in OBJECTS].index(build)
    path.write_bytes(torture.bundle(torture.indicator(number), build(), torture.indicator(number + 1)))
    items, reasons = outcome(desk, lambda: desk.cirt("submit", path), lambda n: None)
    assert items["quarantined"] == 1 and items["reports"] + items["folded"] == 2, (items, reasons)
    assert re.search(reason, reasons[0]), reasons


# name, line, reason
LINES = [
    ("1,000 deep", lambda: b'{"type":"scanner","source":{"ip":"203.0.113.9"},"extra":' + b'{"a":' * 1000 + b"1" + b"}" * 1001, "levels"),
    ("a key twice", lambda: b'{"type":"scanner","type":"phishing","source":{"ip":"203.0.113.9"}}', "twice|double|duplicate|again"),
    ("a number out of range", lambda: b'{"type":"scanner","severity":1e400,"source":{"ip":"203.0.113.9"}}', "severity"),
    ("a port out of range", lambda: b'{"type":"scanner","source":{"ip":"203.0.113.9","port":4294967377}}', "port"),
    ("a lone surrogate", lambda: b'{"type":"scanner","title":"\\ud800","source":{"ip":"203.0.113.9"}}', "surrogate|UTF-16|JSON"),
    ("50 MB", lambda: b'{"type":"scanner","title":"' + b"a" * (50 << 20) + b'"}', "at most"),
    ("nothing but brackets", lambda: b"[" * 500000, "."),
]


@pytest.mark.parametrize("build,reason", [pytest.param(build, reason, id=name) for name, build, reason in LINES])
def test_line_of_a_sensor(desk, build, reason):
    """The line alone is set aside; the lines around it land."""
    name = str([one[1] for one in LINES].index(build))

    def send():
        desk.send_lines([native(11, identifier=f"torture-a-{name}"), build(), native(12, identifier=f"torture-b-{name}")])

    items, reasons = outcome(desk, send, lambda n: None)
    assert items["quarantined"] == 1 and items["reports"] + items["folded"] == 2, (items, reasons)
    assert re.search(reason, reasons[0]), reasons


def test_a_file_of_one_line_of_50_mb(desk, open_folder):
    """Submitted rather than sent: one thing in quarantine with a reason, however it is taken."""
    path = open_folder / "line.ndjson"
    path.write_bytes(b'{"type":"scanner","title":"' + b"a" * (49 << 20) + b'"}\n')
    items, reasons = outcome(desk, lambda: desk.cirt("submit", path), lambda n: desk.send_mail(mail(subject=f"beside {n}")))
    assert items["quarantined"] == 1 and len(reasons) == 1, (items, reasons)
