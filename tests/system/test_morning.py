"""A scripted morning, whole: 3,000 rows over 40 reports of Shadowserver come in, for 60 organisations in 3 languages, and a drill beside
it. An oracle in Python (morning.py) says from the same facts who has to be told what. Mails go to a real Postfix where there can be
one (post_office.py), and what it cannot deliver it returns."""
import collections
import contextlib
import os
import pathlib
import re
import signal
import tempfile

import pytest

import morning
from harness import wait_for
from morning_office import CANARY, DRILL, FOUND, OWNER, PEOPLE, open_office
from outbox import literal
from test_people_mail import TO_US, letter

pytestmark = pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed")

PHRASES = {"en": "Answer this mail", "fr": "pondez", "es": "Responda"}
# Organisation 1 plays, organisation 3 does not.
DRILL_ROWS = [morning.Row(f"198.18.{n}.0", "scan_rdp", "drill-list", None, "EX", f"canary9999{n}drill") for n in (1, 3)]


@pytest.fixture(scope="module")
def office(programs, certificates):
    with contextlib.ExitStack() as stack:
        # Where mail servers can go: pytest shuts its own folders against others each time that it starts.
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cirtd-m-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        yield open_office(programs, certificates, folder, stack)


@pytest.fixture(scope="module")
def landed(office):
    """All of the morning's lists are in, and the keeper has looked at them."""
    office.submit(office.world.files(office.world.rows + DRILL_ROWS))
    office.worked()
    return office


@pytest.fixture(scope="module")
def sent(landed):
    """Two people let go what two have to, one lets go the rest; the courier is killed twice on the way."""
    daemon = landed.daemon
    landed.let_go()
    for many in (15, 50):
        wait_for(lambda: len(landed.post.arrived()) >= many, 300, f"{many} mails")
        pid = daemon.room_pid("courier")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: daemon.room_pid("courier") not in (None, pid), 30, "the courier again")
    landed.gone_out()
    return landed


# ---- what has to be so ----


def test_every_row_has_its_owner_and_its_outcome(landed):
    """To the row: who has to be told is in a mail, who must not is not, and why stands beside it."""
    mails, not_told = landed.world.expect(landed.world.rows)
    wanted = {key: outcome for outcome, keys in not_told.items() for key in keys} | {key: "waiting" for keys in mails.values() for key in keys}
    found = landed.outcomes()
    assert len(found) == len(landed.world.rows)
    assert {key: (outcome, found.get(key)) for key, outcome in wanted.items() if found.get(key) != outcome} == {}


def test_the_mails_are_those_that_have_to_be(sent):
    """The right rows to the right people, in the form that the gate lets: bundled, one mail an address and form."""
    mails, _ = sent.world.expect(sent.world.rows)
    never = sent.lost | {morning.NO_KEY}
    known = {row[0]: row[1:] for row in sent.rows("SELECT message_id, form, approvals FROM outbox")}
    found = {}
    for mail in sent.delivered():
        form, approvals = known[mail.message["Message-ID"]]
        if mail.recipient != morning.NO_KEY:
            where = (mail.recipient, form, int(approvals))
            assert where not in found, "two mails where one gathers all"
            found[where] = mail.keys
    assert found.keys() == {where for where in mails if where[0] not in never}
    assert {where: (len(keys), len(mails[where])) for where, keys in found.items() if mails[where] != keys} == {}


def check_bytes(office):
    """All bytes of all mails, decrypted, decoded and unpacked: no canary of a report but to whom it was told in full, and to the
    source that told it to us; no name of a source."""
    allowed = office.world.told_in_full(office.world.rows)
    for form, row in office.granted.items():
        if form == "full":
            allowed.setdefault(office.world.whom(row)[0], set()).add(row.canary)
    allowed[OWNER] = {row.canary for row in office.world.rows if row.source == "list-asks-numbat"}
    mails = [mail for mail in office.read() if not mail.drill]
    assert any(mail.canaries for mail in mails), "the canaries are in what is told in full, so that the search finds something"
    for mail in mails:
        assert mail.canaries <= allowed.get(mail.recipient, set()), mail.recipient
        assert not any(canary.endswith(("red", "strict")) for canary in mail.canaries)
        assert not any(name.encode() in mail.all for name in morning.SOURCES), "no mail names a source"


