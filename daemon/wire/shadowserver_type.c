/*
 * What each of Shadowserver's reports says: its RSIT type, our identifier, and the severity that Shadowserver
 * gives it by default. Names in the order of the file's; the first that fits counts, so families of names
 * stand last.
 */
#include "config.h"

#include "wire/shadowserver.h"

#include "base/mem.h"

/* The middle of each word's range (model/severity.h). */
enum { INFO = 10, LOW = 30, MEDIUM = 50, HIGH = 70, CRITICAL = 90 };

#define SERVICE SHADOWSERVER_SERVICE
#define FAMILY  SHADOWSERVER_FAMILY
#define TAGGED  (SHADOWSERVER_SERVICE | SHADOWSERVER_TAG)

static const struct shadowserver_type types[] = {
	{"blocklist", "other", "blocklisted-ip", LOW, 0},
	{"compromised_account", "data-leak", "compromised-account", CRITICAL, FAMILY},
	{"compromised_iot", "system-compromise", "compromised-iot", CRITICAL, FAMILY},
	{"compromised_website", "system-compromise", "compromised-website", CRITICAL, FAMILY},
	{"device_id", "other", "device-id", INFO, SERVICE},
	{"event4_ddos_participant", "infected-system", "ddos-participant", HIGH, FAMILY},
	{"event4_honeypot_adb_scan", "scanner", "adb-scan", HIGH, 0},
	{"event4_honeypot_brute_force", "brute-force", "honeypot-brute-force", CRITICAL, 0},
	{"event4_honeypot_darknet", "scanner", "darknet", HIGH, 0},
	{"event4_honeypot_ddos", "ddos", "honeypot-ddos", CRITICAL, 0},
	{"event4_honeypot_ddos_amp", "ddos", "ddos-amplification", INFO, 0},
	{"event4_honeypot_ddos_target", "ddos", "ddos-target", INFO, 0},
	{"event4_honeypot_http_scan", "exploit", "http-scan", HIGH, 0},
	{"event4_honeypot_ics_scan", "scanner", "ics-scan", CRITICAL, 0},
	{"event4_honeypot_ikev2_scan", "scanner", "ikev2-scan", HIGH, 0},
	{"event4_honeypot_rdp_scan", "scanner", "rdp-scan", HIGH, 0},
	{"event4_honeypot_rocketmq_scan", "exploit", "rocketmq-scan", HIGH, 0},
	{"event4_honeypot_smb_scan", "scanner", "smb-scan", HIGH, 0},
	{"event4_honeypot_snmp_scan", "scanner", "snmp-scan", HIGH, 0},
	{"event4_initial_access_broker", "system-compromise", "initial-access-broker", CRITICAL, FAMILY},
	{"event4_ip_spoofer", "misconfiguration", "ip-spoofer", MEDIUM, 0},
	{"event4_microsoft_sinkhole", "infected-system", "sinkhole", CRITICAL, FAMILY},
	{"event4_microsoft_sinkhole_http", "infected-system", "sinkhole-http", CRITICAL, FAMILY},
	{"event4_sinkhole", "infected-system", "sinkhole", CRITICAL, FAMILY},
	{"event4_sinkhole_dns", "infected-system", "sinkhole-dns", INFO, FAMILY},
	{"event4_sinkhole_http", "infected-system", "sinkhole-http", CRITICAL, FAMILY},
	{"event4_sinkhole_http_referer", "application-compromise", "sinkhole-http-referer", CRITICAL, FAMILY},
	{"malware_url", "malware-distribution", "malware-url", CRITICAL, FAMILY},
	{"phish_url", "phishing", "phish-url", HIGH, 0},
	{"ransomware_victim", "data-leak", "ransomware-victim", INFO, 0},
	{"sandbox_conn", "malware-configuration", "sandbox-connection", LOW, FAMILY},
	{"sandbox_dns", "malware-configuration", "sandbox-dns", LOW, FAMILY},
	{"sandbox_url", "malware-configuration", "sandbox-url", LOW, FAMILY},
	{"spam_url", "spam", "spam-url", LOW, 0},
	{"special", "other", "special", CRITICAL, TAGGED},
	{"targeted_host", "other", "targeted-host", LOW, 0},
	{"population_bgp", "potentially-unwanted-accessible", "accessible-bgp", MEDIUM, SERVICE},
	{"population_http_proxy", "potentially-unwanted-accessible", "accessible-http-proxy", LOW, SERVICE},
	{"population_isakmp", "potentially-unwanted-accessible", "accessible-isakmp", INFO, SERVICE},
	{"population_msmq", "potentially-unwanted-accessible", "accessible-msmq", MEDIUM, SERVICE},
	{"population_ntrip", "potentially-unwanted-accessible", "accessible-ntrip", INFO, SERVICE},
	{"population_xmpp", "potentially-unwanted-accessible", "accessible-xmpp", INFO, SERVICE},
	{"scan_activemq", "potentially-unwanted-accessible", "open-activemq", MEDIUM, SERVICE},
	{"scan_adb", "potentially-unwanted-accessible", "open-adb", CRITICAL, SERVICE},
	{"scan_afp", "potentially-unwanted-accessible", "open-afp", HIGH, SERVICE},
	{"scan_amqp", "potentially-unwanted-accessible", "open-amqp", MEDIUM, SERVICE},
	{"scan_ard", "ddos-amplifier", "open-ard", HIGH, SERVICE},
	{"scan_badsecrets", "vulnerable-system", "badsecrets", HIGH, SERVICE},
	{"scan_beacon", "c2-server", "post-exploitation-framework", HIGH, SERVICE},
	{"scan_bgp", "vulnerable-system", "open-bgp", HIGH, SERVICE},
	{"scan_chargen", "ddos-amplifier", "open-chargen", MEDIUM, SERVICE},
	{"scan_cisco_smart_install", "vulnerable-system", "cisco-smart-install", CRITICAL, SERVICE},
	{"scan_coap", "ddos-amplifier", "open-coap", MEDIUM, SERVICE},
	{"scan_couchdb", "potentially-unwanted-accessible", "open-couchdb", HIGH, SERVICE},
	{"scan_cwmp", "potentially-unwanted-accessible", "open-cwmp", MEDIUM, SERVICE},
	{"scan_db2", "ddos-amplifier", "open-db2", HIGH, SERVICE},
	{"scan_ddos_middlebox", "ddos-amplifier", "ddos-middlebox", MEDIUM, SERVICE},
	{"scan_dns", "ddos-amplifier", "dns-open-resolver", MEDIUM, SERVICE},
	{"scan_docker", "potentially-unwanted-accessible", "open-docker", CRITICAL, SERVICE},
	{"scan_dvr_dhcpdiscover", "ddos-amplifier", "open-dvr-dhcpdiscover", HIGH, SERVICE},
	{"scan_elasticsearch", "potentially-unwanted-accessible", "open-elasticsearch", HIGH, SERVICE},
	{"scan_epmd", "potentially-unwanted-accessible", "open-epmd", HIGH, SERVICE},
	{"scan_exchange", "vulnerable-system", "vulnerable-exchange", CRITICAL, TAGGED},
	{"scan_ftp", "potentially-unwanted-accessible", "open-ftp", INFO, SERVICE},
	{"scan_gtp", "potentially-unwanted-accessible", "open-gtp", LOW, SERVICE},
	{"scan_hadoop", "potentially-unwanted-accessible", "open-hadoop", HIGH, SERVICE},
	{"scan_http", "potentially-unwanted-accessible", "accessible-http", INFO, SERVICE},
	{"scan_http_proxy", "potentially-unwanted-accessible", "open-http-proxy", MEDIUM, SERVICE},
	{"scan_http_vulnerable", "vulnerable-system", "vulnerable-http", CRITICAL, TAGGED},
	{"scan_ics", "potentially-unwanted-accessible", "open-ics", HIGH, SERVICE},
	{"scan_imap", "potentially-unwanted-accessible", "accessible-imap", LOW, SERVICE},
	{"scan_imap_vulnerable", "vulnerable-system", "vulnerable-imap", MEDIUM, TAGGED},
	{"scan_ip_tunnel", "vulnerable-system", "open-ip-tunnel", MEDIUM, SERVICE},
	{"scan_ipmi", "vulnerable-system", "open-ipmi", HIGH, SERVICE},
	{"scan_ipp", "potentially-unwanted-accessible", "open-ipp", HIGH, SERVICE},
	{"scan_isakmp", "vulnerable-system", "vulnerable-isakmp", MEDIUM, TAGGED},
	{"scan_kubernetes", "potentially-unwanted-accessible", "open-kubernetes", HIGH, SERVICE},
	{"scan_ldap_tcp", "potentially-unwanted-accessible", "open-ldap-tcp", HIGH, SERVICE},
	{"scan_ldap_udp", "ddos-amplifier", "open-ldap-udp", HIGH, SERVICE},
	{"scan_loop_dos", "vulnerable-system", "loop-dos", HIGH, SERVICE},
	{"scan_mdns", "ddos-amplifier", "open-mdns", MEDIUM, SERVICE},
	{"scan_memcached", "ddos-amplifier", "open-memcached", HIGH, SERVICE},
	{"scan_mikrotik_population", "potentially-unwanted-accessible", "accessible-mikrotik", INFO, SERVICE},
	{"scan_mikrotik_service", "potentially-unwanted-accessible", "accessible-mikrotik", MEDIUM, SERVICE},
	{"scan_mongodb", "potentially-unwanted-accessible", "open-mongodb", HIGH, SERVICE},
	{"scan_mqtt", "potentially-unwanted-accessible", "open-mqtt", MEDIUM, SERVICE},
	{"scan_mqtt_anon", "potentially-unwanted-accessible", "open-mqtt-anon", HIGH, SERVICE},
	{"scan_msrpc", "potentially-unwanted-accessible", "open-msrpc", HIGH, SERVICE},
	{"scan_mssql", "ddos-amplifier", "open-mssql", HIGH, SERVICE},
	{"scan_mysql", "potentially-unwanted-accessible", "open-mysql", HIGH, SERVICE},
	{"scan_nat_pmp", "vulnerable-system", "vulnerable-nat-pmp", HIGH, SERVICE},
	{"scan_netbios", "ddos-amplifier", "open-netbios", HIGH, SERVICE},
	{"scan_netis_router", "vulnerable-system", "netis-router-backdoor", CRITICAL, SERVICE},
	{"scan_ntp", "ddos-amplifier", "ntp-version", MEDIUM, SERVICE},
	{"scan_ntpmonitor", "ddos-amplifier", "ntp-monitor", MEDIUM, SERVICE},
	{"scan_pop3", "potentially-unwanted-accessible", "accessible-pop3", LOW, SERVICE},
	{"scan_pop3_vulnerable", "vulnerable-system", "vulnerable-pop3", MEDIUM, TAGGED},
	{"scan_portmapper", "ddos-amplifier", "open-portmapper", MEDIUM, SERVICE},
	{"scan_post_exploitation_framework", "c2-server", "post-exploitation-framework", HIGH, SERVICE},
	{"scan_postgres", "potentially-unwanted-accessible", "open-postgres", HIGH, SERVICE},
	{"scan_qotd", "ddos-amplifier", "open-qotd", MEDIUM, SERVICE},
	{"scan_quic", "potentially-unwanted-accessible", "accessible-quic", INFO, SERVICE},
	{"scan_radmin", "potentially-unwanted-accessible", "open-radmin", HIGH, SERVICE},
	{"scan_ransom", "data-loss", "ransomed-database", LOW, SERVICE},
	{"scan_rdp", "potentially-unwanted-accessible", "open-rdp", HIGH, SERVICE},
	{"scan_rdpeudp", "ddos-amplifier", "open-rdpeudp", HIGH, SERVICE},
	{"scan_redis", "potentially-unwanted-accessible", "open-redis", HIGH, SERVICE},
	{"scan_rsync", "potentially-unwanted-accessible", "open-rsync", MEDIUM, SERVICE},
	{"scan_sip", "ddos-amplifier", "open-sip", HIGH, SERVICE},
	{"scan_slp", "ddos-amplifier", "open-slp", HIGH, SERVICE},
	{"scan_smb", "potentially-unwanted-accessible", "open-smb", HIGH, SERVICE},
	{"scan_smtp", "potentially-unwanted-accessible", "accessible-smtp", INFO, SERVICE},
	{"scan_smtp_vulnerable", "vulnerable-system", "vulnerable-smtp", CRITICAL, TAGGED},
	{"scan_snmp", "ddos-amplifier", "open-snmp", HIGH, SERVICE},
	{"scan_socks", "potentially-unwanted-accessible", "open-socks", MEDIUM, SERVICE},
	{"scan_ssdp", "ddos-amplifier", "open-ssdp", HIGH, SERVICE},
	{"scan_ssh", "potentially-unwanted-accessible", "accessible-ssh", INFO, SERVICE},
	{"scan_ssl", "potentially-unwanted-accessible", "accessible-ssl", INFO, SERVICE},
	{"scan_ssl_freak", "weak-crypto", "ssl-freak", LOW, SERVICE},
	{"scan_ssl_poodle", "weak-crypto", "ssl-poodle", LOW, SERVICE},
	{"scan_stun", "ddos-amplifier", "open-stun", MEDIUM, SERVICE},
	{"scan_synfulknock", "system-compromise", "synful-knock", CRITICAL, SERVICE},
	{"scan_telnet", "potentially-unwanted-accessible", "open-telnet", MEDIUM, SERVICE},
	{"scan_tftp", "potentially-unwanted-accessible", "open-tftp", INFO, SERVICE},
	{"scan_ubiquiti", "ddos-amplifier", "open-ubiquiti", HIGH, SERVICE},
	{"scan_vnc", "potentially-unwanted-accessible", "open-vnc", HIGH, SERVICE},
	{"scan_ws_discovery", "ddos-amplifier", "open-ws-discovery", MEDIUM, SERVICE},
	{"scan_xdmcp", "ddos-amplifier", "open-xdmcp", HIGH, SERVICE},
	{"botnet_drone", "infected-system", "botnet-drone", CRITICAL, FAMILY},
	{"drone", "infected-system", "botnet-drone", CRITICAL, FAMILY},
	{"drone_brute_force", "brute-force", "brute-force", HIGH, 0},
	{"brute_force", "brute-force", "brute-force", HIGH, 0},
	{"caida_ip_spoofer", "misconfiguration", "ip-spoofer", MEDIUM, 0},
	{"cisco_smart_install", "vulnerable-system", "cisco-smart-install", CRITICAL, SERVICE},
	{"cwsandbox_url", "malware-configuration", "sandbox-url", LOW, FAMILY},
	{"darknet", "scanner", "darknet", HIGH, 0},
	{"ddos_amplification", "ddos", "ddos-amplification", LOW, 0},
	{"dns_openresolver", "ddos-amplifier", "dns-open-resolver", MEDIUM, SERVICE},
	{"hp_http_scan", "scanner", "http-scan", HIGH, 0},
	{"hp_ics_scan", "scanner", "ics-scan", CRITICAL, 0},
	{"http_referer", "application-compromise", "sinkhole-http-referer", CRITICAL, FAMILY},
	{"microsoft_sinkhole", "infected-system", "sinkhole", CRITICAL, FAMILY},
	{"ntp_monitor", "ddos-amplifier", "ntp-monitor", MEDIUM, SERVICE},
	{"netis_router", "vulnerable-system", "netis-router-backdoor", CRITICAL, SERVICE},
	{"outdated_dnssec_key", "misconfiguration", "outdated-dnssec-key", LOW, 0},
	{"sinkhole_http_drone", "infected-system", "sinkhole-http", CRITICAL, FAMILY},
	{"sinkhole6_http", "infected-system", "sinkhole-http", CRITICAL, FAMILY},
	{"ssl_scan", "potentially-unwanted-accessible", "accessible-ssl", INFO, SERVICE},
	{"scan_*", "vulnerable-system", "open-", MEDIUM, TAGGED},
	{"population_*", "potentially-unwanted-accessible", "accessible-", INFO, SERVICE},
	{"compromised_*", "system-compromise", "compromised-", CRITICAL, FAMILY},
	{"event4_honeypot_*", "scanner", "honeypot-", HIGH, 0},
	{"event4_*", "undetermined", "", MEDIUM, FAMILY},
	{"sinkhole_*", "infected-system", "sinkhole-", CRITICAL, FAMILY},
	{"*", "undetermined", "", MEDIUM, 0},
};

