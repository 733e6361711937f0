#include "config.h"

#include "model/tlp.h"

#include "base/mem.h"

static const char *const tlp_names[] = {
	[TLP_UNSTATED] = "",
	[TLP_CLEAR] = "clear",
	[TLP_GREEN] = "green",
	[TLP_AMBER] = "amber",
	[TLP_AMBER_STRICT] = "amber+strict",
	[TLP_RED] = "red",
};

static const char *const pap_names[] = {
	[PAP_UNSTATED] = "",
	[PAP_CLEAR] = "clear",
	[PAP_GREEN] = "green",
	[PAP_AMBER] = "amber",
	[PAP_RED] = "red",
};

/* STIX 2.1 section 7.2.1.4 has the markings of TLP 1.0; those of TLP 2.0 are an OASIS extension. */
#define MARKING(uuid) "marking-definition--" uuid
static const struct {
	enum tlp tlp;
	const char *id;
} markings[] = {
	/* 2.0 first: tlp_marking() takes the first of its colour */
	{TLP_CLEAR, MARKING("94868c89-83c2-464b-929b-a1a8aa3c8487")},
	{TLP_GREEN, MARKING("bab4a63c-aed9-4cf5-a766-dfca5abac2bb")},
	{TLP_AMBER, MARKING("55d920b0-5e8b-4f79-9ee9-91f868d9b421")},
	{TLP_AMBER_STRICT, MARKING("939a9414-2ddd-4d32-a0cd-375ea402b003")},
	{TLP_RED, MARKING("e828b379-4e03-4974-9ac4-e53a884c97c1")},
	{TLP_CLEAR, MARKING("613f2e26-407d-48c7-9eca-b8e91df99dc9")},
	{TLP_GREEN, MARKING("34098fce-860f-48ae-8e50-ebd3cc5e41da")},
	{TLP_AMBER, MARKING("f88d31f6-486f-44da-b317-01333bde0b82")},
	{TLP_RED, MARKING("5e57c739-391a-4eb3-b6be-7d15ca92d5ed")},
};

const char *tlp_name(enum tlp tlp)
{
	return (size_t)tlp < ARRAY_LEN(tlp_names) ? tlp_names[tlp] : "";
}

const char *pap_name(enum pap pap)
{
	return (size_t)pap < ARRAY_LEN(pap_names) ? pap_names[pap] : "";
}

/* Index of a colour in names, 0 if it is none of them; "white" is what 1.0 called "clear". */
static size_t colour_find(struct str text, struct str prefix, const char *const *names, size_t count)
{
	text = str_trim(text);
	if (text.len > prefix.len && str_equal_nocase((struct str){text.p, prefix.len}, prefix)) {
		text.p += prefix.len;
		text.len -= prefix.len;
		text = str_trim(text);
	}
	if (str_equal_nocase(text, STR("white")))
		text = STR("clear");
	for (size_t i = 1; i < count; i++) {
		if (str_equal_nocase(text, str_of(names[i])))
			return i;
	}
	return 0;
}

bool tlp_parse(struct str text, enum tlp *tlp)
{
	size_t found = colour_find(text, STR("TLP:"), tlp_names, ARRAY_LEN(tlp_names));
	if (found)
		*tlp = (enum tlp)found;
	return found != 0;
}

bool pap_parse(struct str text, enum pap *pap)
{
	size_t found = colour_find(text, STR("PAP:"), pap_names, ARRAY_LEN(pap_names));
	if (found)
		*pap = (enum pap)found;
	return found != 0;
}

bool tlp_of_marking(struct str marking_id, enum tlp *tlp)
{
	for (size_t i = 0; i < ARRAY_LEN(markings); i++) {
		if (str_equal_nocase(marking_id, str_of(markings[i].id))) {
			*tlp = markings[i].tlp;
			return true;
		}
	}
	return false;
}

const char *tlp_marking(enum tlp tlp)
{
	if (tlp == TLP_UNSTATED)
		tlp = TLP_AMBER;
	size_t i = 0;
	while (i + 1 < ARRAY_LEN(markings) && markings[i].tlp != tlp)
		i++;
	return markings[i].id;
}
