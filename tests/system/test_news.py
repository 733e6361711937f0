"""What an operator has not seen yet of the cases that he has or watches: `today`, `case list --news`, and what `case show` takes away."""
import re
import subprocess

import pytest

from harness import wait_for
from test_operators import Desk
from test_people_mail import letter


@pytest.fixture(scope="module")
def desk(programs, certificates):
    desk = Desk(programs, certificates, reply={"tag": "CIRT-XX", "acknowledge": False})
    yield desk
    desk.remove()


def news(desk, who):
    """Its line in `cirt today`, and the numbers that `case list --news` has."""
    shown = [line for line in desk.run(who, "today").stdout.splitlines() if line.startswith(" NEWS")]
    return shown[0] if shown else "", {one["number"]: one["news"] for one in desk.ask(who, "case", "list", "--news")["items"]}


def test_who_watches_a_case_learns_what_others_did_until_he_looks(desk):
    number = desk.case("bank wave")
    desk.ask("ben", "case", "take", number)
    desk.ask("anna", "case", "watch", number)
    assert news(desk, "anna") == ("", {}) and news(desk, "ben") == ("", {})
    desk.ask("tom", "case", "note", number, "the bank has called")
    desk.ask("tom", "task", "new", number, "call them back")
    desk.ask("anna", "case", "set", number, "--severity", "high")
    line, listed = news(desk, "anna")
    assert re.match(rf" NEWS +1  {number} bank wave: 2 by tom, today \d\d:\d\d +cirt case list --news", line), line
    assert listed == {number: 2} and news(desk, "ben")[1] == {number: 3}, "the assignee hears of both"
    assert {one["number"]: one["news"] for one in desk.ask("anna", "case", "list", "--watching")["items"]} == {number: 2}
    assert re.search(r"NEWS", desk.run("anna", "case", "list", "--watching").stdout)
    shown = desk.run("anna", "case", "show", number).stdout
    assert re.search(r"^news +2 by tom, today", shown, re.M), shown
    assert news(desk, "anna") == ("", {}) and "news " not in desk.run("anna", "case", "show", number).stdout
    assert news(desk, "ben")[1] == {number: 3}, "that she has looked is nothing to him"


def test_a_mail_and_a_report_that_come_are_news_and_a_closed_case_has_them_too(desk):
    desk.daemon.send_mail(letter("Lorikeet page", "it@lorikeet.example", "lorikeet-1@lorikeet.example", text="See http://lorikeet.example.net/a"))
    number = wait_for(lambda: desk.daemon.psql("SELECT number FROM cirt.cases WHERE title ILIKE '%lorikeet%'"), 30, "the case")[0][0]
    desk.ask("anna", "case", "take", number)
    desk.ask("ben", "case", "close", number, "--outcome", "unclear", "--text", "nothing")
    desk.daemon.send_mail(letter("Re: Lorikeet page", "it@lorikeet.example", "lorikeet-2@lorikeet.example",
                                 References="<lorikeet-1@lorikeet.example>", text="It is back."))
    wait_for(lambda: "1 mail" in news(desk, "anna")[0], 30, "the mail")
    line, listed = news(desk, "anna")
    assert re.search(rf"{number} Lorikeet page: \d+ by ben .*1 mail", line) and set(listed) == {number}, line
    desk.ask("anna", "case", "read", number)
    assert news(desk, "anna") == ("", {}), "who has read its mails has looked"


def test_a_case_that_is_hidden_again_is_no_news_to_who_may_not_see_it(desk):
    number = desk.case("a leak of the mint")
    desk.ask("tom", "case", "watch", number)
    desk.ask("ben", "case", "note", number, "a word")
    assert news(desk, "tom")[1] == {number: 1}
    desk.ask("ben", "case", "set", number, "--tlp", "red")
    line, listed = news(desk, "tom")
    assert number not in line and listed == {}


def test_what_is_given_and_what_is_taken_is_told(desk):
    number = desk.case("given away")
    desk.ask("lea", "case", "take", number, "--for", "tom")
    assert news(desk, "tom")[1].get(number) == 1
    desk.ask("tom", "case", "show", number)
    desk.ask("lea", "case", "take", number)
    assert news(desk, "tom")[1].get(number) == 1, "and that it is his no more"
    desk.ask("tom", "case", "show", number)
    desk.ask("ben", "case", "note", number, "on it")
    assert number not in news(desk, "tom")[1]


def test_news_of_a_case_wait_for_nobody_who_has_it_in_hand(desk):
    """Who changes a case locks it, and its journal then; the courier and the keeper write the journal alone, and must not want the case then."""
    number = desk.case("in hand")
    desk.ask("anna", "case", "watch", number)
    hand = subprocess.Popen(desk.daemon.command("psql", "-X", "-q", "-A", "-t"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                            env=desk.daemon.environment())
    try:
        hand.stdin.write(f"BEGIN; SELECT number FROM cirt.cases WHERE number = '{number}' FOR UPDATE;\n")
        hand.stdin.flush()
        assert hand.stdout.readline().strip() == number
        desk.daemon.psql(f"SET statement_timeout = '10s'; SELECT cirt.journal_add('case/{number}', 'evidence exported', NULL, NULL)")
        assert news(desk, "anna")[1] == {number: 1}
    finally:
        hand.communicate("ROLLBACK;\n", timeout=30)
