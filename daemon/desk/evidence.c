#include "config.h"

#include "base/hash.h"
#include "desk/handlers.h"

/* In one answer; the client asks on until it has all. */
#define PIECE (2 << 20)

static void on_piece(struct request *request, const struct pg_result *result)
{
	if (result->rows == 0) {
		request_refuse_hint(request, RPC_NOT_FOUND,
			"`cirt report show` lists the evidence of a report.",
			"there is no evidence with this digest, or its time is over");
		return;
	}
	request->result = result_json(result, 0, 0);
	request_commit(request, request_answer_result);
}

/*
 * A piece of a file, by the digest of all of it. Each is a row in the journal, so that nobody takes the bytes
 * without leaving word of it.
 */
void desk_evidence_get(struct request *request)
{
	struct query *query = arena_alloc(request->arena, sizeof(*query));
	uint8_t digest[SHA256_LEN];
	struct str text;
	int64_t offset = 0;

	if (!request_needs(request, "digest", &text) ||
		!request_number(request, "offset", 0, INT32_MAX, &offset))
		return;
	if (!hex_decode(text, digest, sizeof(digest))) {
		request_refuse(
			request, RPC_INVALID_PARAMS, "expected the SHA-256 of the file: 64 hex digits");
		return;
	}
	if (!request_database(request))
		return;
	query_start(query, request->arena,
		"WITH e AS MATERIALIZED (SELECT e.digest, e.size, substr(e.bytes, $?::int + 1, $?::int) AS "
		"piece, $?::int AS "
		"place FROM (SELECT DISTINCT lower / 10000000000 AS month FROM report_chunk) m JOIN evidence "
		"e ON e.month = "
		"m.month AND e.digest = decode($?, 'hex') ORDER BY e.month DESC LIMIT 1)"
		" SELECT json_build_object('digest', encode(e.digest, 'hex'), 'size', e.size, 'offset', "
		"e.place, 'data',"
		" translate(encode(e.piece, 'base64'), E'\\n', '')), journal_add('evidence/' || "
		"encode(e.digest, 'hex'),"
		" 'fetched', NULL, json_build_object('offset', e.place, 'bytes', length(e.piece), 'size', "
		"e.size)::text) FROM e");
	query_int(query, offset);
	query_int(query, PIECE);
	query_int(query, offset);
	query_str(query, text);
	request_change(request, query, on_piece);
}
