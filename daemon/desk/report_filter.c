#include "config.h"

#include "base/clock.h"
#include "desk/report.h"
#include "model/severity.h"

bool report_id_parse(struct str text, int64_t *id)
{
	struct str rest = str_trim(text), month, number;
	int64_t yyyymm, n;

	if (!memchr(rest.p ? rest.p : "", '-', rest.len))
		return str_to_i64(rest, id) && *id > INT64_C(1970010000000000);
	if (!str_split(&rest, '-', &month) || !str_split(&rest, '-', &number) || rest.p)
		return false;
	if (month.len != 6 || !str_to_i64(month, &yyyymm) || !str_to_i64(number, &n) || n < 1 ||
		n >= INT64_C(10000000000) || yyyymm % 100 < 1 || yyyymm % 100 > 12)
		return false;
	*id = yyyymm * INT64_C(10000000000) + n;
	return true;
}

bool report_named(struct request *request, const char *member, int64_t *id)
{
	struct str text;

	if (!request_needs(request, member, &text))
		return false;
	if (report_id_parse(text, id))
		return true;
	request_refuse(request, RPC_INVALID_PARAMS, "a report's id reads as 202611-123, not \"" STR_FMT "\"",
		STR_ARG(utf8_cut(text, 60)));
	return false;
}

static bool is_state(struct str state)
{
	static const char *const states[] = {"new", "linked", "noticed", "answered", "rejected"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (str_equal(state, str_of(states[i])))
			return true;
	return false;
}

static bool is_country(struct str country)
{
	bool letters = country.len == 2;

	for (size_t i = 0; i < country.len && letters; i++)
		letters = (country.p[i] | 32) >= 'a' && (country.p[i] | 32) <= 'z';
	return letters;
}

/* NULL, or what was expected. */
static const char *check_filter(struct report_filter *filter, struct str severity)
{
	enum rsit_type type;
	int64_t time;
	int value;

	if (filter->since.p && !clock_parse(filter->since, &time))
		return "since: expected a time as in RFC 3339";
	if (filter->state.p && !is_state(filter->state))
		return "state: expected new, linked, noticed, answered or rejected";
	if (filter->country.p && !is_country(filter->country))
		return "country: expected two letters, such as AT";
	if (filter->type.p && !rsit_parse(filter->type, &type))
		return "type: expected an RSIT type, such as phishing";
	if (filter->type.p)
		filter->type = str_of(rsit_name(type));
	if (severity.p && (!severity_parse(severity, &value) || value < 0))
		return "severity: expected info, low, medium, high or critical";
	if (severity.p)
		filter->severity = (int64_t)value / 20 * 20; /* the word's lower end */
	return NULL;
}

bool report_filter_read(struct request *request, struct report_filter *filter)
{
	struct str severity = STR_NONE;
	const char *wrong;

	*filter = (struct report_filter){.severity = -1};
	if (!request_page(request, &filter->limit, &filter->cursor) ||
		!request_text(request, "source", &filter->source) ||
		!request_text(request, "since", &filter->since) ||
		!request_text(request, "type", &filter->type) ||
		!request_text(request, "state", &filter->state) ||
		!request_text(request, "identifier", &filter->identifier) ||
		!request_text(request, "org", &filter->org) ||
		!request_text(request, "country", &filter->country) ||
		!request_text(request, "severity", &severity))
		return false;
	wrong = check_filter(filter, severity);
	if (wrong)
		request_refuse(request, RPC_INVALID_PARAMS, "%s", wrong);
	return !wrong;
}

void report_filter_resolve(struct request *request, request_rows_fn *next)
{
	const struct report_filter *filter = request->state;
	struct query query;

	query_start(&query, request->arena,
		"SELECT (SELECT id FROM source WHERE name = $?), coalesce(report_since($?::timestamptz), 0),"
		" coalesce((SELECT id FROM report ORDER BY id DESC LIMIT 1), 0),"
		" CASE WHEN $?::text IS NULL OR $? = '-' THEN 0 ELSE org_named($?) END");
	query_str(&query, filter->source);
	query_str(&query, filter->since);
	query_str(&query, filter->org);
	query_str(&query, filter->org);
	query_str(&query, filter->org);
	request_query(request, &query, next);
}

bool report_filter_take(struct request *request, const struct pg_result *result, struct report_filter *filter)
{
	if (filter->source.p && !pg_value(result, 0, 0).p) {
		request_refuse(request, RPC_NOT_FOUND, "there is no source \"" STR_FMT "\"",
			STR_ARG(utf8_cut(filter->source, 64)));
		return false;
	}
	filter->org_id = pg_value_int(result, 0, 3);
	filter->source_id = filter->source.p ? pg_value_int(result, 0, 0) : 0;
	filter->least = pg_value_int(result, 0, 1);
	int64_t newest = pg_value_int(result, 0, 2);
	if (filter->cursor > newest)
		filter->cursor = newest + 1;
	return true;
}

void report_filter_whose(const struct report_filter *filter, const char *columns, struct query *query)
{
	if (filter->org.p) {
		query_add(query,
			" AND coalesce((SELECT st.organisation FROM report_status st WHERE st.report = ");
		query_add(query, columns);
		query_add(query, ".id), ");
		query_add(query, columns);
		query_add(query, ".organisation, 0) = $?::int");
		query_int(query, filter->org_id);
	}
	if (filter->country.p) {
		query_add(query, " AND ");
		query_add(query, columns);
		query_add(query, ".country = upper($?)");
		query_str(query, filter->country);
	}
}
