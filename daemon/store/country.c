#include "config.h"

#include "store/country.h"

#include <stdlib.h>

#include "base/mem.h"

#define NO_PARENT UINT32_MAX

struct delegated {
	struct netaddr prefix;
	char country[2];
	uint32_t around; /* index of the next larger prefix that holds it; NO_PARENT: none */
};

struct countries {
	struct delegated *list; /* by family, first address, length */
	size_t count, space;
};

struct countries *countries_new(void)
{
	return mem_alloc(sizeof(struct countries));
}

void countries_free(struct countries **countries)
{
	if (!*countries)
		return;
	free((*countries)->list);
	free(*countries);
	*countries = NULL;
}

void countries_add(struct countries *c, const struct netaddr *prefix, struct str country)
{
	if (country.len != 2 || c->count == NO_PARENT)
		return;
	if (c->count == c->space) {
		c->space = c->space ? 2 * c->space : 1024;
		c->list = mem_resize(c->list, c->space * sizeof *c->list);
	}
	c->list[c->count++] = (struct delegated){*prefix, {country.p[0], country.p[1]}, .around = NO_PARENT};
}

/* By where they begin, the wider of two first. */
static int delegated_order(const void *a, const void *b)
{
	return netaddr_compare(
		&((const struct delegated *)a)->prefix, &((const struct delegated *)b)->prefix);
}

void countries_settle(struct countries *c)
{
	uint32_t around = NO_PARENT;

	if (c->count)
		qsort(c->list, c->count, sizeof *c->list, delegated_order);
	for (uint32_t i = 0; i < c->count; i++) {
		while (around != NO_PARENT && !netaddr_contains(&c->list[around].prefix, &c->list[i].prefix))
			around = c->list[around].around;
		c->list[i].around = around;
		around = i;
	}
}

struct str country_of_address(const struct countries *c, const struct netaddr *address)
{
	size_t first = 0, end = c->count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		if (netaddr_compare(&c->list[middle].prefix, address) <= 0)
			first = middle + 1;
		else
			end = middle;
	}
	/* What holds the address is the last that does not begin after it, or is around that one. */
	for (uint32_t at = first ? (uint32_t)(first - 1) : NO_PARENT; at != NO_PARENT;
		at = c->list[at].around)
		if (netaddr_contains(&c->list[at].prefix, address))
			return (struct str){c->list[at].country, 2};
	return STR_NONE;
}
