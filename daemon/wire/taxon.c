#include "config.h"

#include "wire/taxon.h"

#include "base/mem.h"

/* Letters that may be wrong. */
#define NEAR 2

static const struct taxon eve[] = {
	{"Not Suspicious Traffic", "ids-alert"},
	{"Unknown Traffic", "ids-alert"},
	{"Potentially Bad Traffic", "ids-alert"},
	{"Attempted Information Leak", "scanner"},
	{"Information Leak", "scanner"},
	{"Large Scale Information Leak", "scanner"},
	{"Attempted Denial of Service", "dos"},
	{"Denial of Service", "dos"},
	{"Detection of a Denial of Service Attack", "dos"},
	{"Attempted User Privilege Gain", "exploit"},
	{"Unsuccessful User Privilege Gain", "exploit"},
	{"Successful User Privilege Gain", "unprivileged-account-compromise"},
	{"Attempted Administrator Privilege Gain", "exploit"},
	{"Successful Administrator Privilege Gain", "privileged-account-compromise"},
	{"Decode of an RPC Query", "scanner"},
	{"Executable code was detected", "exploit"},
	{"A suspicious string was detected", "ids-alert"},
	{"A suspicious filename was detected", "ids-alert"},
	{"An attempted login using a suspicious username was detected", "brute-force"},
	{"Attempt to login by a default username and password", "brute-force"},
	{"A system call was detected", "exploit"},
	{"A TCP connection was detected", "ids-alert"},
	{"A Network Trojan was detected", "infected-system"},
	{"A client was using an unusual port", "ids-alert"},
	{"Detection of a Network Scan", "scanner"},
	{"Detection of a non-standard protocol or event", "ids-alert"},
	{"Generic Protocol Command Decode", "ids-alert"},
	{"Generic ICMP event", "scanner"},
	{"access to a potentially vulnerable web application", "exploit"},
	{"Web Application Attack", "exploit"},
	{"Misc activity", "ids-alert"},
	{"Misc Attack", "ids-alert"},
	{"Inappropriate Content was Detected", "other"},
	{"Potential Corporate Privacy Violation", "other"},
	{"Targeted Malicious Activity was Detected", "exploit"},
	{"Exploit Kit Activity Detected", "malware-distribution"},
	{"Device Retrieving External IP Address Detected", "ids-alert"},
	{"Domain Observed Used for C2 Detected", "infected-system"},
	{"Malware Command and Control Activity Detected", "infected-system"},
	{"Known malware command and control traffic", "infected-system"},
	{"Possibly Unwanted Program Detected", "infected-system"},
	{"Known malicious file or file based exploit", "malware-distribution"},
	{"Known client side exploit attempt", "exploit"},
	{"Successful Credential Theft Detected", "phishing"},
	{"Possible Social Engineering Attempted", "social-engineering"},
	{"Crypto Currency Mining Activity Detected", "unauthorised-use-of-resources"},
};

/* Categories of IDEA0, and each class by itself for subcategories that we do not know. */
static const struct taxon idea[] = {
	{"Abusive.Spam", "spam"},
	{"Abusive.Harassment", "harmful-speech"},
	{"Abusive.Child", "violence"},
	{"Abusive.Sexual", "violence"},
	{"Abusive.Violence", "violence"},
	{"Abusive", "spam"},
	{"Malware", "infected-system"},
	{"Malware.Virus", "infected-system"},
	{"Malware.Worm", "infected-system"},
	{"Malware.Trojan", "infected-system"},
	{"Malware.Spyware", "infected-system"},
	{"Malware.Dialer", "infected-system"},
	{"Malware.Rootkit", "infected-system"},
	{"Recon", "scanner"},
	{"Recon.Scanning", "scanner"},
	{"Recon.Sniffing", "sniffing"},
	{"Recon.SocialEngineering", "social-engineering"},
	{"Recon.Searching", "scanner"},
	{"Attempt", "exploit"},
	{"Attempt.Exploit", "exploit"},
	{"Attempt.Login", "brute-force"},
	{"Attempt.NewSignature", "ids-alert"},
	{"Intrusion", "system-compromise"},
	{"Intrusion.AdminCompromise", "privileged-account-compromise"},
	{"Intrusion.UserCompromise", "unprivileged-account-compromise"},
	{"Intrusion.AppCompromise", "application-compromise"},
	{"Intrusion.Botnet", "infected-system"},
	{"Availability", "outage"},
	{"Availability.DoS", "dos"},
	{"Availability.DDoS", "ddos"},
	{"Availability.Sabotage", "sabotage"},
	{"Availability.Outage", "outage"},
	{"Information", "data-leak"},
	{"Information.UnauthorizedAccess", "unauthorised-information-access"},
	{"Information.UnauthorizedModification", "unauthorised-information-modification"},
	{"Fraud", "masquerade"},
	{"Fraud.UnauthorizedUsage", "unauthorised-use-of-resources"},
	{"Fraud.Copyright", "copyright"},
	{"Fraud.Masquerade", "masquerade"},
	{"Fraud.Phishing", "phishing"},
	{"Fraud.Scam", "masquerade"},
	{"Vulnerable", "vulnerable-system"},
	{"Vulnerable.Open", "potentially-unwanted-accessible"},
	{"Vulnerable.Config", "vulnerable-system"},
	{"Anomaly", "other"},
	{"Anomaly.Traffic", "other"},
	{"Anomaly.Connection", "other"},
	{"Anomaly.Protocol", "other"},
	{"Anomaly.System", "other"},
	{"Anomaly.Application", "other"},
	{"Anomaly.Behaviour", "other"},
	{"Other", "other"},
	{"Test", "test"},
};

