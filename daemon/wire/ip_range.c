#include "config.h"

#include "wire/ip_range.h"

static unsigned width(const struct netaddr *addr)
{
	return addr->family == 4 ? 32 : 128;
}

bool ip_range_parse(struct str text, struct ip_range *range)
{
	struct str first;

	if (!str_split(&text, '-', &first) || !text.p || !netaddr_parse(str_trim(first), &range->next) ||
		!netaddr_parse(str_trim(text), &range->last))
		return false;
	range->over = false;
	return range->next.family == range->last.family && range->next.bits == width(&range->next) &&
	       range->last.bits == width(&range->last) &&
	       memcmp(range->next.bytes, range->last.bytes, sizeof(range->next.bytes)) <= 0;
}

static bool bit(const struct netaddr *addr, unsigned index)
{
	return addr->bytes[index / 8] & (0x80u >> index % 8);
}

static void set_bit(struct netaddr *addr, unsigned index, bool value)
{
	uint8_t mask = (uint8_t)(0x80u >> index % 8);

	addr->bytes[index / 8] =
		(uint8_t)(value ? addr->bytes[index / 8] | mask : addr->bytes[index / 8] & ~mask);
}

/* The last address of the prefix of `bits` that begins at addr. */
static struct netaddr prefix_end(const struct netaddr *addr, unsigned bits)
{
	struct netaddr end = *addr;

	for (unsigned i = bits; i < width(addr); i++)
		set_bit(&end, i, true);
	return end;
}

/* False: it was the highest of all. */
static bool increment(struct netaddr *addr)
{
	for (unsigned i = width(addr); i-- > 0;) {
		if (!bit(addr, i)) {
			set_bit(addr, i, true);
			return true;
		}
		set_bit(addr, i, false);
	}
	return false;
}

bool ip_range_next(struct ip_range *range, struct netaddr *prefix)
{
	unsigned bits = width(&range->next);
	struct netaddr end;

	if (range->over)
		return false;
	while (bits > 0 && !bit(&range->next, bits - 1)) {
		end = prefix_end(&range->next, bits - 1);
		if (memcmp(end.bytes, range->last.bytes, sizeof(end.bytes)) > 0)
			break;
		bits--;
	}
	*prefix = range->next;
	prefix->bits = (uint8_t)bits;
	end = prefix_end(&range->next, bits);
	range->over = memcmp(end.bytes, range->last.bytes, sizeof(end.bytes)) >= 0;
	range->next = end;
	if (!range->over)
		range->over = !increment(&range->next);
	return true;
}
