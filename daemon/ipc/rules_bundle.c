#include "ipc/rules_bundle.h"

#include "base/pack.h"

void rules_bundle_add(struct buf *bundle, struct str name, struct str bytes)
{
	pack_u32(bundle, (uint32_t)name.len);
	pack_u32(bundle, (uint32_t)bytes.len);
	buf_str(bundle, name);
	buf_str(bundle, bytes);
}

int rules_bundle_next(struct str *rest, struct str *name, struct str *bytes)
{
	if (rest->len == 0)
		return 0;
	struct unpack in = {.rest = *rest};
	size_t name_len = unpack_u32(&in);
	size_t bytes_len = unpack_u32(&in);
	if (in.failed || name_len > in.rest.len || bytes_len > in.rest.len - name_len)
		return -1;
	*name = (struct str){in.rest.p, name_len};
	*bytes = (struct str){in.rest.p + name_len, bytes_len};
	*rest = (struct str){in.rest.p + name_len + bytes_len, in.rest.len - name_len - bytes_len};
	return 1;
}
