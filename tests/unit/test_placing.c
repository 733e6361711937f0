#include "unit.h"

#include "landing_place.h"
#include "model/reply_seal.h"

/*
 * Where mails land: in a case, probably in one, with the spam, or as reports. Everything but what the mail
 * says comes from the envelope and the tables, as it does in the store.
 */
#define KEY STR("0123456789abcdef0123456789abcdef")

struct sent {
	uint64_t sequence;
	const char *from, *id, *replies, *tags, *spam;
	const char *to;       /* "report@cirt.example" */
	const char *door;     /* "lmtp" */
	const char *exercise; /* "" */
	uint32_t source;      /* 2: report */
	uint64_t rerun;
	const char *subkind;
};

/* Statements, each ended by ";", which none holds inside. */
static void act(struct fixture *f, const char *statements)
{
	struct str rest = str_of(statements), one;
	while (str_split(&rest, ';', &one)) {
		const char *answer = str_trim(one).len > 0 ? ask(f, arena_str(f->arena, one).p) : "";
		if (strlen(answer) > 6 && answer[5] == ':')
			fail_msg("%s", answer);
	}
}

static struct str or_(const char *text, const char *otherwise)
{
	return str_of(text ? text : otherwise);
}

static void rules(struct fixture *f, int64_t sender_limit, int64_t domain_limit)
{
	struct lander_settings settings = {.batch = 1000,
		.max_age = 31 * CLOCK_DAY,
		.max_late = 30 * CLOCK_DAY,
		.letters = {.key = KEY,
			.tag = STR("CIRT-XX"),
			.sender_limit = sender_limit,
			.domain_limit = domain_limit,
			.span = 3600 * CLOCK_SECOND}};
	lander_settle(f->lander, &settings);
}

static void fill(struct fixture *f, const struct sent *sent, struct holding_held *held, struct item *items)
{
	*held = held_of(f, sent->sequence, sent->source ? sent->source : 2, T0);
	held->entry.lane = LANE_PEOPLE;
	held->entry.format = FORMAT_MAIL;
	held->entry.exercise = or_(sent->exercise, "");
	held->entry.rerun = sent->rerun;
	held->entry.envelope = arena_printf(f->arena,
		"{\"door\":\"%s\",\"peer\":\"unix\",\"from\":\"%s\",\"to\":[\"%s\"]}",
		sent->door ? sent->door : "lmtp", sent->from, sent->to ? sent->to : "report@cirt.example");
	items[0] = (struct item){.kind = sent->subkind ? ITEM_CORRESPONDENCE : ITEM_REPORT,
		.part = STR("mail"),
		.report = report_of(sent->id ? sent->id : "k", T0),
		.subkind = or_(sent->subkind, ""),
		.letter = {.is_mail = true,
			.sender = str_of(sent->from),
			.id = or_(sent->id, ""),
			.replies = or_(sent->replies, ""),
			.tags = or_(sent->tags, ""),
			.spam = or_(sent->spam, "")}};
	items[0].report.text = STR("a text");
}

static void post(struct fixture *f, const struct sent *sent)
{
	struct holding_held held;
	struct item items[1];
	fill(f, sent, &held, items);
	land(f, &held, items, 1);
}

/* A case in which a@bank.example's mail one@bank.example is. */
static void first_case(struct fixture *f)
{
	clean(f);
	rules(f, 0, 0);
	act(f, "SET session_replication_role = replica; TRUNCATE cases, case_number CASCADE; "
	       "SET session_replication_role = origin");
	post(f, &(struct sent){.sequence = 1, .from = "a@bank.example", .id = "one@bank.example"});
	act(f, "INSERT INTO cases (title, state) VALUES ('wave', 'open'); "
	       "INSERT INTO case_report (report, case_id) SELECT r.id, c.id FROM report r, cases c");
}

#define NUMBER "(SELECT number FROM cases ORDER BY id LIMIT 1)"
#define KINDS                                                                               \
	"SELECT concat_ws(' ', sum(reports), sum(folded), sum(correspondence), sum(spam), " \
	"sum(quarantined)) FROM "                                                           \
	"ledger_day"

