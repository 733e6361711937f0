#ifndef WARNINGLIST_LIST_READ_H
#define WARNINGLIST_LIST_READ_H

#include "lists.h"

/* Told of what is left out: a list of a type that is not known, an entry that is not one of its list. */
typedef void list_complaint_fn(const char *text, void *context);

/*
 * Lists in the MISP warninglist format: objects with name, type, list, and matching_attributes and category
 * where there are any; one after another, or an array of them. -1: not JSON; error says where.
 */
int lists_read(struct lists *lists, const char *bytes, size_t len, list_complaint_fn *complaint,
	void *context, char *error, size_t size);

#endif