def test_nothing_above_its_tlp_is_in_any_mail(sent):
    check_bytes(sent)


def test_mails_are_encrypted_signed_and_marked_as_they_must_be(sent):
    contacts = {contact.email: contact for _, contact in sent.world.contacts()}
    for mail in sent.delivered():
        contact = contacts.get(mail.recipient)
        if mail.recipient == morning.NO_KEY:
            assert not mail.keys and not mail.sealed, "who has no key is told that something waits, and no more"
            continue
        assert mail.sealed == (contact.key if contact and contact.policy != "never" else ""), mail.recipient
        assert mail.signed, f"{mail.recipient}: not signed by us"
        tlp = mail.message["X-TLP"]
        assert tlp and tlp in mail.message["Subject"] and mail.text.startswith(tlp), mail.recipient
        if mail.sealed:
            assert not FOUND.search(mail.data) and not CANARY.search(mail.data)
        if contact:
            assert PHRASES[morning.SPEAKS.get(mail.recipient, contact.language)] in mail.text, (mail.recipient, contact.language)


def test_two_kills_lost_and_doubled_nothing(sent):
    """Each mail that the outbox says was sent has come, under its own Message-ID, always with the same bytes (gone_out())."""
    assert sent.one("SELECT count(*) FROM outbox WHERE state = 'sent' AND sent IS NULL") == "0"
    assert sent.one("SELECT count(*) FROM disclosure d JOIN outbox o ON o.id = d.outbox WHERE o.state = 'sent' AND d.told IS NULL"
                    " AND d.left_out IS NULL") == "0"
    assert {row[0] for row in sent.rows("SELECT address FROM outbox WHERE state = 'failed'")} == {morning.REFUSED}


def test_nothing_of_the_drill_leaves_it(sent):
    """One address of its directory is told, marked as what it is; who does not play is not, and no real mail has a word of it."""
    mail, = sent.delivered(drill=True)
    assert mail.recipient == "soc@org1.example" and mail.drill == DRILL and mail.keys == {"198.18.1.0"}
    assert DRILL in mail.message["Subject"] and f"EXERCISE EXERCISE EXERCISE: {DRILL}" in mail.text
    assert mail.canaries <= {"canary99991drill"}
    for real in sent.delivered():
        assert b"drill" not in real.all and not real.keys & {row.key for row in DRILL_ROWS}
    assert sent.rows("SELECT w.outcome FROM warning w JOIN report r ON r.id = w.report WHERE r.exercise <> 0 AND w.why LIKE '%directory%'") == [["held"]]


def test_what_came_back_told_nobody(sent):
    """Whose server finds nobody, or says so at once, is given up; whose box is full is not."""
    mails, _ = sent.world.expect(sent.world.rows)
    outcomes = sent.outcomes()
    for address, outcome, given_up in ((morning.UNKNOWN, "no-contact", "t"), (morning.REFUSED, "no-contact", "t"), (morning.FULL, "held", "f")):
        assert sent.one(f"SELECT bounced IS NOT NULL FROM contact WHERE email = {literal(address)}") == given_up, address
        assert {outcomes[key] for (whom, _, _), keys in mails.items() if whom == address for key in keys} == {outcome}, address
    assert {row[0] for row in sent.rows("SELECT address FROM outbox WHERE bounced IS NOT NULL")} == {morning.UNKNOWN, morning.FULL}
    assert sent.one(f"SELECT string_agg(DISTINCT left(bounce, 5), ' ') FROM outbox WHERE address = {literal(morning.FULL)}") == "5.2.2"
    assert {alarm.split()[2] for alarm, in sent.rows("SELECT text FROM alarm WHERE kind = 'notice-bounced' AND ended IS NULL")} == {
        morning.UNKNOWN, morning.FULL}


def test_effect_counts_to_the_row(sent):
    assert sent.effect("seen") == sent.per_owner({row.key for row in sent.world.rows})
    assert sent.effect("warned") == sent.per_owner(sent.told())
    assert all(sent.effect(what) == {} for what in ("gone_7", "gone_30", "relapsed"))