static const char *tag_of_first(struct fixture *f)
{
	return arena_printf(f->arena, "CIRT-XX %s\n", ask(f, "SELECT number FROM cases ORDER BY id LIMIT 1"))
	        .p;
}

static void test_answers_to_our_mails_are_correspondence(void **state)
{
	struct fixture *f = *state;
	first_case(f);
	post(f, &(struct sent){.sequence = 2,
			.from = "x@hoster.example",
			.id = "two@hoster.example",
			.replies = "unknown@x one@bank.example"});
	assert_sql(f, KINDS, "1 0 1 0 0");
	assert_sql(f, "SELECT concat_ws(' ', way, known, sender) FROM case_letter_queue",
		"reference f x@hoster.example");
	assert_sql(f, "SELECT subkind FROM item", "reply");
	/* And an answer to that answer, before the keeper had its turn and after it. */
	post(f, &(struct sent){.sequence = 3, .from = "y@hoster.example", .replies = "two@hoster.example"});
	assert_sql(f, "SELECT taken || ' ' || attached FROM keeper_letters(10)", "2 2");
	post(f, &(struct sent){.sequence = 4, .from = "z@hoster.example", .replies = "two@hoster.example"});
	assert_sql(f, KINDS, "1 0 3 0 0");
	assert_sql(f,
		"SELECT count(*) FROM journal WHERE object = 'case/' || " NUMBER
		" AND action LIKE 'mail from %'",
		"2");
	/* A stranger's mail to nothing that we know stays a report. */
	post(f, &(struct sent){
			.sequence = 5, .from = "z@hoster.example", .id = "five@z", .replies = "else@where"});
	assert_sql(f, KINDS, "2 0 3 0 0");
}

/* A mail of ours, N…: out, and told to soc@bank.example. */
static void mail_of_ours(struct fixture *f)
{
	clean(f);
	rules(f, 0, 0);
	act(f, "SET session_replication_role = replica; TRUNCATE outbox, letter_back CASCADE; "
	       "SET session_replication_role = origin; "
	       "INSERT INTO outbox (kind, state, recipient, address, message_id) VALUES ('notice', 'ready', "
	       "'affected', "
	       "'soc@bank.example', '<ours@cirt.example>'); "
	       "UPDATE outbox SET state = 'sent', sent = now()");
}

#define QUEUED                                                                                             \
	"SELECT coalesce(string_agg(concat_ws(' ', kind, placed, sealed <> '', machine, door), ',' ORDER " \
	"BY id), '') "                                                                                     \
	"FROM letter_back"

static void test_answers_to_notices_are_correspondence(void **state)
{
	struct fixture *f = *state;
	mail_of_ours(f);
	struct str number = arena_str(f->arena, str_of(ask(f, "SELECT number FROM outbox")));
	const char *tag = arena_printf(f->arena, STR_FMT "\n", STR_ARG(number)).p;
	const char *sealed = reply_address(KEY, STR("report@cirt.example"), number, f->arena).p;
	/* By its Message-ID, by its sealed address, by the number from whom it was told. */
	post(f, &(struct sent){
			.sequence = 1, .from = "x@y.example", .replies = "else@where ours@cirt.example"});
	post(f, &(struct sent){.sequence = 2, .from = "x@y.example", .to = sealed, .spam = "rspamd"});
	post(f, &(struct sent){.sequence = 3, .from = "soc@bank.example", .tags = tag, .spam = "rspamd"});
	assert_sql(f, KINDS, "0 0 3 0 0");
	assert_sql(f, "SELECT DISTINCT subkind FROM item", "reply");
	assert_sql(f, "SELECT count(*) FROM case_letter_queue", "0");
	/* A stranger's number is a report, for a person; so is what answers nothing of ours, and is not
	 * looked at. */
	post(f, &(struct sent){.sequence = 4, .from = "evil@stranger.example", .id = "four@s", .tags = tag});
	post(f, &(struct sent){.sequence = 5, .from = "evil@stranger.example", .id = "five@s"});
	assert_sql(f, KINDS, "2 0 3 0 0");
	/* Auto-replies say nothing; a bounce is looked at where it names something. */
	post(f, &(struct sent){.sequence = 6,
			.from = "soc@bank.example",
			.replies = "ours@cirt.example",
			.subkind = "auto-reply"});
	post(f, &(struct sent){.sequence = 7,
			.from = "mailer-daemon@bank.example",
			.to = sealed,
			.subkind = "bounce"});
	post(f, &(struct sent){.sequence = 8, .from = "mailer-daemon@bank.example", .subkind = "bounce"});
	assert_sql(f, QUEUED, "reply t f f t,reply t t f t,reply t f f t,report f f f t,bounce t t f t");
}

