#include "config.h"

#include "model/rsit.h"

/* Namespace "rsit", machinev1 version 1003, in its order; the index is the enum. */
static const struct {
	const char *class;
	const char *name;
} types[RSIT_COUNT] = {
	[RSIT_NONE] = {"other", "undetermined"},
	{"abusive-content", "spam"},
	{"abusive-content", "harmful-speech"},
	{"abusive-content", "violence"},
	{"malicious-code", "infected-system"},
	{"malicious-code", "c2-server"},
	{"malicious-code", "malware-distribution"},
	{"malicious-code", "malware-configuration"},
	{"information-gathering", "scanner"},
	{"information-gathering", "sniffing"},
	{"information-gathering", "social-engineering"},
	{"intrusion-attempts", "ids-alert"},
	{"intrusion-attempts", "brute-force"},
	{"intrusion-attempts", "exploit"},
	{"intrusions", "privileged-account-compromise"},
	{"intrusions", "unprivileged-account-compromise"},
	{"intrusions", "application-compromise"},
	{"intrusions", "system-compromise"},
	{"intrusions", "burglary"},
	{"availability", "dos"},
	{"availability", "ddos"},
	{"availability", "misconfiguration"},
	{"availability", "sabotage"},
	{"availability", "outage"},
	{"information-content-security", "unauthorised-information-access"},
	{"information-content-security", "unauthorised-information-modification"},
	{"information-content-security", "data-loss"},
	{"information-content-security", "data-leak"},
	{"fraud", "unauthorised-use-of-resources"},
	{"fraud", "copyright"},
	{"fraud", "masquerade"},
	{"fraud", "phishing"},
	{"vulnerable", "weak-crypto"},
	{"vulnerable", "ddos-amplifier"},
	{"vulnerable", "potentially-unwanted-accessible"},
	{"vulnerable", "information-disclosure"},
	{"vulnerable", "vulnerable-system"},
	{"other", "other"},
	{"other", "undetermined"},
	{"test", "test"},
};

const char *rsit_name(enum rsit_type type)
{
	return types[type < RSIT_COUNT ? type : RSIT_NONE].name;
}

const char *rsit_class(enum rsit_type type)
{
	return types[type < RSIT_COUNT ? type : RSIT_NONE].class;
}

/* Split rsit:fraud="phishing" or fraud/phishing; class is empty where only the type stands. */
static bool rsit_cut(struct str text, struct str *class, struct str *name)
{
	struct str tag = STR("rsit:");
	text = str_trim(text);
	*class = STR_NONE;
	if (text.len > tag.len && str_equal_nocase((struct str){text.p, tag.len}, tag)) {
		text.p += tag.len;
		text.len -= tag.len;
		if (!str_split(&text, '=', class) || text.len < 2 || text.p[0] != '"' ||
			text.p[text.len - 1] != '"')
			return false;
		*name = (struct str){text.p + 1, text.len - 2};
		return class->len > 0;
	}
	if (text.len > 0 && memchr(text.p, '/', text.len))
		str_split(&text, '/', class);
	*name = text;
	return true;
}

bool rsit_parse(struct str text, enum rsit_type *type)
{
	struct str class, name;
	if (!rsit_cut(text, &class, &name))
		return false;
	for (unsigned i = RSIT_FIRST; i < RSIT_COUNT; i++) {
		if (str_equal_nocase(name, str_of(types[i].name)) &&
			(!class.p || str_equal_nocase(class, str_of(types[i].class)))) {
			*type = (enum rsit_type)i;
			return true;
		}
	}
	return false;
}

const char *rsit_suggest(struct str text)
{
	struct str class, name;
	const char *nearest = NULL;
	size_t best = SIZE_MAX, distance;
	if (!rsit_cut(text, &class, &name))
		return NULL;
	for (unsigned i = RSIT_FIRST; i < RSIT_COUNT; i++) {
		if (str_resembles(name, str_of(types[i].name), &distance) && distance < best) {
			best = distance;
			nearest = types[i].name;
		}
	}
	return nearest;
}