def test_today_tells_the_morning(sent):
    day = sent.daemon.cirt("today")
    feeds, notices = day["intake"]["feeds"], day["notices"]
    assert feeds["new"] + feeds["relapse"] == len(sent.world.rows) + len(DRILL_ROWS)
    assert feeds["entries"] == len(sent.world.files(sent.world.rows + DRILL_ROWS)) and feeds["sources"] == len(morning.SOURCES) + 1
    assert notices["sent"] == int(sent.one("SELECT count(*) FROM outbox WHERE state = 'sent'"))
    outcomes = list(sent.outcomes().values())
    tests = int(sent.one("SELECT count(*) FROM report WHERE type = 'test'"))
    for outcome in ("suppressed", "no-contact", "asks-permission", "not-ours"):
        assert notices["not_told"][outcome] == outcomes.count(outcome) + (tests if outcome == "suppressed" else 0), outcome


# ---- what people write ----


@pytest.fixture(scope="module")
def answered(sent):
    """Two mails are answered: one to its own address, twice; one with its number in the subject alone."""
    sent.reply, sent.tagged = (next(mail for mail in sent.delivered() if mail.recipient == f"soc@org{n}.example" and mail.keys) for n in (8, 9))
    to = sent.reply.message["Reply-To"].addresses[0].addr_spec
    for n, (mail, recipient, subject, more) in enumerate((
            (sent.reply, to, "Re: your notice", {"In_Reply_To": sent.reply.message["Message-ID"]}),
            (sent.tagged, "report@cirt.example", f"AW: [{sent.tagged.number}]", {}),
            (sent.reply, to, "We are not done yet", {}))):
        sent.post.send(letter(subject, mail.recipient, f"answer-{n}@theirs.example", text="We have taken the server off the network.", **more),
                       recipient, mail.recipient)
    wait_for(lambda: sent.one("SELECT count(*) FROM case_letter l JOIN outbox o ON o.case_id = l.case_id") == "3", 180, "three answers in cases")
    sent.worked()
    return sent


def test_answers_open_a_case_and_join_it(answered):
    assert answered.one("SELECT count(*) FROM outbox WHERE answered IS NOT NULL") == "2"
    cases = [answered.rows(f"SELECT c.number, c.organisation = o.organisation FROM cases c JOIN outbox o ON o.case_id = c.id"
                           f" WHERE o.number = {literal(mail.number)}") for mail in (answered.reply, answered.tagged)]
    assert [[row[1] for row in rows] for rows in cases] == [["t"], ["t"]] and cases[0] != cases[1]
    shown = [answered.daemon.cirt("case", "show", rows[0][0]) for rows in cases]
    assert [len(one["mails"]) for one in shown] == [2, 1] and all(mail["known"] for one in shown for mail in one["mails"])


def test_who_reports_by_mail_is_told_that_it_arrived(answered):
    """Whose domain vouches for him, and whom we know; no stranger, no forger, no list. Nothing that they wrote is said."""
    office, known = answered, "soc@org11.example"
    vouched = "Authentication-Results: mx.cirt.example; dmarc=pass header.from={}\r\n"
    failed = "Authentication-Results: mx.cirt.example; dmarc=fail header.from=citizen.example\r\n"
    anna, forger, stranger, reader = PEOPLE
    for n, (head, sender, more) in enumerate((
            (vouched.format("citizen.example"), anna, {}), (failed, forger, {}), ("", stranger, {}), ("", known, {}),
            (vouched.format("list.example"), reader, {"List_Id": "<all.list.example>"}))):
        office.post.send(head + TO_US + letter(f"MARMALADE{n}", sender, f"people-{n}@people.example", text=f"See 203.0.113.{n + 1}.", **more),
                         "report@cirt.example", sender)
    wait_for(lambda: office.one("SELECT count(*) FROM report WHERE title LIKE 'MARMALADE%'") == "5", 180, "five reports")
    office.worked()
    office.gone_out()
    told = office.delivered(kinds=("acknowledgement",))
    assert {mail.recipient for mail in told} == {anna, known}
    for mail in told:
        assert re.search(r"\d{6}-\d+", mail.message["Subject"]) and b"MARMALADE" not in mail.all and b"203.0.113." not in mail.all
        assert mail.message["Auto-Submitted"] == "auto-replied" and not mail.keys


