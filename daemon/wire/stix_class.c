#include "wire/stix_class.h"

#include "base/mem.h"

#define WORDS_MAX 100
#define WORD_MAX  200

/* Words that leave no doubt, as part of a longer one too ("spear-phishing-link"); the first hit counts. */
static const struct class_row {
	const char *word;
	const char *type; /* of RSIT */
} clear_words[] = {
	{"phish", "phishing"},
	{"credential-harvest", "phishing"},
	{"spam", "spam"},
	{"c2", "c2-server"},
	{"c&c", "c2-server"},
	{"command-and-control", "c2-server"},
	{"command and control", "c2-server"},
	{"brute-force", "brute-force"},
	{"brute force", "brute-force"},
	{"dictionary-attack", "brute-force"},
	{"password-guessing", "brute-force"},
	{"ransomware", "infected-system"},
	{"botnet", "infected-system"},
	{"infected", "infected-system"},
	{"malware-configuration", "malware-configuration"},
	{"hosting-malware", "malware-distribution"},
	{"malware", "malware-distribution"},
	{"amplification", "ddos-amplifier"},
	{"ddos", "ddos"},
	{"denial-of-service", "dos"},
	{"defacement", "unauthorised-information-modification"},
	{"exfiltration", "data-leak"},
	{"data-leak", "data-leak"},
	{"sql-injection", "exploit"},
	{"exploit", "exploit"},
	{"port-scan", "scanner"},
	{"scanning", "scanner"},
	{"scanner", "scanner"},
	{"reconnaissance", "scanner"},
	{"social-engineering", "social-engineering"},
	{"account-compromise", "unprivileged-account-compromise"},
	{"compromised", "system-compromise"},
	{"copyright", "copyright"},
	{"vulnerab", "vulnerable-system"},
	{"anomalous-activity", "ids-alert"},
};

/* Whole words of the vocabularies that say only roughly what it is. */
static const struct class_row vague_words[] = {
	{"anonymization", "other"},
	{"attribution", "other"},
	{"benign", "other"},
	/* malware-type-ov */
	{"adware", "malware-distribution"},
	{"backdoor", "infected-system"},
	{"bot", "infected-system"},
	{"bootkit", "infected-system"},
	{"downloader", "malware-distribution"},
	{"dropper", "malware-distribution"},
	{"keylogger", "infected-system"},
	{"remote-access-trojan", "infected-system"},
	{"resource-exploitation", "unauthorised-use-of-resources"},
	{"rogue-security-software", "malware-distribution"},
	{"rootkit", "infected-system"},
	{"screen-capture", "infected-system"},
	{"spyware", "infected-system"},
	{"trojan", "malware-distribution"},
	{"virus", "malware-distribution"},
	{"webshell", "application-compromise"},
	{"wiper", "infected-system"},
	{"worm", "infected-system"},
	/* infrastructure-type-ov */
	{"hosting-target-lists", "other"},
	{"staging", "malware-distribution"},
	/* report-type-ov */
	{"attack-pattern", "other"},
	{"campaign", "other"},
	{"identity", "other"},
	{"intrusion-set", "other"},
	{"threat-actor", "other"},
	{"threat-report", "other"},
	{"tool", "other"},
	/* kill chains of Lockheed Martin and ATT&CK */
	{"delivery", "malware-distribution"},
	{"installation", "infected-system"},
	{"persistence", "system-compromise"},
	{"privilege-escalation", "privileged-account-compromise"},
	{"credential-access", "unprivileged-account-compromise"},
	{"lateral-movement", "system-compromise"},
	{"impact", "sabotage"},
};

static const struct {
	const char *key;
	const char *member; /* of each element; NULL: it is the word */
} lists[] = {
	{"indicator_types", NULL},
	{"report_types", NULL},
	{"infrastructure_types", NULL},
	{"labels", NULL},
	{"kill_chain_phases", "phase_name"},
	{"malware_types", NULL},
};

static bool is_word_character(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* Short words stand in digests, identifiers and names of hosts by chance: they must stand alone. */
static bool contains(struct str text, struct str word)
{
	for (size_t at = 0; at + word.len <= text.len; at++) {
		size_t end = at + word.len;
		if (!str_equal_nocase((struct str){text.p + at, word.len}, word))
			continue;
		if (word.len > 3 || ((at == 0 || !is_word_character(text.p[at - 1])) &&
					    (end == text.len || !is_word_character(text.p[end]))))
			return true;
	}
	return false;
}

static bool by_clear_word(struct report *report, struct str word)
{
	if (rsit_parse(word, &report->type))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(clear_words); i++)
		if (contains(word, str_of(clear_words[i].word)))
			return rsit_parse(str_of(clear_words[i].type), &report->type);
	return false;
}

static bool by_vague_word(struct report *report, struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(vague_words); i++)
		if (str_equal_nocase(word, str_of(vague_words[i].word)))
			return rsit_parse(str_of(vague_words[i].type), &report->type);
	return false;
}

static bool by_list(struct report *report, const struct json_object *object, const char *key,
	const char *member, bool (*by_word)(struct report *report, struct str word))
{
	struct json_object *list = json_of(object, key, json_type_array);

	for (size_t i = 0; list && i < json_object_array_length(list) && i < WORDS_MAX; i++) {
		struct json_object *value = json_object_array_get_idx(list, i);
		struct str word = member ? json_text(value, member) : json_value_text(value);
		if (word.len > 0 && word.len < WORD_MAX && by_word(report, word))
			return true;
	}
	return false;
}

void stix_classify_list(struct report *report, const struct json_object *object, const char *key)
{
	if (report->type == RSIT_NONE)
		by_list(report, object, key, NULL, by_clear_word);
}

void stix_classify(struct report *report, const struct json_object *object)
{
	for (size_t i = 0; i < ARRAY_LEN(lists) && report->type == RSIT_NONE; i++)
		by_list(report, object, lists[i].key, lists[i].member, by_clear_word);
}

static bool observes(const struct report *report, unsigned types)
{
	for (size_t i = 0; i < report->observable_count; i++)
		if (types & 1u << report->observables[i].type)
			return true;
	return false;
}

/* A file, or what malware talks to or comes from. */
static const char *by_observables(const struct report *report)
{
	static const unsigned files = 1u << OBSERVABLE_MD5 | 1u << OBSERVABLE_SHA1 | 1u << OBSERVABLE_SHA256 |
	                              1u << OBSERVABLE_SHA512 | 1u << OBSERVABLE_FILENAME;
	static const unsigned hosts = 1u << OBSERVABLE_IP | 1u << OBSERVABLE_NAME;

	if (observes(report, files) || (report->malware.len > 0 && observes(report, 1u << OBSERVABLE_URL)))
		return "malware-distribution";
	if (report->malware.len > 0 && observes(report, hosts))
		return "c2-server";
	return NULL;
}

void stix_classify_rest(struct report *report, const struct json_object *object)
{
	struct str type = json_text(object, "type");
	struct str name = json_text(object, "name");
	const char *observed = NULL;

	if (report->type == RSIT_NONE && name.len < WORD_MAX)
		by_clear_word(report, name);
	if (report->type == RSIT_NONE)
		by_clear_word(report, report->malware);
	if (str_equal(type, STR("indicator")))
		observed = by_observables(report);
	if (report->type == RSIT_NONE && observed)
		rsit_parse(str_of(observed), &report->type);
	for (size_t i = 0; i < ARRAY_LEN(lists) && report->type == RSIT_NONE; i++)
		by_list(report, object, lists[i].key, lists[i].member, by_vague_word);
}
