"""Real peers: Postfix hands mail over by LMTP, with the files of contrib/postfix; curl sends by SMTP with STARTTLS."""
import pathlib
import re
import socket
import subprocess

import pytest

from harness import TOP, mail, wait_for
from postfix import Postfix, why_not

SNIPPETS = TOP / "contrib" / "postfix"


def hand_over(folder, daemon):
    """Postfix with the files of contrib/postfix, adapted to where this daemon is."""
    def adapted(name):
        text = (SNIPPETS / name).read_text()
        return text.replace("/etc/postfix/", f"{folder}/etc/").replace("127.0.0.1:2424", f"127.0.0.1:{daemon.lmtp_port}")

    return Postfix(folder, daemon, adapted("main.cf") + "mynetworks = 192.0.2.0/24\n", adapted("master.cf"),
                   {"transport.cirtd": adapted("transport"), "recipients.cirtd": adapted("recipients")})


@pytest.fixture
def postfix(daemon, open_folder):
    if why_not():
        pytest.skip(why_not())
    peer = hand_over(open_folder, daemon)
    yield peer
    peer.stop()


def curl(port, body, *options, recipient="report@cirt.example", sender="citizen@mail.example"):
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--verbose", "--max-time", "60", "--mail-from", sender, "--mail-rcpt", recipient,
         "--upload-file", "-", *map(str, options), f"smtp://localhost:{port}/client.example"],
        input=body, capture_output=True, timeout=90, check=False)


def titles(daemon):
    return [report["title"] for report in daemon.reports("--source", "report")]


def test_postfix_hands_mail_over_by_lmtp(daemon, postfix):
    """Through Postfix's own SMTP door: it lands, and Postfix's log holds the id that cirtd gave for it."""
    done = curl(postfix.port, mail(subject="through Postfix", body="..\r\n.\r\nThe host 198.51.100.71.\r\n" + "x" * 3000 + "\r\n"))
    assert done.returncode == 0, done.stderr
    line = wait_for(lambda: re.search(r"relay=127.0.0.1\[127.0.0.1\]:\d+,.* status=sent \(250 2\.0\.0 .*queued as (\S+)\)", postfix.text()),
                    what="Postfix to say sent")
    assert line.group(1)
    daemon.settle()
    report = [one for one in daemon.reports("--source", "report") if one["title"] == "through Postfix"]
    assert len(report) == 1
    shown = daemon.cirt("report", "show", report[0]["id"])
    assert "198.51.100.71" in str(shown) and "..\n.\n" in str(shown["text"]).replace("\r", "")


def test_postfix_refuses_what_is_not_the_desks(daemon, postfix):
    done = curl(postfix.port, mail(), recipient="nobody@cirt.example")
    assert done.returncode != 0 and b"550" in done.stderr


def test_postfix_keeps_mail_while_the_daemon_is_down(make_daemon, open_folder):
    """Taken by Postfix while there is nobody to hand it to: lands once when there is."""
    if why_not():
        pytest.skip(why_not())
    daemon = make_daemon()
    peer = hand_over(open_folder, daemon)
    try:
        assert curl(peer.port, mail(subject="early", body="The host 198.51.100.72.\r\n")).returncode == 0
        wait_for(lambda: "status=deferred" in peer.text(), what="Postfix to keep it")
        daemon.start()
        peer.again()
        wait_for(lambda: "status=sent" in peer.text(), what="Postfix to hand it over")
        peer.again()
        assert daemon.settle()["entries"]["received"] == 1
        assert titles(daemon) == ["early"]
    finally:
        peer.stop()


def test_no_mail_is_smuggled_through_postfix(daemon, postfix):
    """Whatever a client makes of a dot between odd line ends: Postfix and cirtd agree that it is one mail, or none."""
    envelope = b"MAIL FROM:<a@mail.example>\r\nRCPT TO:<report@cirt.example>\r\nDATA\r\n"
    forms = [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r"]
    before = daemon.settle()
    for form in forms:
        with socket.create_connection(("127.0.0.1", postfix.port), timeout=60) as door:
            door.sendall(b"EHLO a.example\r\n" + envelope + b"Subject: one\r\n\r\ntext" + form + envelope +
                         b"Subject: smuggled\r\n\r\ntext\r\n.\r\nQUIT\r\n")
            while door.recv(65536):
                pass
    wait_for(lambda: len(re.findall(r"status=(?:bounced|sent) .*to=|to=<report@cirt.example>.* status=(?:bounced|sent)", postfix.text())) >=
             len(re.findall(r"postfix/smtpd.*: client=", postfix.text())) > 0, what="Postfix to be answered for each")
    after = daemon.settle()
    assert after["entries"]["received"] - before["entries"]["received"] <= len(forms)
    assert "smuggled" not in titles(daemon)


def test_curl_sends_by_smtp_with_starttls(make_daemon, certificates):
    """TLS is asked for and given; a certificate of another authority is refused by curl, not by luck."""
    daemon = make_daemon(sections={"mail": {"certificate": certificates.door[2], "key": certificates.door[3]}})
    daemon.start()
    body = mail(subject="sent by curl", body="The host 198.51.100.73.\r\n")
    done = curl(daemon.smtp_port, body, "--ssl-reqd", "--cacert", certificates.ca[2])
    assert done.returncode == 0, done.stderr
    assert b"STARTTLS" in done.stderr and b"queued as" in done.stderr
    refused = curl(daemon.smtp_port, body, "--ssl-reqd", "--cacert", certificates.other_ca[2])
    assert refused.returncode == 60, refused.stderr
    unknown = curl(daemon.smtp_port, body, "--ssl-reqd", "--cacert", certificates.ca[2], recipient="nobody@elsewhere.example")
    assert unknown.returncode != 0 and b"550" in unknown.stderr
    assert daemon.settle()["entries"]["received"] == 1
    assert titles(daemon) == ["sent by curl"]


def test_curl_follows_a_folder_of_real_files(daemon):
    """Mails as files, one after the other over one connection each: all land."""
    before = daemon.settle()
    found = sorted(pathlib.Path(TOP / "tests" / "golden" / "mail").glob("*.eml"))[:10]
    for path in found:
        done = curl(daemon.smtp_port, path.read_bytes(), "--crlf")
        assert done.returncode == 0, (path, done.stderr)
    after = daemon.settle()
    assert after["entries"]["received"] - before["entries"]["received"] == len(found)