@pytest.fixture(scope="module")
def asked(answered):
    """The source that wants to be asked is asked about three reports; it grants two, and refuses the third."""
    office, outcomes = answered, answered.outcomes()
    wanted = [row for n, row in enumerate(office.world.rows) if row.source == "list-asks-numbat" and outcomes[row.key] == "asks-permission"
              and row.owner and office.world.repeat(row) == 30 and n % GONE][:3]
    before = len(office.read())
    for row in wanted:
        office.daemon.cirt("tlp", "ask", office.report_of(row), "--note", "they are hit")
    wait_for(lambda: len(office.delivered(before, kinds=("release",))) == 3, 180, "three questions")
    for n, question in enumerate(office.delivered(before, kinds=("release",))):
        assert question.recipient == OWNER and "TLP:GREEN" in question.message["Subject"]
        office.post.send(letter("Re: your question", OWNER, f"source-{n}@numbat.example", text="See our answer by phone, too.",
                                In_Reply_To=question.message["Message-ID"]), question.message["Reply-To"].addresses[0].addr_spec, OWNER)
    found = wait_for(lambda: (lambda open_: open_ if len(open_) == 3 else None)(
        {one["report"]: one["mail"] for one in office.daemon.cirt("tlp", "list")["items"] if one["state"] == "answered"}), 180, "three answers")
    outcomes = office.outcomes()
    assert {outcomes[row.key] for row in wanted} == {"asks-permission"}, "an answer allows nothing before a person has read it"
    for row, form in zip(wanted, ("full", "sanitised", "")):
        report = office.report_of(row)
        office.daemon.cirt("tlp", "grant" if form else "refuse", report, "--evidence", found[report], *(["--form", form] if form else []))
    office.granted, office.refused = dict(zip(("full", "sanitised"), wanted)), wanted[2]
    office.worked()
    before = len(office.read())
    office.let_go()
    office.gone_out()
    office.after_asking = office.delivered(before)
    return office


def test_what_waited_for_its_source_goes_out_as_it_allows(asked):
    found = {(mail.recipient, key): mail for mail in asked.after_asking for key in mail.keys}
    assert set(found) == {(asked.world.whom(row)[0], row.key) for row in asked.granted.values()}
    for form, row in asked.granted.items():
        mail = found[asked.world.whom(row)[0], row.key]
        assert asked.one(f"SELECT form FROM outbox WHERE number = {literal(mail.number)}") == form
        assert form == "full" or row.canary not in mail.canaries
    assert asked.rows(f"SELECT outcome, why FROM warning WHERE report_number(report) = {literal(asked.report_of(asked.refused))}") == [
        ["held", "its source does not allow it"]]
    assert asked.effect("warned") == asked.per_owner(asked.told())


# ---- days go by ----

GONE = 3  # each third row of the first ten organisations is not listed any more from the second day on


def is_gone(office, n, row):
    return n % GONE == 0 and row.owner in office.world.organisations[:10]


@pytest.fixture(scope="module")
def second_day(asked):
    """The same lists once more; and a box has room again."""
    asked.post.empty_box(morning.FULL)
    asked.lost.discard(morning.FULL)
    before = len(asked.read())
    asked.shift(1)
    asked.submit(asked.world.files(asked.world.rows))
    asked.worked()
    asked.let_go()
    asked.gone_out()
    asked.on_second = asked.delivered(before)
    return asked


def test_the_same_data_on_a_second_day_tells_only_who_was_not_reached(second_day):
    """All others are held to their interval, those too whom a fold rule calls quiet after a day."""
    mails, _ = second_day.world.expect(second_day.world.rows)
    assert {mail.recipient for mail in second_day.on_second} == {morning.FULL}
    found = [key for mail in second_day.on_second for key in mail.keys]
    assert sorted(found) == sorted(key for (address, _, _), keys in mails.items() if address == morning.FULL for key in keys)
    assert second_day.effect("seen") == second_day.per_owner({row.key for row in second_day.world.rows})
    assert second_day.effect("warned") == second_day.per_owner(second_day.told())