static void test_mail_of_a_drill_takes_its_answers_along(void **state)
{
	struct fixture *f = *state;
	mail_of_ours(f);
	act(f, "SET session_replication_role = replica; UPDATE outbox SET exercise = 7; SET "
	       "session_replication_role = origin; "
	       "INSERT INTO exercise (id, name) VALUES (7, 'blue') ON CONFLICT DO NOTHING");
	post(f, &(struct sent){.sequence = 1, .from = "x@y.example", .replies = "ours@cirt.example"});
	post(f, &(struct sent){
			.sequence = 2, .from = "x@y.example", .id = "real@y", .tags = "N2026-000001\n"});
	assert_sql(f, "SELECT string_agg(exercise::text || placed, ',' ORDER BY id) FROM letter_back",
		"7true,0false");
}

static void test_reports_are_queued_to_be_acknowledged_where_that_is_wished(void **state)
{
	struct fixture *f = *state;
	mail_of_ours(f);
	post(f, &(struct sent){.sequence = 1, .from = "a@y.example", .id = "one@y"});
	assert_sql(f, QUEUED, "");
	struct lander_settings settings = {.batch = 1000,
		.max_age = 31 * CLOCK_DAY,
		.max_late = 30 * CLOCK_DAY,
		.letters = {.key = KEY, .tag = STR("CIRT-XX"), .acknowledge = true}};
	lander_settle(f->lander, &settings);
	post(f, &(struct sent){.sequence = 2, .from = "a@y.example", .id = "two@y"});
	post(f, &(struct sent){.sequence = 3, .from = "a@y.example", .id = "three@y", .door = "submit"});
	post(f, &(struct sent){.sequence = 4, .from = "a@y.example", .id = "four@y", .rerun = 5});
	post(f, &(struct sent){.sequence = 5, .from = "a@y.example", .subkind = "bounce"});
	post(f, &(struct sent){.sequence = 6, .from = "a@y.example", .id = "six@y", .spam = "rspamd"});
	assert_sql(f, QUEUED, "report f f f t");
	rules(f, 0, 0);
}

static void test_forged_tag_posts_into_no_case(void **state)
{
	struct fixture *f = *state;
	first_case(f);
	post(f, &(struct sent){.sequence = 2,
			.from = "evil@stranger.example",
			.id = "two@x",
			.tags = tag_of_first(f)});
	assert_sql(f, KINDS, "2 0 0 0 0");
	assert_sql(f, "SELECT count(*) FROM case_letter_queue", "0");
	assert_sql(f,
		"SELECT g.way || ' ' || g.sender || ' ' || (g.case_id = c.id) || ' ' || (g.report = (SELECT "
		"max(id) FROM report)) "
		"FROM letter_guess g, cases c",
		"tag evil@stranger.example true true");
	/* The reporter's own, in capitals, is of the case; so is one of a party's organisation. */
	post(f, &(struct sent){
			.sequence = 3, .from = "A@Bank.Example", .id = "three@x", .tags = tag_of_first(f)});
	assert_sql(f, "SELECT concat_ws(' ', way, known, sender) FROM case_letter_queue",
		"tag t a@bank.example");
	act(f, "INSERT INTO organisation (name) VALUES ('Hospital'); "
	       "INSERT INTO organisation_domain (organisation, domain) SELECT id, 'hospital.example' FROM "
	       "organisation; "
	       "INSERT INTO party (case_id, role, organisation) SELECT c.id, 'affected', o.id FROM cases c, "
	       "organisation o");
	post(f, &(struct sent){.sequence = 4, .from = "it@mail.hospital.example", .tags = tag_of_first(f)});
	post(f, &(struct sent){.sequence = 5,
			.from = "it@nothospital.example",
			.id = "five@x",
			.tags = tag_of_first(f)});
	assert_sql(f, KINDS, "3 0 2 0 0");
	act(f, "DELETE FROM party; DELETE FROM organisation");
}