/* "scan6_rdp" is "scan_rdp", "event6_sinkhole" "event4_sinkhole", "device_id6" "device_id". */
static struct str without_six(struct str name, char copy[64])
{
	const char *six;

	if (name.len == 0 || name.len >= 64)
		return name;
	memcpy(copy, name.p, name.len);
	six = memchr(copy, '6', name.len);
	if (!six || (six + 1 < copy + name.len && six[1] != '_'))
		return (struct str){copy, name.len};
	if (str_starts((struct str){copy, name.len}, STR("event6_"))) {
		copy[5] = '4';
		return (struct str){copy, name.len};
	}
	memmove(copy + (six - copy), six + 1, (size_t)(copy + name.len - six - 1));
	return (struct str){copy, name.len - 1};
}

const struct shadowserver_type *shadowserver_type_of(struct str name, struct str *rest)
{
	char copy[64];
	struct str plain = without_six(name, copy);

	*rest = STR_NONE;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct str pattern = str_of(types[i].name);
		bool family = pattern.p[pattern.len - 1] == '*';
		if (str_equal(name, pattern) || str_equal(plain, pattern))
			return &types[i];
		if (!family || !str_starts(plain, (struct str){pattern.p, pattern.len - 1}))
			continue;
		/* of the caller's text: the last bytes are the same in both */
		rest->len = plain.len - (pattern.len - 1);
		rest->p = name.len > 0 ? name.p + name.len - rest->len : NULL;
		return &types[i];
	}
	return NULL;
}

const struct shadowserver_type *shadowserver_types(size_t *count)
{
	*count = ARRAY_LEN(types);
	return types;
}
