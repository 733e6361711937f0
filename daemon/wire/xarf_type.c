#include "config.h"

#include "base/mem.h"
#include "wire/xarf.h"

/* xarf-spec 4.2.0: its 32 pairs of category and type, and what each must have. */
static const struct xarf_type v4[] = {
	{"messaging", "spam", "spam", "spam", "protocol"},
	{"messaging", "bulk_messaging", "spam", "bulk-messaging", "protocol"},
	{"connection", "login_attack", "brute-force", "login-attack", "protocol first_seen"},
	{"connection", "port_scan", "scanner", "port-scan", "protocol first_seen"},
	{"connection", "ddos", "ddos", "ddos", "protocol first_seen"},
	{"connection", "infected_host", "infected-system", "infected-host", "protocol first_seen bot_type"},
	{"connection", "reconnaissance", "scanner", "reconnaissance", "protocol first_seen probed_resources"},
	{"connection", "scraping", "scanner", "scraping", "protocol first_seen total_requests"},
	{"connection", "sql_injection", "exploit", "sql-injection", "protocol first_seen"},
	{"connection", "vulnerability_scan", "scanner", "vulnerability-scan",
		"protocol first_seen scan_type"},
	{"content", "phishing", "phishing", "phishing", "url"},
	{"content", "malware", "malware-distribution", "malware", "url"},
	{"content", "csam", "violence", "csam", "url classification detection_method"},
	{"content", "csem", "violence", "csem", "url"},
	{"content", "exposed_data", "data-leak", "exposed-data", "url"},
	{"content", "brand_infringement", "masquerade", "brand-infringement", "url"},
	{"content", "fraud", "masquerade", "fraud", "url fraud_type"},
	{"content", "remote_compromise", "application-compromise", "remote-compromise", "url"},
	{"content", "suspicious_registration", "masquerade", "suspicious-registration", "url"},
	{"copyright", "copyright", "copyright", "copyright", NULL},
	{"copyright", "p2p", "copyright", "copyright-p2p", NULL},
	{"copyright", "cyberlocker", "copyright", "copyright-cyberlocker", NULL},
	{"copyright", "ugc_platform", "copyright", "copyright-ugc-platform", NULL},
	{"copyright", "link_site", "copyright", "copyright-link-site", NULL},
	{"copyright", "usenet", "copyright", "copyright-usenet", NULL},
	{"vulnerability", "cve", "vulnerable-system", "cve", "service service_port cve_id"},
	{"vulnerability", "open_service", "potentially-unwanted-accessible", "open-service", "service"},
	{"vulnerability", "misconfiguration", "misconfiguration", "misconfiguration", "service"},
	{"infrastructure", "botnet", "infected-system", "botnet", "compromise_evidence"},
	{"infrastructure", "compromised_server", "system-compromise", "compromised-server",
		"compromise_method"},
	{"reputation", "blocklist", "other", "blocklist", "threat_type"},
	{"reputation", "threat_intelligence", "other", "threat-intelligence", "threat_type"},
};

/* Version 3: ReportType, by ReportClass where that makes a difference. */
static const struct xarf_type v3[] = {
	{NULL, "Spam", "spam", "spam", "SourceIp"},
	{NULL, "DOS", "ddos", "ddos", "SourceIp"},
	{NULL, "DDoS", "ddos", "ddos", "SourceIp"},
	{NULL, "PortScan", "scanner", "port-scan", "SourceIp"},
	{NULL, "WebCrawler", "scanner", "scraping", "SourceIp"},
	{NULL, "LoginAttack", "brute-force", "login-attack", "SourceIp"},
	{NULL, "AuthFailure", "brute-force", "login-attack", "SourceIp"},
	{NULL, "Exploit", "exploit", "exploit", "SourceIp"},
	{NULL, "SQLInjection", "exploit", "sql-injection", "SourceIp"},
	{NULL, "WebHack", "exploit", "web-attack", NULL},
	{"Content", "Malware", "malware-distribution", "malware", NULL},
	{NULL, "Malware", "infected-system", "malware", "SourceIp"},
	{NULL, "Botnet", "infected-system", "botnet", "SourceIp"},
	{NULL, "InfectedHost", "infected-system", "infected-host", "SourceIp"},
	{NULL, "Phishing", "phishing", "phishing", NULL},
	{NULL, "Fraud", "masquerade", "fraud", NULL},
	{NULL, "Copyright", "copyright", "copyright", "InfringedMaterial"},
	{NULL, "Trademark", "copyright", "trademark", "TrademarkedMaterial"},
	{NULL, "ChildAbuse", "violence", "csam", NULL},
	{NULL, "Harassment", "harmful-speech", "harassment", "Harasser"},
	{NULL, "OpenService", "potentially-unwanted-accessible", "open-service", "SourceIp ServiceName"},
	{NULL, "Vulnerability", "vulnerable-system", "vulnerability", "SourceIp"},
	{NULL, "PotentiallyCompromisedAccount", "unprivileged-account-compromise", "compromised-account",
		"Account"},
	{NULL, "CompromisedServer", "system-compromise", "compromised-server", "SourceIp"},
};

