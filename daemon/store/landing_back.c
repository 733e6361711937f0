#include "store/landing.h"

/*
 * What the keeper is to look at once it has landed: bounces, answers to mails of ours, and reports that may
 * be acknowledged. Only that: most of what lands is none of these, and costs no row.
 */

static struct str known(struct str text)
{
	return text.p ? text : STR("");
}

/* "N2026-000123" among the tags: the keeper sees whether there is such a mail. */
static bool has_number_of_ours(struct str tags)
{
	struct str tag;

	while (tags.len > 0 && str_split(&tags, '\n', &tag))
		if (tag.len >= 12 && tag.p[0] == 'N' && tag.p[5] == '-')
			return true;
	return false;
}

/* "report", or what it is as correspondence. */
static struct str kind_of(const struct landed *landed)
{
	return landed->is_report ? STR("report") : landed->subkind;
}

static bool is_wanted(
	const struct landing *landing, const struct landed *landed, struct str sealed, bool came_in)
{
	const struct letter *letter = &landed->item->letter;
	bool of_mail = (sealed.len > 0 && sealed.p[0] == 'N') || letter->replies.len > 0 ||
	               has_number_of_ours(letter->tags);

	if (str_equal(landed->subkind, STR("auto-reply")))
		return false;
	if (landed->is_report && landing->rules.acknowledge && came_in && !letter->machine && !landed->placed)
		return true;
	return of_mail;
}

void landing_encode_back(struct landing *landing, const struct landed *landed, struct str sender,
	struct str sealed, bool came_in)
{
	const struct letter *letter = &landed->item->letter;
	const struct entry *entry = &landed->ticket->entry;
	struct rows *rows = &landing->copies[COPY_BACK];
	struct buf *out = &rows->bytes;

	if (!is_wanted(landing, landed, sealed, came_in))
		return;
	rows_start(rows, 15);
	put_i64(out, landed->id);
	put_time(out, entry->received);
	put_i32(out, (int32_t)entry->source);
	put_i32(out, landed->key.exercise);
	put_text(out, kind_of(landed));
	put_bool(out, landed->placed && landed->placed->place == PLACE_NOTICE);
	put_text(out, known(sealed));
	put_text(out, known(sender));
	put_text(out, known(letter->id));
	put_text(out, known(letter->replies));
	put_text(out, arena_printf(landing->arena, STR_FMT "\n" STR_FMT, STR_ARG(landing->rules.tag),
			      STR_ARG(letter->tags)));
	put_text(out, known(letter->returned));
	put_text(out, known(letter->dmarc));
	put_bool(out, letter->machine);
	put_bool(out, came_in);
}
