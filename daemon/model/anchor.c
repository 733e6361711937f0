#include "model/anchor.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/pack.h"

/* ---- the tree ---- */

void merkle_begin(struct merkle *merkle)
{
	merkle->leaves = 0;
}

static void node_hash(
	const uint8_t left[SHA256_LEN], const uint8_t right[SHA256_LEN], uint8_t node[SHA256_LEN])
{
	char bytes[1 + 2 * SHA256_LEN] = {1};

	memcpy(bytes + 1, left, SHA256_LEN);
	memcpy(bytes + 1 + SHA256_LEN, right, SHA256_LEN);
	sha256((struct str){bytes, sizeof(bytes)}, node);
}

void merkle_head(struct merkle *merkle, struct str object, uint64_t n, struct str hash)
{
	struct buf leaf = {0};
	uint8_t digest[SHA256_LEN];
	unsigned level = 0;

	pack_u8(&leaf, 0);
	pack_str(&leaf, object);
	pack_u64(&leaf, n);
	pack_str(&leaf, hash);
	sha256(buf_view(&leaf), digest);
	buf_free(&leaf);
	/* As in counting up in binary: each carry joins two trees of one size. */
	for (uint64_t carry = merkle->leaves; carry & 1; carry >>= 1, level++)
		node_hash(merkle->stack[level], digest, digest);
	memcpy(merkle->stack[level], digest, SHA256_LEN);
	merkle->leaves++;
}

void merkle_root(const struct merkle *merkle, uint8_t root[SHA256_LEN])
{
	bool begun = false;

	sha256(STR_NONE, root);
	for (unsigned level = 0; level < 64; level++) {
		if (!(merkle->leaves >> level & 1))
			continue;
		if (begun)
			node_hash(merkle->stack[level], root, root);
		else
			memcpy(root, merkle->stack[level], SHA256_LEN);
		begun = true;
	}
}

/* ---- a line ---- */