/* Versions 0.1 and 0.2 left the types open: the first row whose word stands in Report-Type. */
static const struct xarf_type texts[] = {
	{NULL, "phish", "phishing", "phishing", NULL},
	{NULL, "malware", "malware-distribution", "malware", NULL},
	{NULL, "trojan", "malware-distribution", "malware", NULL},
	{NULL, "botnet", "infected-system", "botnet", NULL},
	{NULL, "infect", "infected-system", "infected-host", NULL},
	{NULL, "c2", "c2-server", "c2-server", NULL},
	{NULL, "portscan", "scanner", "port-scan", NULL},
	{NULL, "port-scan", "scanner", "port-scan", NULL},
	{NULL, "probe", "scanner", "port-scan", NULL},
	{NULL, "login", "brute-force", "login-attack", NULL},
	{NULL, "ssh", "brute-force", "login-attack", NULL},
	{NULL, "ftp", "brute-force", "login-attack", NULL},
	{NULL, "imap", "brute-force", "login-attack", NULL},
	{NULL, "pop3", "brute-force", "login-attack", NULL},
	{NULL, "sasl", "brute-force", "login-attack", NULL},
	{NULL, "bruteforce", "brute-force", "login-attack", NULL},
	{NULL, "ddos", "ddos", "ddos", NULL},
	{NULL, "dos", "dos", "dos", NULL},
	{NULL, "web-attack", "exploit", "web-attack", NULL},
	{NULL, "rfi", "exploit", "web-attack", NULL},
	{NULL, "exploit", "exploit", "exploit", NULL},
	{NULL, "harvest", "spam", "harvesting", NULL},
	{NULL, "regbot", "spam", "registration-bot", NULL},
	{NULL, "badbot", "scanner", "bad-bot", NULL},
	{NULL, "spam", "spam", "spam", NULL},
	{NULL, "mail", "spam", "spam", NULL},
	{NULL, "copyright", "copyright", "copyright", NULL},
	{NULL, "trademark", "copyright", "trademark", NULL},
	{NULL, "attack", "ids-alert", "attack", NULL},
	{"fraud", "", "masquerade", "fraud", NULL},
	{NULL, "", "undetermined", "x-arf", NULL},
};

const struct xarf_type *xarf_type_v4(struct str category, struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(v4); i++)
		if (str_equal(category, str_of(v4[i].group)) && str_equal(type, str_of(v4[i].name)))
			return &v4[i];
	return NULL;
}

const struct xarf_type *xarf_type_v3(struct str group, struct str type)
{
	for (size_t i = 0; i < ARRAY_LEN(v3); i++)
		if ((!v3[i].group || str_equal_nocase(group, str_of(v3[i].group))) &&
			str_equal_nocase(type, str_of(v3[i].name)))
			return &v3[i];
	return NULL;
}

static bool stands_in(struct str text, struct str word)
{
	if (word.len == 0)
		return true;
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (str_equal_nocase((struct str){text.p + i, word.len}, word))
			return true;
	return false;
}

const struct xarf_type *xarf_type_text(struct str category, struct str type)
{
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(texts) &&
		!((!texts[i].group || str_equal_nocase(category, str_of(texts[i].group))) &&
			stands_in(type, str_of(texts[i].name))))
		i++;
	return &texts[i];
}