/* Beyond RSIT's own words, which are taken as they are: those of IntelMQ itself, and of its earlier
 * harmonisations. */
static const struct taxon intelmq[] = {
	{"blacklist", "other"},
	{"blocklist", "other"},
	{"dga-domain", "other"},
	{"dga domain", "other"},
	{"proxy", "other"},
	{"tor", "other"},
	{"dropzone", "other"},
	{"unknown", "undetermined"},
	{"backdoor", "system-compromise"},
	{"compromised", "system-compromise"},
	{"botnet drone", "infected-system"},
	{"malware", "infected-system"},
	{"ransomware", "infected-system"},
	{"infected system", "infected-system"},
	{"cryptojacking", "unauthorised-use-of-resources"},
	{"c&c", "c2-server"},
	{"c2server", "c2-server"},
	{"malware configuration", "malware-configuration"},
	{"defacement", "unauthorised-information-modification"},
	{"leak", "data-leak"},
	{"ids alert", "ids-alert"},
	{"vulnerable service", "vulnerable-system"},
	{"vulnerable client", "vulnerable-system"},
	{"unauthorized-command", "system-compromise"},
	{"unauthorized-login", "unprivileged-account-compromise"},
	{"unauthorized-information-access", "unauthorised-information-access"},
	{"unauthorized-information-modification", "unauthorised-information-modification"},
	{"unauthorized-use-of-resources", "unauthorised-use-of-resources"},
	{"data-loss", "data-loss"},
	{"harmful speech", "harmful-speech"},
	{"social engineering", "social-engineering"},
};

/* What says how Zeek itself is doing is context. */
static const struct taxon zeek[] = {
	{"CaptureLoss::*", ""},
	{"PacketFilter::*", ""},
	{"Broker::*", ""},
	{"Cluster::*", ""},
	{"ProtocolDetector::*", ""},
	{"Scan::*", "scanner"},
	{"Traceroute::*", "scanner"},
	{"HTTP::SQL_Injection_*", "exploit"},
	{"Heartbleed::*", "exploit"},
	{"SSH::Login_By_Password_Guesser", "unprivileged-account-compromise"},
	{"SSH::Password_Guessing", "brute-force"},
	{"SSH::*", "ids-alert"},
	{"FTP::Bruteforcing", "brute-force"},
	{"FTP::*", "ids-alert"},
	{"SMTP::Blocklist_*", "spam"},
	{"Software::Vulnerable_Version", "vulnerable-system"},
	{"SSL::Weak_*", "weak-crypto"},
	{"SSL::Old_Version", "weak-crypto"},
	{"SSL::Certificate_*", "weak-crypto"},
	{"SSL::Invalid_*", "weak-crypto"},
	{"TeamCymruMalwareHashRegistry::*", "malware-distribution"},
};

const struct taxonomy taxonomy_eve = {"eve", eve, ARRAY_LEN(eve)};
const struct taxonomy taxonomy_idea = {"idea", idea, ARRAY_LEN(idea)};
const struct taxonomy taxonomy_intelmq = {"intelmq", intelmq, ARRAY_LEN(intelmq)};
const struct taxonomy taxonomy_zeek = {"zeek", zeek, ARRAY_LEN(zeek)};

static bool fits(const struct taxon *taxon, struct str word)
{
	struct str known = str_of(taxon->word);

	if (known.p[known.len - 1] != '*')
		return str_equal_nocase(known, word);
	known.len--;
	return word.len >= known.len && str_equal_nocase(known, (struct str){word.p, known.len});
}

const struct taxon *taxon_find(const struct taxonomy *taxonomy, struct str word)
{
	for (size_t i = 0; i < taxonomy->count; i++)
		if (fits(&taxonomy->taxa[i], word))
			return &taxonomy->taxa[i];
	return NULL;
}

const struct taxon *taxon_near(const struct taxonomy *taxonomy, struct str word)
{
	const struct taxon *nearest = NULL;
	size_t least = NEAR + 1;

	for (size_t i = 0; i < taxonomy->count; i++) {
		size_t distance;
		if (str_resembles(word, str_of(taxonomy->taxa[i].word), &distance) && distance < least) {
			nearest = &taxonomy->taxa[i];
			least = distance;
		}
	}
	return nearest;
}

enum rsit_type taxon_type(const struct taxon *taxon)
{
	enum rsit_type type = RSIT_NONE;

	(void)rsit_parse(str_of(taxon->type), &type);
	return type;
}