static void test_tags_of_others_are_not_ours(void **state)
{
	struct fixture *f = *state;
	const char *tags;
	first_case(f);
	tags = arena_printf(f->arena, "CIRT-YY %s\nTLP:AMBER\nBANK #5512\n", ask(f, "SELECT " NUMBER)).p;
	post(f, &(struct sent){.sequence = 2, .from = "a@bank.example", .id = "two@x", .tags = tags});
	assert_sql(f, KINDS, "2 0 0 0 0");
	assert_sql(f, "SELECT count(*) FROM letter_guess", "0");
	/* Their ticket, once the case has it, finds the case; what comes with our tag brings it there. */
	tags = arena_printf(f->arena, "cirt-xx %s\nTLP:AMBER\nBANK #5512\n", ask(f, "SELECT " NUMBER)).p;
	post(f, &(struct sent){.sequence = 3, .from = "a@bank.example", .id = "three@x", .tags = tags});
	act(f, "SELECT keeper_letters(10)");
	assert_sql(f, "SELECT string_agg(system || '/' || value, ' ') FROM reference", "BANK/5512");
	post(f, &(struct sent){
			.sequence = 4, .from = "a@bank.example", .id = "four@x", .tags = "BANK #5512\n"});
	assert_sql(f, "SELECT string_agg(way || ' ' || known, ',') FROM case_letter_queue", "ticket true");
	post(f, &(struct sent){
			.sequence = 5, .from = "o@stranger.example", .id = "five@x", .tags = "BANK #5512\n"});
	assert_sql(f, "SELECT string_agg(way || ' ' || sender, ',') FROM letter_guess",
		"ticket o@stranger.example");
}

static void test_sealed_address_is_proof(void **state)
{
	struct fixture *f = *state;
	first_case(f);
	struct str number = arena_str(f->arena, str_of(ask(f, "SELECT " NUMBER)));
	struct str sealed = reply_address(KEY, STR("case@cirt.example"), number, f->arena);
	struct str forged = reply_address(STR("wrong"), STR("case@cirt.example"), number, f->arena);
	post(f, &(struct sent){.sequence = 2,
			.from = "s@stranger.example",
			.id = "two@x",
			.to = sealed.p,
			.spam = "rspamd 99"});
	assert_sql(f, "SELECT concat_ws(' ', way, known) FROM case_letter_queue", "address f");
	/* Intake refuses it; were it to come all the same, it is of no case. */
	post(f, &(struct sent){.sequence = 3, .from = "s@stranger.example", .id = "three@x", .to = forged.p});
	assert_sql(f, KINDS, "2 0 1 0 0");
	/* A bounce of what we sent from there is of the case, and still a bounce. */
	post(f, &(struct sent){.sequence = 4,
			.from = "mailer-daemon@h.example",
			.to = sealed.p,
			.subkind = "bounce"});
	assert_sql(f, "SELECT string_agg(subkind, ' ' ORDER BY id) FROM item", "reply bounce");
}

static void test_threads_follow_merge_split_and_closing(void **state)
{
	struct fixture *f = *state;
	first_case(f);
	act(f, "INSERT INTO cases (title, state) VALUES ('other', 'open')");
	act(f, "SELECT case_merge(" NUMBER ", (SELECT max(number) FROM cases), '')");
	post(f, &(struct sent){.sequence = 2,
			.from = "a@bank.example",
			.id = "two@x",
			.replies = "one@bank.example"});
	post(f, &(struct sent){
			.sequence = 3, .from = "a@bank.example", .id = "three@x", .tags = tag_of_first(f)});
	act(f, "SELECT keeper_letters(10)");
	assert_sql(f, "SELECT string_agg(title, ' ') FROM case_letter l JOIN cases c ON c.id = l.case_id",
		"other other");
	/* Split off again: an answer to the report that went goes with it. */
	act(f, "SELECT case_unmerge(" NUMBER ", '')");
	post(f, &(struct sent){.sequence = 4,
			.from = "a@bank.example",
			.id = "four@x",
			.replies = "one@bank.example"});
	act(f, "SELECT keeper_letters(10)");
	assert_sql(f,
		"SELECT title FROM case_letter l JOIN cases c ON c.id = l.case_id ORDER BY item DESC LIMIT 1",
		"wave");
	act(f, "SELECT case_move(" NUMBER ", 'closed', '', 'resolved')");
	post(f, &(struct sent){.sequence = 5,
			.from = "a@bank.example",
			.id = "five@x",
			.replies = "one@bank.example"});
	act(f, "SELECT keeper_letters(10)");
	assert_sql(f,
		"SELECT count(*) FROM case_letter l JOIN cases c ON c.id = l.case_id WHERE state = 'closed' "
		"AND seen IS NULL",
		"2");
	assert_sql(f,
		"SELECT action FROM journal WHERE object = 'case/' || " NUMBER " ORDER BY n DESC LIMIT 1",
		"mail from a@bank.example by reference, to a case that is closed");
}