/* A name that needs no escapes, so that reading a line is reading up to the next quote. */
static void node_write(struct str node, struct buf *out)
{
	for (size_t i = 0; i < node.len && i < 64; i++) {
		char c = node.p[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		             c == '-' || c == '.' || c == '_';

		buf_char(out, (char)(plain ? c : '_'));
	}
}

/* The members in their order; each is written and read exactly so, and nothing else is a line. */
static void body_write(const struct anchor *anchor, struct buf *out)
{
	char at[CLOCK_TEXT];
	char root[SHA256_HEX];
	char previous[SHA256_HEX];

	buf_printf(out, "{\"v\":1,\"anchor\":%llu,\"at\":\"%s\",\"node\":\"",
		(unsigned long long)anchor->number, clock_format(anchor->at, at));
	node_write(anchor->node, out);
	buf_printf(out,
		"\",\"records\":%llu,\"last\":%llu,\"heads\":%llu,\"root\":\"%s\",\"previous\":\"%s\"",
		(unsigned long long)anchor->records, (unsigned long long)anchor->last,
		(unsigned long long)anchor->heads, hex_encode(anchor->root, SHA256_LEN, root),
		hex_encode(anchor->previous, SHA256_LEN, previous));
}

bool anchor_write(const struct anchor *anchor, struct str private_pem, struct buf *out, struct err *err)
{
	size_t start = out->len;
	uint8_t signature[SIGNATURE_LEN];
	char hex[2 * SIGNATURE_LEN + 1];

	body_write(anchor, out);
	if (!sign_bytes(private_pem, (struct str){out->data + start, out->len - start}, signature, err)) {
		out->len = start;
		return false;
	}
	buf_printf(out, ",\"signature\":\"%s\"}", hex_encode(signature, SIGNATURE_LEN, hex));
	return true;
}

/* Take this text off the front. */
static bool skip(struct str *rest, const char *text)
{
	struct str wanted = str_of(text);

	if (!str_starts(*rest, wanted))
		return false;
	rest->p += wanted.len;
	rest->len -= wanted.len;
	return true;
}

/* Up to the next of these characters, which is taken too. */
static bool until(struct str *rest, char end, struct str *piece)
{
	const char *at = rest->len ? memchr(rest->p, end, rest->len) : NULL;

	if (!at)
		return false;
	*piece = (struct str){rest->p, (size_t)(at - rest->p)};
	rest->len -= piece->len + 1;
	rest->p = at + 1;
	return true;
}

static bool number(struct str *rest, const char *name, uint64_t *value)
{
	struct str digits;

	return skip(rest, name) && until(rest, ',', &digits) && str_to_u64(digits, value);
}

static bool hex(struct str *rest, const char *name, void *bytes, size_t len)
{
	struct str digits;

	return skip(rest, name) && until(rest, '"', &digits) && digits.len == 2 * len &&
	       hex_decode(digits, bytes, len);
}

static bool fields(struct str *rest, struct anchor *anchor)
{
	struct str at;

	return skip(rest, "{\"v\":1,") && number(rest, "\"anchor\":", &anchor->number) &&
	       skip(rest, "\"at\":\"") && until(rest, '"', &at) && clock_parse(at, &anchor->at) &&
	       skip(rest, ",\"node\":\"") && until(rest, '"', &anchor->node) && skip(rest, ",") &&
	       number(rest, "\"records\":", &anchor->records) && number(rest, "\"last\":", &anchor->last) &&
	       number(rest, "\"heads\":", &anchor->heads) &&
	       hex(rest, "\"root\":\"", anchor->root, SHA256_LEN) &&
	       hex(rest, ",\"previous\":\"", anchor->previous, SHA256_LEN);
}

bool anchor_read(struct str line, struct str public_pem, struct anchor *anchor, struct err *err)
{
	struct str rest = line;
	struct anchor got = {.number = 0};
	struct str body;

	if (!fields(&rest, &got))
		return err_set(err, ERR_MALFORMED, "expected an anchor: {\"v\":1,\"anchor\":…");
	body = (struct str){line.p, line.len - rest.len};
	if (!hex(&rest, ",\"signature\":\"", got.signature, SIGNATURE_LEN) || !str_equal(rest, STR("}")))
		return err_set(err, ERR_MALFORMED, "expected the anchor's signature at its end");
	if (!sign_check(public_pem, body, got.signature, err))
		return false;
	*anchor = got;
	return true;
}

/* ---- a file ---- */

static bool follows(
	const struct anchor *before, struct str line_before, const struct anchor *now, struct err *err)
{
	uint8_t hash[SHA256_LEN] = {0};

	if (now->number != before->number + 1)
		return err_set(err, ERR_CORRUPT, "anchor %llu follows anchor %llu",
			(unsigned long long)now->number, (unsigned long long)before->number);
	if (before->number)
		sha256(line_before, hash);
	if (memcmp(hash, now->previous, SHA256_LEN) != 0)
		return err_set(err, ERR_CORRUPT, "anchor %llu was not made after the line before it",
			(unsigned long long)now->number);
	if (now->records < before->records || now->last < before->last)
		return err_set(err, ERR_CORRUPT,
			"anchor %llu knows less of the journal than the one before it",
			(unsigned long long)now->number);
	return true;
}

int anchor_walk_next(struct anchor_walk *walk, struct err *err)
{
	struct str line;

	while (walk->rest.len) {
		struct anchor now = {.number = 0};
		struct err why = {.code = ERR_NONE};

		walk->lines++;
		/* Without a newline it was never finished. */
		if (!until(&walk->rest, '\n', &line)) {
			walk->torn++;
			break;
		}
		if (!anchor_read(line, walk->public_pem, &now, &why)) {
			if (why.code != ERR_MALFORMED) {
				err_set(err, ERR_CORRUPT, "line %zu: %s", walk->lines, why.text);
				return -1;
			}
			walk->torn++;
			continue;
		}
		if (!follows(&walk->last, walk->line, &now, err)) {
			err_prefix(err, "line %zu", walk->lines);
			return -1;
		}
		walk->last = now;
		walk->line = line;
		return 1;
	}
	return 0;
}

bool anchor_file_check(
	struct str bytes, struct str public_pem, struct anchor *last, size_t *torn, struct err *err)
{
	struct anchor_walk walk = {.rest = bytes, .public_pem = public_pem};
	int found;

	do {
		found = anchor_walk_next(&walk, err);
	} while (found > 0);
	*last = walk.last;
	*torn = walk.torn;
	return found == 0;
}
