/* Any line of an operator or of a daemon: read, or refused; what was read is written and read again as the
 * same. */
#include "config.h"

#include <stdlib.h>

#include "wire/jsonrpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_again(const struct rpc_message *message, struct buf *out)
{
	char *method = message->method.p ? strndup(message->method.p, message->method.len) : NULL;

	if (message->kind == RPC_ERROR)
		rpc_write_error(out, message->id, message->code, message->text, message->data);
	else if (message->kind == RPC_RESULT)
		rpc_write_result(out, message->id, message->result);
	else
		rpc_write_notification(out, method ? method : "", message->params);
	free(method);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_message message, again;
	struct buf out = {0};
	struct err err;
	int code = 0;

	if (rpc_read((struct str){(const char *)data, size}, &message, &code, &err)) {
		write_again(&message, &out);
		if (!rpc_read((struct str){out.data, out.len - 1}, &again, &code, &err))
			abort();
		rpc_free(&again);
	} else if (code != RPC_PARSE_ERROR && code != RPC_INVALID_REQUEST) {
		abort();
	}
	rpc_free(&message);
	buf_free(&out);
	return 0;
}
