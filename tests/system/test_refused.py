"""What was changed while the daemon runs and cannot be used: the configuration, and the texts of mails. Each is an alarm until it is mended."""
import os
import shutil
import signal

import pytest

from harness import wait_for
from outbox import Outbox
from smtp_server import SmtpServer


@pytest.fixture
def server():
    server = SmtpServer()
    yield server
    server.close()


@pytest.fixture
def office(make_daemon, programs, open_folder, server):
    """With templates of its own."""
    folder = open_folder / "templates"
    shutil.copytree(programs.templates, folder)
    daemon = make_daemon(sections={"mail_out": {"server": f"smtp://127.0.0.1:{server.port}", "tls": "off", "from": "cirt@cirt.example",
                                                "templates": str(folder)}})
    daemon.start()
    daemon.add_sensor()
    office = Outbox(daemon)
    office.templates = folder
    return office


def reload(office):
    office.daemon.process.send_signal(signal.SIGHUP)


def refused(daemon):
    return daemon.cirt("status").get("refused", {}).get("why")


def test_a_refused_configuration_is_an_alarm_until_it_is_mended(office):
    """Told by its first mistake in `status` and `today`; what held before holds, through a restart of the keeper, which says it once."""
    daemon = office.daemon
    path = daemon.folder / "cirtd.conf"
    good = path.read_text()
    assert refused(daemon) is None
    path.write_text(good + "nonsense = 1\nfolly = 2\n")
    reload(office)
    wait_for(lambda: office.alarms("configuration"), 30, "the alarm")
    line = good.count("\n") + 1
    said = office.alarms("configuration")
    assert said.startswith("cirt.example: a changed configuration was refused: ") and f"{path}:{line}: " in said and "nonsense" in said
    assert f"{path}:{line}: " in refused(daemon)
    assert "CONFIG    refused" in daemon.cirt_text("status").stdout and "a changed configuration was refused" in daemon.cirt_text("today").stdout
    assert any(one["kind"] == "configuration" for one in daemon.cirt("today")["alarms"]["items"])
    os.kill(daemon.room_pid("keeper"), signal.SIGKILL)
    wait_for(lambda: office.one("SELECT count FROM alarm WHERE kind = 'configuration'") == "2", 30, "the next keeper to say so")
    # Asked for at the desk, the answer says the same.
    done = daemon.cirt_text("rules", "reload", check=False)
    assert done.returncode != 0 and "nothing was changed" in done.stderr and "nonsense" in done.stderr
    path.write_text(good)
    reload(office)
    wait_for(lambda: not office.alarms("configuration"), 30, "the alarm to be over")
    assert refused(daemon) is None and "CONFIG" not in daemon.cirt_text("status").stdout


def test_a_daemon_that_starts_well_ends_the_alarm_of_the_one_before(office):
    daemon = office.daemon
    path = daemon.folder / "cirtd.conf"
    good = path.read_text()
    path.write_text(good + "nonsense = 1\n")
    reload(office)
    wait_for(lambda: office.alarms("configuration"), 30, "the alarm")
    assert daemon.stop() == 0
    path.write_text(good)
    daemon.start()
    wait_for(lambda: not office.alarms("configuration"), 30, "the alarm to be over")


def test_a_template_that_breaks_while_the_daemon_runs_changes_no_mail(office, server):
    """It is refused with the configuration; mails go on with the text that was read before."""
    notice = office.templates / "en" / "notice.txt"
    notice.write_text("Subject: {number}\n\nHello {organization}\n")
    reload(office)
    wait_for(lambda: "notice.txt:3" in office.alarms("configuration"), 30, "the alarm")
    office.wait(office.mail(office.contact(), reports=office.reports(1)), "sent")
    assert b"Security findings" in server.mails[0][2]

def test_a_mail_without_a_text_waits_for_it(office, server):
    """Where no template is left that fits, no other text goes instead: an alarm says so, and the mail goes once there is one."""
    for text in office.templates.glob("*/notice*.txt"):
        text.rename(text.with_suffix(".away"))
    reload(office)
    wait_for(lambda: "reloaded" in office.daemon.log_text(), 30, "the reload")
    mail = office.mail(office.contact(), reports=office.reports(1))
    wait_for(lambda: office.alarms("mail-template"), 30, "the alarm")
    assert "there is no template en/notice.txt" in office.alarms("mail-template")
    assert "mail-template" in office.daemon.cirt_text("alarm", "list").stdout
    row = office.row(mail)
    assert row["state"] == "queued" and "en/notice.txt" in row["why"] and not server.mails
    # Other kinds have their text.
    other = office.mail(office.contact(email="b@hospital.example"), "b@hospital.example", kind="mail", fields={"subject": "s", "text": "t"})
    office.wait(other, "sent")
    for text in office.templates.glob("*/notice*.away"):
        text.rename(text.with_suffix(".txt"))
    reload(office)
    office.wait(mail, "sent")
    wait_for(lambda: not office.alarms("mail-template"), 30, "the alarm to be over")
    assert len(server.mails) == 2
