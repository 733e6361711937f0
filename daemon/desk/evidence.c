#include "config.h"

#include "desk/handlers.h"

/* The folder of a case's evidence is made by the database; its manifest is signed by our own key, where there
 * is one that is open. A manifest that could not be signed says why, and is no less right. */

static void finish(struct request *request, struct str signature, struct str why)
{
	json_object_object_add(request->result, "signature",
		json_object_new_string_len(signature.p ? signature.p : "", (int)signature.len));
	json_object_object_add(
		request->result, "why", json_object_new_string_len(why.p ? why.p : "", (int)why.len));
	request_commit(request, request_answer_result);
}

static void on_folder(struct request *request, const struct pg_result *result)
{
	const struct conf *conf = room_conf(request->desk->room);
	struct json_object *manifest;

	request->result = result_json(result, 0, 0);
	if (conf->out_pgp.len == 0)
		finish(request, STR_NONE, STR("no key of ours is named: mail_out.pgp_key"));
	else if (!json_object_object_get_ex(request->result, "manifest", &manifest) ||
		 !key_ring_sign(request, conf->out_pgp, str_of(json_object_get_string(manifest)), finish))
		finish(request, STR_NONE, STR("the room keys is not there now"));
}

void desk_evidence_export(struct request *request)
{
	function_change(request, on_folder);
}
