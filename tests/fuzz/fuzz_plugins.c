#include <stdlib.h>
#include <string.h>

#include "../../plugins/lookalike/names.h"
#include "../../plugins/similar/minhash.h"
#include "../../plugins/warninglist/list_read.h"

/* Everything that a plugin sees of an item, without the host: a host name, a value of each kind, a text. */

static const char register_of_names[] =
	"bank.example,Bank\nexamplebank.example\nxn--brse-5qa.example\nmail.ministry.example\n";
static const char known[] =
	"{\"name\":\"a\",\"type\":\"cidr\",\"list\":[\"192.0.2.0/24\",\"2001:db8::/32\",\"::/0\"]}"
	"{\"name\":\"b\",\"type\":\"hostname\",\"list\":[\"example\",\"bank.example\"]}"
	"{\"name\":\"c\",\"type\":\"substring\",\"list\":[\"a\",\"ab\",\"abc\",\"abcd\",\"abcde\"]}"
	"{\"name\":\"d\",\"type\":\"regex\",\"list\":[\"^(a+)+$\",\"/(x|y)*z/i\"]}"
	"{\"name\":\"e\",\"list\":[\"x\"]}";

static void complain(const char *text, void *context)
{
	(void)text;
	(void)context;
}

static void match(const struct list *list, const char *entry, bool whole, void *context)
{
	(void)whole;
	*(size_t *)context += strlen(list->name) + strlen(entry);
}

static void look_up(const struct lists *lists, const char *text)
{
	static const enum subject subjects[] = {
		SUBJECT_IP, SUBJECT_NAME, SUBJECT_URL, SUBJECT_EMAIL, SUBJECT_DIGEST, SUBJECT_FILENAME};
	struct lists_effort effort = {50};
	size_t seen = 0;

	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
		lists_find(lists, subjects[i], text, &effort, match, &seen);
}

/* The same bytes as an administrator's file: never asked for, but it must not do harm either. */
static void read_files(const char *text, size_t size)
{
	struct lists *lists = lists_new();
	struct likeness likeness;
	char error[200];
	struct names *names = names_parse(text, size, error, sizeof(error));

	if (lists_read(lists, text, size, complain, NULL, error, sizeof(error)) == 0)
		look_up(lists, "abc.example");
	lists_free(lists);
	if (names)
		names_resemble(names, "login-bank.example.net", &likeness);
	names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lists *lists;
	static struct names *names;
	char *text = malloc(size + 1);
	char digest[MINHASH_TEXT], error[200];
	struct likeness likeness;

	if (!lists) {
		lists = lists_new();
		if (lists_read(lists, known, sizeof(known) - 1, complain, NULL, error, sizeof(error)) != 0)
			abort();
		names = names_parse(register_of_names, sizeof(register_of_names) - 1, error, sizeof(error));
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (names_resemble(names, text, &likeness) && (likeness.score > 100 || !likeness.domain))
		abort();
	look_up(lists, text);
	if (minhash(text, size, digest) == 0 && strlen(digest) != sizeof(digest) - 1)
		abort();
	read_files(text, size);
	free(text);
	return 0;
}
