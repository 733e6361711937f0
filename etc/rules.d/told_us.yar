/*
 * What people write when they report something, in the words of several languages: a first classification, at low
 * confidence, so that the inbox is sorted before anybody has read it. Rules about the thing itself weigh more.
 */
rule told_of_phishing
{
	meta:
		description = "Somebody reports a phishing page or mail"
		scope = "text"
		classification = "phishing"
		identifier = "phishing"
		severity = "medium"
		confidence = 40
		title = "Report of phishing"
	strings:
		$word1 = /phishing/ nocase
		$word2 = "\xe3\x83\x95\xe3\x82\xa3\xe3\x83\x83\xe3\x82\xb7\xe3\x83\xb3\xe3\x82\xb0"
		$word3 = /\xd1\x84\xd0\xb8\xd1\x88\xd0\xb8\xd0\xbd\xd0\xb3/
		$word4 = /hame\xc3\xa7onnage|suplantaci\xc3\xb3n de identidad/ nocase
		$word5 = "\xe9\x92\x93\xe9\xb1\xbc"
		$link = /h(tt|xx)ps?(:|\[:\])\/\// nocase
	condition:
		any of ($word*) and $link
}

rule parcel_fee_phishing
{
	meta:
		description = "Mail in the name of a post or courier asks for a small fee behind a link"
		scope = "text"
		classification = "phishing"
		identifier = "parcel-phishing"
		severity = "medium"
		confidence = 60
		title = "Parcel-fee phishing"
	strings:
		$parcel = /\b(parcel|package|shipment|colis|paket|paquete|pacco|encomenda)\b/ nocase
		$fee = /\b(pay|fee|customs|frais|douane|zoll|geb\xc3\xbchr|aduana|tasa|dogana|taxa)\b/ nocase
		$hurry = /\b(waiting|held|pending|within (24|48) hours|en attente|wartet|retenid[oa]|in attesa)\b/ nocase
		$link = /h(tt|xx)ps?(:|\[:\])\/\// nocase
	condition:
		all of them
}

rule told_of_command_and_control
{
	meta:
		description = "Somebody reports a command and control server"
		scope = "text"
		classification = "c2-server"
		identifier = "c2"
		severity = "high"
		confidence = 40
		title = "Report of a command and control server"
	strings:
		$word1 = /command[- ](and|&)[- ]control/ nocase
		$word2 = /\b(c2|c&c|botnet) (server|panel|controller)/ nocase
		$word3 = /serveur de commande et (de )?contr\xc3\xb4le/ nocase
	condition:
		any of them
}

rule told_of_brute_force
{
	meta:
		description = "Somebody reports password guessing"
		scope = "text"
		classification = "brute-force"
		identifier = "brute-force"
		severity = "medium"
		confidence = 40
		title = "Report of password guessing"
	strings:
		$word1 = /brute[- ]?force/ nocase
		$word2 = /(ssh|rdp|smtp|imap|ftp|login|password)[- ](password |login )?(guessing|bruteforcing)/ nocase
		$word3 = "\xd0\xbf\xd0\xb5\xd1\x80\xd0\xb5\xd0\xb1\xd0\xbe\xd1\x80 \xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd0\xb5\xd0\xb9"
		$word4 = /fuerza bruta|force brute/ nocase
	condition:
		any of them
}

rule told_of_defacement
{
	meta:
		description = "Somebody reports a defaced web page"
		scope = "text"
		classification = "unauthorised-information-modification"
		identifier = "defacement"
		severity = "high"
		confidence = 40
		title = "Report of a defacement"
	strings:
		$word1 = /\b(web ?(page|site)s?|home ?page|server)\b.{0,60}\b(was|were|is|are|has been|have been) defaced/ nocase
		$word2 = /\bdefacement of\b/ nocase
		$word3 = /(site|page)s? .{0,40}(d\xc3\xa9figur\xc3\xa9e?s?|d\xc3\xa9fac\xc3\xa9e?s?)/ nocase
	condition:
		any of them
}