static void test_drills_stay_drills(void **state)
{
	struct fixture *f = *state;
	first_case(f);
	act(f, "INSERT INTO exercise (id, name) VALUES (7, 'blue') ON CONFLICT DO NOTHING; "
	       "INSERT INTO cases (title, state, exercise) VALUES ('drill', 'open', 7)");
	reload(f);
	struct str real = arena_str(f->arena, str_of(ask(f, "SELECT " NUMBER)));
	struct str drill = arena_str(f->arena, str_of(ask(f, "SELECT max(number) FROM cases")));
	/* The drill's mail never comes into a real case, not even by its address. */
	post(f, &(struct sent){.sequence = 2,
			.from = "p@x",
			.id = "two@x",
			.exercise = "blue",
			.to = reply_address(KEY, STR("case@cirt.example"), real, f->arena).p});
	assert_sql(f, "SELECT count(*) FROM case_letter_queue", "0");
	assert_sql(f, "SELECT count(*) FROM report WHERE exercise = 7", "1");
	/* A real one to the drill's sealed address is the drill's, ledger and all; one with its tag is not.
	 */
	post(f, &(struct sent){.sequence = 3,
			.from = "q@x",
			.id = "three@x",
			.to = reply_address(KEY, STR("case@cirt.example"), drill, f->arena).p});
	assert_sql(f,
		"SELECT i.exercise || ' ' || l.exercise FROM item i JOIN ledger l ON l.sequence = i.sequence",
		"7 7");
	post(f, &(struct sent){.sequence = 4,
			.from = "q@y",
			.id = "four@x",
			.tags = arena_printf(f->arena, "CIRT-XX " STR_FMT "\n", STR_ARG(drill)).p});
	assert_sql(f, "SELECT count(*) FROM report WHERE exercise = 0", "2");
	assert_sql(f, "SELECT count(*) FROM letter_guess", "0");
}

static void test_verdicts_lists_and_who_they_spare(void **state)
{
	struct fixture *f = *state;
	first_case(f);
	post(f, &(struct sent){
			.sequence = 2, .from = "s@shop.example", .id = "two@x", .spam = "rspamd 17.4 of 15"});
	assert_sql(f, "SELECT concat_ws(' ', sender, reason, items) FROM spam",
		"s@shop.example rspamd 17.4 of 15 1");
	assert_sql(f, KINDS, "1 0 0 1 0");
	/* Where spam is what people are to send (phish@), and of whom the case knows, it says nothing. */
	post(f, &(struct sent){.sequence = 3,
			.from = "c@citizen.example",
			.id = "three@x",
			.spam = "rspamd",
			.source = 3});
	post(f, &(struct sent){.sequence = 4,
			.from = "a@bank.example",
			.id = "four@x",
			.spam = "rspamd",
			.replies = "one@bank.example"});
	assert_sql(f, KINDS, "2 0 1 1 0");
	/* An answer by reference from somebody whom the case does not know may be spam. */
	post(f, &(struct sent){.sequence = 5,
			.from = "n@new.example",
			.id = "five@x",
			.spam = "rspamd",
			.replies = "one@bank.example"});
	assert_sql(f, KINDS, "2 0 1 2 0");
	act(f, "INSERT INTO spam_sender (pattern, allow) VALUES ('@shop.example', true), ('@bad.example', "
	       "false), "
	       "('good@bad.example', true)");
	post(f, &(struct sent){
			.sequence = 6, .from = "x@mail.shop.example", .id = "six@x", .spam = "rspamd"});
	post(f, &(struct sent){.sequence = 7, .from = "x@sub.bad.example", .id = "seven@x", .source = 3});
	post(f, &(struct sent){.sequence = 8, .from = "GOOD@bad.example", .id = "eight@x"});
	post(f, &(struct sent){.sequence = 9, .from = "x@notbad.example", .id = "nine@x"});
	assert_sql(f, KINDS, "5 0 1 3 0");
	assert_sql(f, "SELECT reason FROM spam ORDER BY id DESC LIMIT 1", "sender denied");
	/* What a person has released is spam no more. */
	act(f, "INSERT INTO quarantine (id, day, spool, sequence, received, source, exercise, format, state, "
	       "stage, reason, size, bytes) "
	       "OVERRIDING SYSTEM VALUE VALUES (900, '2026-11-18', gen_random_uuid(), 1, now(), 2, 0, "
	       "'mail', 'released', 'x', 'x', 1, 'x')");
	post(f, &(struct sent){.sequence = 10,
			.from = "x@sub.bad.example",
			.id = "ten@x",
			.spam = "rspamd",
			.rerun = 900});
	assert_sql(f, "SELECT count(*) FROM report", "6");
}

