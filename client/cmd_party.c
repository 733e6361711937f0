#include "config.h"

#include "base/mem.h"
#include "client/command.h"
#include "client/i18n.h"

/* What stands in a case: notes, parties, what it is called elsewhere, tags, the course of the incident. */

static const struct column note_columns[] = {
	{"id", N_("note"), CELL_NUMBER, false},
	{"case", N_("case"), CELL_TEXT, false},
	{"actor", N_("by"), CELL_TEXT, false},
	{"at", N_("at"), CELL_TIME, false},
	{"pinned", N_("pinned"), CELL_FLAG, false},
	{"unsaid", N_("not to be told on"), CELL_FLAG, false},
	{"edited", N_("edited"), CELL_TIME, false},
	{"edited_by", N_("edited by"), CELL_TEXT, false},
	{"erased", N_("erased"), CELL_TIME, false},
	{"erased_by", N_("erased by"), CELL_TEXT, false},
	{"digest", N_("digest"), CELL_TEXT, false},
};

static const struct column party_columns[] = {
	{"id", N_("ID"), CELL_NUMBER, false},
	{"role", N_("PART"), CELL_TEXT, false},
	{"organisation", N_("ORGANISATION"), CELL_TEXT, true},
	{"name", N_("NAME"), CELL_TEXT, true},
	{"contact", N_("CONTACT"), CELL_TEXT, true},
	{"language", N_("LANGUAGE"), CELL_TEXT, false},
	{"refs", N_("REF"), CELL_LIST, true},
	{"note", N_("NOTE"), CELL_TEXT, true},
	{"case", N_("CASE"), CELL_TEXT, false},
};

static const struct column ref_columns[] = {
	{"case", N_("CASE"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"system", N_("SYSTEM"), CELL_TEXT, true},
	{"value", N_("REFERENCE"), CELL_TEXT, true},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column tag_columns[] = {
	{"name", N_("TAG"), CELL_TEXT, false},
	{"meaning", N_("MEANING"), CELL_TEXT, true},
	{"retired", N_("RETIRED"), CELL_AGO, false},
};

static const struct column exercise_columns[] = {
	{"name", N_("EXERCISE"), CELL_TEXT, false},
	{"state", N_("STATE"), CELL_TEXT, false},
	{"from", N_("FROM"), CELL_TIME, false},
	{"until", N_("UNTIL"), CELL_TIME, false},
	{"directory", N_("MAY BE WRITTEN TO"), CELL_LIST, true},
	{"sources", N_("SOURCES"), CELL_LIST, true},
	{"title", N_("TITLE"), CELL_TEXT, true},
};

static const struct column event_columns[] = {
	{"id", N_("EVENT"), CELL_NUMBER, false},
	{"at", N_("WHEN"), CELL_TIME, false},
	{"about", N_("ABOUT"), CELL_FLAG, false},
	{"until", N_("UNTIL"), CELL_TIME, false},
	{"text", N_("WHAT"), CELL_TEXT, true},
	{"told_by", N_("SAYS"), CELL_TEXT, true},
	{"case", N_("CASE"), CELL_TEXT, false},
};

static void note_show(struct call *call, struct json_object *result)
{
	struct json_object *revisions = member_of(result, "revisions");
	size_t count = revisions ? json_object_array_length(revisions) : 0;

	screen_object(&call->screen, note_columns, ARRAY_LEN(note_columns), result);
	screen_printf(&call->screen, "\n");
	screen_block(&call->screen, 2, str_of(member_text(result, "text")));
	for (size_t i = count; i > 0; i--) {
		struct json_object *was = json_object_array_get_idx(revisions, i - 1);
		struct buf head = {0};
		buf_printf(&head, "\n%s ", _("before, since"));
		screen_value(&call->screen, member_of(was, "at"), CELL_TIME, &head);
		buf_text(&head, ", ");
		screen_cell(str_of(member_text(was, "actor")), &head);
		screen_heading(&call->screen, buf_cstr(&head));
		screen_block(&call->screen, 2, str_of(member_text(was, "text")));
		buf_free(&head);
	}
}

static void note_changed(struct call *call, struct json_object *result)
{
	screen_object(&call->screen, note_columns, ARRAY_LEN(note_columns), result);
}

/* The second person has still to say yes, or the glass was broken. */
static void note_erased(struct call *call, struct json_object *result)
{
	struct json_object *approval = member_of(result, "approval");

	if (member_true(result, "waits"))
		screen_printf(&call->screen,
			_("Two people have to want that. The second says: cirt approve give %s\n"),
			member_text(approval, "approval"));
	else
		note_changed(call, result);
}

static void party_list(struct call *call, struct json_object *result)
{
	call_page(call, party_columns, ARRAY_LEN(party_columns), result, _("Nobody yet: cirt party add"));
}

static void party_show(struct call *call, struct json_object *result)
{
	call_row(call, party_columns, ARRAY_LEN(party_columns), result);
}

static void ref_list(struct call *call, struct json_object *result)
{
	call_page(call, ref_columns, ARRAY_LEN(ref_columns), result, _("No case is called that."));
}

static void ref_show(struct call *call, struct json_object *result)
{
	call_row(call, ref_columns, ARRAY_LEN(ref_columns), result);
}

static void tag_list(struct call *call, struct json_object *result)
{
	call_page(call, tag_columns, ARRAY_LEN(tag_columns), result, _("No tags: cirt tag new NAME"));
}

static void tag_show(struct call *call, struct json_object *result)
{
	call_row(call, tag_columns, ARRAY_LEN(tag_columns), result);
}

static void exercise_list(struct call *call, struct json_object *result)
{
	call_page(call, exercise_columns, ARRAY_LEN(exercise_columns), result,
		_("No drill: cirt exercise open NAME --add ADDRESSES"));
}

static void exercise_show(struct call *call, struct json_object *result)
{
	call_row(call, exercise_columns, ARRAY_LEN(exercise_columns), result);
}

static void event_list(struct call *call, struct json_object *result)
{
	call_page(call, event_columns, ARRAY_LEN(event_columns), result,
		_("Nothing is known yet: cirt event add NUMBER TEXT --at WHEN"));
}

static void event_show(struct call *call, struct json_object *result)
{
	call_row(call, event_columns, ARRAY_LEN(event_columns), result);
}

const struct command party_commands[] = {
	{"note.show", note_show, NULL},
	{"note.edit", note_changed, case_note},
	{"note.pin", note_changed, NULL},
	{"note.unpin", note_changed, NULL},
	{"note.erase", note_erased, NULL},
	{"party.list", party_list, NULL},
	{"party.add", party_show, NULL},
	{"party.set", party_show, NULL},
	{"party.remove", party_show, NULL},
	{"ref.add", ref_show, NULL},
	{"ref.remove", ref_show, NULL},
	{"ref.find", ref_list, NULL},
	{"tag.list", tag_list, NULL},
	{"tag.new", tag_show, NULL},
	{"tag.set", tag_show, NULL},
	{"exercise.list", exercise_list, NULL},
	{"exercise.show", exercise_show, NULL},
	{"exercise.open", exercise_show, NULL},
	{"exercise.set", exercise_show, NULL},
	{"exercise.close", exercise_show, NULL},
	{"event.list", event_list, NULL},
	{"event.add", event_show, NULL},
	{"event.set", event_show, NULL},
	{"event.remove", event_show, NULL},
	{NULL, NULL, NULL},
};
