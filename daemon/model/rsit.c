#include "config.h"

#include "model/rsit.h"

/* The middle of each word's range (model/severity.h). Nothing is critical only because of its type. */
enum { INFO = 10, LOW = 30, MEDIUM = 50, HIGH = 70 };

/* Namespace "rsit", machinev1 version 1003, in its order; the index is the enum. */
static const struct {
	const char *class;
	const char *name;
	int severity; /* where the sender states none */
} types[RSIT_COUNT] = {
	[RSIT_NONE] = {"other", "undetermined", MEDIUM},
	{"abusive-content", "spam", LOW},
	{"abusive-content", "harmful-speech", LOW},
	{"abusive-content", "violence", HIGH},
	{"malicious-code", "infected-system", HIGH},
	{"malicious-code", "c2-server", HIGH},
	{"malicious-code", "malware-distribution", HIGH},
	{"malicious-code", "malware-configuration", MEDIUM},
	{"information-gathering", "scanner", LOW},
	{"information-gathering", "sniffing", MEDIUM},
	{"information-gathering", "social-engineering", MEDIUM},
	{"intrusion-attempts", "ids-alert", LOW},
	{"intrusion-attempts", "brute-force", MEDIUM},
	{"intrusion-attempts", "exploit", MEDIUM},
	{"intrusions", "privileged-account-compromise", HIGH},
	{"intrusions", "unprivileged-account-compromise", MEDIUM},
	{"intrusions", "application-compromise", HIGH},
	{"intrusions", "system-compromise", HIGH},
	{"intrusions", "burglary", MEDIUM},
	{"availability", "dos", MEDIUM},
	{"availability", "ddos", HIGH},
	{"availability", "misconfiguration", LOW},
	{"availability", "sabotage", HIGH},
	{"availability", "outage", MEDIUM},
	{"information-content-security", "unauthorised-information-access", HIGH},
	{"information-content-security", "unauthorised-information-modification", HIGH},
	{"information-content-security", "data-loss", MEDIUM},
	{"information-content-security", "data-leak", HIGH},
	{"fraud", "unauthorised-use-of-resources", MEDIUM},
	{"fraud", "copyright", LOW},
	{"fraud", "masquerade", MEDIUM},
	{"fraud", "phishing", MEDIUM},
	{"vulnerable", "weak-crypto", LOW},
	{"vulnerable", "ddos-amplifier", MEDIUM},
	{"vulnerable", "potentially-unwanted-accessible", MEDIUM},
	{"vulnerable", "information-disclosure", MEDIUM},
	{"vulnerable", "vulnerable-system", MEDIUM},
	{"other", "other", MEDIUM},
	{"other", "undetermined", MEDIUM},
	{"test", "test", INFO},
};

const char *rsit_name(enum rsit_type type)
{
	return types[type < RSIT_COUNT ? type : RSIT_NONE].name;
}

const char *rsit_class(enum rsit_type type)
{
	return types[type < RSIT_COUNT ? type : RSIT_NONE].class;
}

int rsit_severity(enum rsit_type type)
{
	return types[type < RSIT_COUNT ? type : RSIT_NONE].severity;
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