static void test_volume(void **state)
{
	struct fixture *f = *state;
	struct holding_held held;
	struct item items[1];
	struct finding finding = {.items = items, .item_count = 1};
	first_case(f);
	rules(f, 3, 5);
	/* All in one batch: the first three of a sender are none. */
	size_t target = f->released + 5;
	for (unsigned i = 0; i < 5; i++) {
		struct sent sent = {.sequence = 10 + i,
			.from = "news@bulk.example",
			.id = arena_printf(f->arena, "m%u@bulk", i).p};
		fill(f, &sent, &held, items);
		land_finding(f, &held, &finding);
	}
	lander_kick(f->lander);
	turn(f, &f->released, target);
	assert_sql(f, KINDS, "4 0 0 2 0");
	assert_sql(f, "SELECT min(reason) FROM spam",
		"more than 3 mails of sender news@bulk.example in 01:00:00");
	/* One more sender of the domain is over its limit; phish@ takes all; an import, a drill are not
	 * counted. */
	post(f, &(struct sent){.sequence = 20, .from = "other@bulk.example", .id = "20@bulk"});
	assert_sql(f, KINDS, "4 0 0 3 0");
	for (unsigned i = 0; i < 6; i++) {
		const char *id = arena_printf(f->arena, "p%u@bulk", i).p;
		post(f, &(struct sent){
				.sequence = 30 + i, .from = "c@citizen.example", .id = id, .source = 3});
		post(f, &(struct sent){.sequence = 40 + i,
				.from = "i@import.example",
				.id = arena_printf(f->arena, "i%s", id).p,
				.door = "submit"});
	}
	assert_sql(f, KINDS, "16 0 0 3 0");
	assert_sql(f, "SELECT string_agg(key || '=' || count, ' ' ORDER BY key) FROM spam_volume",
		"domain bulk.example=6 domain citizen.example=6 sender c@citizen.example=6 sender "
		"news@bulk.example=5 "
		"sender other@bulk.example=1");
	rules(f, 0, 0);
}

