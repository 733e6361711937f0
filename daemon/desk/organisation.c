#include "config.h"

#include "desk/handlers.h"

#define DOMAINS_MOST 200000

static void on_domains(struct request *request, const struct pg_result *result)
{
	struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "items", result_json(result, 0, 0));
	request_answer(request, answer);
}

/* The register's names as they are valid now: what the lookalike plugin reads. */
void desk_organisation_domains(struct request *request)
{
	struct query query;

	if (!request_database(request))
		return;
	query_start(&query, request->arena,
		"SELECT coalesce(json_agg(json_build_object('domain', n.domain, 'organisation', n.name) "
		"ORDER BY "
		"n.domain, n.name), '[]') FROM (SELECT d.domain, o.name FROM organisation_domain d"
		" JOIN organisation o ON o.id = d.organisation WHERE d.valid @> now() AND o.valid @> now()"
		" ORDER BY d.domain, o.name LIMIT $?::bigint) n");
	query_int(&query, DOMAINS_MOST);
	request_query(request, &query, on_domains);
}