@pytest.fixture(scope="module")
def eighth_day(second_day):
    """Some rows are not listed any more; of the rest the intervals of a week, and of three days, are over."""
    office = second_day
    before = len(office.read())
    office.shift(6)
    office.submit(office.world.files([row for n, row in enumerate(office.world.rows) if not is_gone(office, n, row)]))
    office.worked()
    # What was due before its list came waits for three hours.
    office.daemon.psql("UPDATE cirt.warning SET next = next - interval '3 hours' WHERE next < now() + interval '3 hours'")
    office.worked()
    office.let_go()
    office.gone_out()
    office.on_eighth = office.delivered(before)
    return office


def test_repeats_are_told_when_their_time_is_over_and_no_others(eighth_day):
    office, told, later = eighth_day, eighth_day.told(), told_later(eighth_day)
    wanted = {row.key for n, row in enumerate(office.world.rows) if not is_gone(office, n, row) and row.key in told
              and office.world.repeat(row) <= (6 if row.key in later else 7)}
    again = [key for mail in office.on_eighth if mail.recipient != morning.NO_KEY for key in mail.keys]
    assert (len(again), sorted(wanted - set(again))[:5], sorted(set(again) - wanted)[:5]) == (len(wanted), [], [])


def told_later(office):
    """Keys of the rows that were told on the second day."""
    mails, _ = office.world.expect(office.world.rows)
    return {key for (address, _, _), keys in mails.items() if address == morning.FULL for key in keys}


@pytest.fixture(scope="module")
def relapsed(eighth_day):
    """Lists of three days have left some rows out, so that they are gone; then they are listed again."""
    office = eighth_day
    some = [next(row for n, row in enumerate(office.world.rows) if row.source == source and not is_gone(office, n, row)) for source in morning.SOURCES]
    for _ in range(2):
        office.shift(1)
        office.submit(office.world.files(some))
        office.worked()  # the keeper looks on each day: what was last seen two days ago is not said again
    office.daemon.psql("SELECT cirt.keeper_sweep(0, 1000000, 3)")
    office.gone = [row for n, row in enumerate(office.world.rows) if is_gone(office, n, row)]
    office.effect_gone = office.effect("gone_7")
    before = len(office.read())
    office.shift(1)
    office.submit(office.world.files(office.gone))
    office.worked()
    office.daemon.psql("SELECT cirt.keeper_sweep(0, 1000000, 3)")
    office.worked()
    office.let_go()
    office.gone_out()
    office.on_relapse = office.delivered(before)
    return office


def test_gone_is_counted_and_a_relapse_told_at_once(relapsed):
    """To the row, whatever interval runs."""
    office = relapsed
    told, later = office.told(), told_later(office)
    again = {row.key for row in office.gone} & told
    assert office.effect_gone == office.per_owner(again)
    causes = dict(office.rows("SELECT o.number, string_agg(DISTINCT d.cause::text, ' ') FROM disclosure d JOIN outbox o ON o.id = d.outbox GROUP BY 1"))
    found = {}
    for mail in office.on_relapse:
        if mail.recipient != morning.NO_KEY:
            found.setdefault(causes[mail.number], []).extend(mail.keys)
    # Of what was told on the second day, a week is over since.
    repeats = {row.key for row in office.world.rows if row.key in later and office.world.repeat(row) == 7}
    assert {cause: sorted(keys) for cause, keys in found.items()} == {"relapse": sorted(again), "repeat": sorted(repeats)}
    assert office.effect("relapsed") == office.per_owner(again) and office.effect("gone_7") == office.per_owner(again)
    # What stands open comes back as the report that it was; what somebody did or suffered is a new one, and is told as one.
    anew = {row.key for row in office.gone if row.key in again and not row.type.startswith(("scan_", "population_"))}
    assert anew
    for what, keys in (("seen", {row.key for row in office.world.rows}), ("warned", told)):
        assert office.effect(what) == collections.Counter(office.per_owner(keys)) + collections.Counter(office.per_owner(anew)), what


def test_nothing_above_its_tlp_was_in_any_mail_of_all_these_days(relapsed):
    check_bytes(relapsed)
    assert relapsed.daemon.cirt("audit", "verify") and relapsed.daemon.settle()["balanced"]