static void test_spam_expires_and_is_rescued_with_books_that_balance(void **state)
{
	struct fixture *f = *state;
	struct holding_held held;
	struct item items[2];
	first_case(f);
	/* What could not be read of a spam mail is spam with it, and its file is in it. */
	for (unsigned i = 0; i < 2; i++) {
		struct sent sent = {
			.sequence = 2 + i, .from = "s@shop.example", .id = "s@x", .spam = "rspamd"};
		struct evidence evidence = {.name = STR("message.eml"),
			.media_type = STR("message/rfc822"),
			.bytes = STR("whole")};
		struct finding finding = {
			.items = items, .item_count = 2, .evidence = &evidence, .evidence_count = 1};
		size_t target = f->released + 1;
		fill(f, &sent, &held, items);
		sha256(evidence.bytes, evidence.digest);
		memcpy(held.entry.digest, evidence.digest, SHA256_LEN);
		items[1] = (struct item){.kind = ITEM_QUARANTINED,
			.number = 1,
			.part = STR("part 2"),
			.reason = STR("x"),
			.stage = STR("mime"),
			.bytes = STR("b")};
		land_finding(f, &held, &finding);
		lander_kick(f->lander);
		turn(f, &f->released, target);
	}
	assert_sql(f, KINDS, "1 0 0 4 0");
	assert_sql(f,
		"SELECT concat_ws(' ', (SELECT count(*) FROM quarantine WHERE sequence IN (2, 3)), (SELECT "
		"count(*) FROM attachment),"
		" (SELECT count(*) FROM item), (SELECT string_agg(items || convert_from(bytes, 'UTF8'), ',') "
		"FROM spam))",
		"0 0 4 2whole,2whole");
	/* Rescued: it is as if it had been in quarantine, the same row however often it is asked for. */
	act(f, "CREATE TABLE IF NOT EXISTS public.rescued AS SELECT spam_rescue(min(id), 'ham') AS id FROM "
	       "spam");
	assert_sql(f, "SELECT (spam_rescue((SELECT min(id) FROM spam), '') = id)::text FROM public.rescued",
		"true");
	assert_sql(f,
		"SELECT concat_ws(' ', sum(entries_processed), sum(entries_quarantined), sum(found), "
		"sum(spam)) FROM ledger_day",
		"2 1 3 2");
	uint64_t rerun = strtoull(ask(f, "SELECT id FROM public.rescued"), NULL, 10);
	post(f, &(struct sent){.sequence = 9,
			.from = "s@shop.example",
			.id = "s@x",
			.spam = "rspamd",
			.rerun = rerun});
	assert_sql(f,
		"SELECT concat_ws(' ', sum(entries_processed), sum(entries_quarantined), sum(found), "
		"sum(reports), sum(spam)) "
		"FROM ledger_day",
		"3 0 4 2 2");
	assert_sql(f, "SELECT string_agg(act, ' ' ORDER BY id) FROM ledger_act", "rescue rerun");
	assert_sql(f, "SELECT state FROM quarantine WHERE id = (SELECT id FROM public.rescued)", "processed");
	/* The other one's time is over: spam = live + expired, and the rescued one is of neither. */
	assert_sql(f, "SELECT keeper_spam('1000 years', 10)", "0");
	assert_sql(f, "SELECT keeper_spam('-1000 days', 10)", "2");
	assert_sql(f,
		"SELECT concat_ws(' ', sum(spam), sum(spam_expired), (SELECT count(*) FROM item), (SELECT "
		"count(*) FROM spam)) "
		"FROM ledger_day",
		"2 2 0 0");
	act(f, "DROP TABLE public.rescued");
}

/* One row a batch, of what is somebody's or a machine's elsewhere; a sensor's line and a person's mail leave
 * none. */
static void test_new_reports_wait_for_a_notice(void **state)
{
	static struct observable address[] = {{OBSERVABLE_IP, OBSERVED_SOURCE, STR("198.51.100.7")}};
	static const struct {
		uint32_t source;
		const char *country;
		const char *doc;
	} cases[] = {
		{155, "", "a"},   /* a sensor's, nowhere */
		{155, "AT", "a"}, /* a sensor's */
		{156, "", "a"},   /* a feed's */
		{2, "AT", ""},    /* a person's mail */
		{2, "AT", "a"},   /* a machine's mail */
		{1, "AT", ""},    /* a person's mail, by hand */
	};
	struct fixture *f = *state;
	clean(f);
	ask(f, "TRUNCATE notice_arrival");
	ask(f, "INSERT INTO source (id, name, kind) VALUES (155, 'wire', "
	       "'sensor'), (156, 'rows', "
	       "'feed') ON CONFLICT DO NOTHING");
	reload(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct item items[2];
		size_t count = 0;
		char keys[2][16];
		for (size_t j = 0; j < ARRAY_LEN(keys); j++) {
			snprintf(keys[j], sizeof keys[j], "warn-%zu-%zu", i, j);
			struct report *report = &item_of(items, &count, keys[j], T0)->report;
			report->observables = address;
			report->observable_count = 1;
			report->country = str_of(cases[i].country);
			report->doc = str_of(cases[i].doc);
		}
		struct holding_held held = held_of(f, i + 1, cases[i].source, T0);
		land(f, &held, items, count);
		/* Seen again, it waits no second time. */
		held = held_of(f, i + 101, cases[i].source, T0);
		land(f, &held, items, count);
	}
	assert_sql(f,
		"SELECT string_agg((SELECT string_agg(r.rule_key, ' ' ORDER BY r.id) FROM report r WHERE "
		"r.id = ANY "
		"(a.reports)), ', ' ORDER BY a.id) FROM notice_arrival a",
		"warn-1-0 warn-1-1, warn-2-0 warn-2-1, warn-4-0 warn-4-1");
}

