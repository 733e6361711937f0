"""Old evidence under the rules of today: what came before a rule was written is found by it, once, and nothing else changes."""
import base64
import hashlib
import io
import pathlib
import tempfile
import zipfile

import pytest

from harness import Daemon, native, wait_for

TOTALS = "SELECT (SELECT count(*) FROM report), (SELECT sum(count) FROM sighting), (SELECT count(*) FROM verdict), (SELECT count(*) FROM ledger), (SELECT count(*) FROM item)"


def letter(number, words, file=None, name="a.zip"):
    head = (f"From: citizen{number}@rescan.example\r\nTo: report@cirt.example\r\nSubject: rescan letter {number}\r\n"
            f"Message-ID: <rescan-{number}@rescan.example>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n")
    if file is None:
        return f"{head}Content-Type: text/plain\r\n\r\n{words} 203.0.113.{number}\r\n"
    coded = base64.encodebytes(file).decode().replace("\n", "\r\n")
    return (f"{head}Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\n{words}\r\n"
            f"--cut\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{coded}--cut--\r\n")


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates)
    daemon.start()
    daemon.add_sensor()
    yield daemon
    daemon.remove()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="cirtd-r-") as path:
        yield pathlib.Path(path)


def add_rule(desk, name, text, scope="text, file", check=True):
    (desk.rules / f"{name}.yar").write_text(f'rule {name} {{ meta: scope = "{scope}" strings: $a = "{text}" condition: $a }}\n')
    return desk.cirt("rules", "reload", check=check)


def found(result):
    return sorted((one["rule"].split("/")[1], one["part"]) for one in result["matches"])


def by_subject(desk, number):
    return desk.psql(f"SELECT report_number(id) FROM report WHERE title = 'rescan letter {number}'")[0][0]


def test_what_came_before_the_rule_is_found_once(desk, folder):
    """A mail's words, a file in an archive that it brought, a sensor's line, a file added by hand; and nothing beside them."""
    archive = zipped("inner.bin", b"MZ\x00 quetzal-marker \x00")
    desk.send_mail(letter(1, "it says ocelot-marker here"))
    desk.send_mail(letter(2, "the file is attached", archive))
    desk.send_mail(letter(3, "nothing of the kind"))
    desk.send_lines([native(1, title="a line with tapir-marker"), native(2, title="another line")])
    desk.settle()
    desk.psql("INSERT INTO cases (title) VALUES ('rescan by hand')")
    number = desk.psql("SELECT number FROM cases WHERE title = 'rescan by hand'")[0][0]
    (folder / "disk image.bin").write_bytes(b"\x00\x01 quetzal-marker")
    desk.cirt("evidence", "add", number, folder / "disk image.bin")
    before = desk.psql(TOTALS)
    assert desk.cirt("rules", "rescan", "--since", "1h")["found"] == 0
    add_rule(desk, "ocelot", "ocelot-marker")
    add_rule(desk, "quetzal", "quetzal-marker", "file")
    add_rule(desk, "tapir", "tapir-marker", "event")
    dry = desk.cirt("rules", "rescan", "--since", "1h", "--dry-run")
    assert dry["total"] >= 6 and dry["gone"] == 0
    done = desk.cirt("rules", "rescan", "--since", "1h")
    assert done["state"] == "done" and done["pieces"] == done["total"] == dry["total"]
    assert found(done) == [("ocelot", "text"), ("quetzal", "a.zip/inner.bin"), ("quetzal", "disk image.bin"), ("tapir", "doc")]
    assert {(one["rule"].split("/")[1], one["report"]) for one in done["matches"] if one["report"] and one["rule"].endswith(("ocelot", "quetzal"))} \
        == {("ocelot", by_subject(desk, 1)), ("quetzal", by_subject(desk, 2))}
    again = desk.cirt("rules", "rescan", "--since", "1h")
    assert again["found"] == 0 and again["pieces"] == done["pieces"]
    assert desk.psql(TOTALS) == before
    # Where people look.
    shown = desk.cirt("evidence", "show", digest(archive))
    assert [(one["rule"].split("/")[1], one["part"]) for one in shown["later"]] == [("quetzal", "a.zip/inner.bin")] and shown["later"][0]["rules"] == done["rules"]
    assert desk.cirt("evidence", "show", digest(b"\x00\x01 quetzal-marker"))["later"][0]["case"] == number
    assert [one["part"] for one in desk.cirt("report", "show", by_subject(desk, 1))["later"]] == ["text"]
    assert any("2 pieces of old evidence match rule" in one["text"] and "quetzal" in one["text"] for one in desk.cirt("alarm", "list")["items"])
    assert "old evidence matched" in desk.cirt_text("case", "show", number).stdout
    assert [one["action"] for one in desk.cirt("journal", f"rescan/{done['rescan']}")["items"]] == ["done", "asked"]
    text = desk.cirt_text("rules", "show", done["rescan"]).stdout
    assert "quetzal" in text and "disk image.bin" in text
    assert [one["rescan"] for one in desk.cirt("rules", "show")["items"]][:2] == [again["rescan"], done["rescan"]]
    desk.settle()