/* A reply that lands before the mail that it answers, or before that one's case, gets into the case; where it
 * has one, or somebody took it out, it is a guess. In every case it stays a report. */
static void test_a_reply_that_came_first_finds_its_case(void **state)
{
	struct fixture *f = *state;
	clean(f);
	rules(f, 0, 0);
	act(f, "SET session_replication_role = replica; TRUNCATE cases, case_number CASCADE; TRUNCATE "
	       "letter_waiting; "
	       "SET session_replication_role = origin");
	post(f, &(struct sent){.sequence = 1,
			.from = "x@hoster.example",
			.id = "two@hoster.example",
			.replies = "one@bank.example nothing@x"});
	post(f, &(struct sent){.sequence = 2,
			.from = "y@hoster.example",
			.id = "three@hoster.example",
			.replies = "one@bank.example"});
	post(f, &(struct sent){.sequence = 3, .from = "a@bank.example", .id = "one@bank.example"});
	assert_sql(f, KINDS, "3 0 0 0 0");
	act(f, "UPDATE letter_waiting SET due = now()");
	assert_sql(f, "SELECT taken || ' ' || attached FROM keeper_late_letters(10)", "3 0");
	assert_sql(f, "SELECT count(*) FROM letter_waiting WHERE due > now()", "3");
	act(f, "INSERT INTO cases (title, state) VALUES ('wave', 'open'), ('own', 'open'); "
	       "INSERT INTO case_report (report, case_id) SELECT l.mail, c.id FROM letter l, cases c "
	       "WHERE (l.message_id = 'one@bank.example' AND c.title = 'wave') "
	       "OR (l.message_id = 'three@hoster.example' AND c.title = 'own'); "
	       "UPDATE letter_waiting SET due = now()");
	assert_sql(f, "SELECT taken || ' ' || attached FROM keeper_late_letters(10)", "3 1");
	assert_sql(f, "SELECT count(*) FROM letter_waiting", "0");
	assert_sql(f,
		"SELECT string_agg(l.message_id, ' ' ORDER BY l.mail) FROM case_report r JOIN cases c ON "
		"c.id = "
		"r.case_id JOIN letter l ON l.mail = r.report WHERE c.title = 'wave'",
		"two@hoster.example one@bank.example");
	assert_sql(f,
		"SELECT concat_ws(' ', l.message_id, c.title, g.way, g.sender) FROM letter_guess g JOIN "
		"cases c "
		"ON c.id = g.case_id JOIN letter l ON l.mail = g.report",
		"three@hoster.example wave reference y@hoster.example");
	assert_sql(f, "SELECT count(*) FROM journal WHERE action LIKE 'report % answers a mail of it'", "1");
	assert_sql(f, KINDS, "3 0 0 0 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_answers_to_our_mails_are_correspondence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_answers_to_notices_are_correspondence, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_mail_of_a_drill_takes_its_answers_along, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_reports_are_queued_to_be_acknowledged_where_that_is_wished, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged_tag_posts_into_no_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tags_of_others_are_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sealed_address_is_proof, setup, teardown),
		cmocka_unit_test_setup_teardown(test_threads_follow_merge_split_and_closing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drills_stay_drills, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verdicts_lists_and_who_they_spare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_volume, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_spam_expires_and_is_rescued_with_books_that_balance, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_reports_wait_for_a_notice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_reply_that_came_first_finds_its_case, setup, teardown),
	};
	return cmocka_run_group_tests_name("placing", tests, NULL, NULL);
}
