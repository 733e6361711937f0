/* What is left behind where files were encrypted: it says so, says how to pay, and how to get in touch. */
rule ransom_note
{
	meta:
		description = "Note that demands payment for the decryption of files"
		scope = "text,file"
		classification = "malware-distribution"
		identifier = "ransom-note"
		severity = "critical"
		confidence = 80
		title = "Ransom note"
		tag = "ransomware"
	strings:
		$done_en1 = /(files|documents|data|databases|network|servers|backups)[^.\n]{0,80} (have been|has been|were|was|are|is) (all )?(encrypted|locked|stolen and encrypted|exfiltrated and encrypted)/ nocase
		$done_en2 = /(we|i) (have )?(encrypted|locked|stolen and encrypted) (all )?(of )?your/ nocase
		$done_fr = /(fichiers|documents|donn\xc3\xa9es|serveurs)[^.\n]{0,60} (ont \xc3\xa9t\xc3\xa9|sont) (tous )?(chiffr\xc3\xa9|crypt\xc3\xa9|verrouill\xc3\xa9)/ nocase
		$done_de = /(dateien|daten|dokumente|server)[^.\n]{0,60} (wurden|sind) [^.\n]{0,30}verschl\xc3\xbcsselt/ nocase
		$done_es = /(archivos|ficheros|datos|documentos|servidores)[^.\n]{0,60} (han sido|est\xc3\xa1n|fueron) (todos )?(cifrado|encriptado|bloqueado)/ nocase
		$done_pt = /(arquivos|ficheiros|dados|documentos)[^.\n]{0,60} (foram|est\xc3\xa3o) (todos )?(criptografado|encriptado|cifrado)/ nocase
		$key1 = /(decrypt(ion|or)?|private|unique) (key|tool|software|program|id)/ nocase
		$key2 = /(decrypt|recover|restore|get back) (all )?(of )?your (files|data|network|documents)/ nocase
		$key3 = /(cl\xc3\xa9 de d\xc3\xa9chiffrement|d\xc3\xa9chiffrer vos|entschl\xc3\xbcssel|descifrar sus|clave de descifrado|descriptografar)/ nocase
		$pay1 = /(bitcoin|\bbtc\b|monero|\bxmr\b)/ nocase
		$pay2 = /(\.onion|tor browser|torproject\.org|qtox|tox id)/ nocase
		$pay3 = /(pay|payment|price|ransom)[^.\n]{0,60}(decrypt|files|hours|days|double|increase)/ nocase
		$warn1 = /do not (rename|modify|try to decrypt|use third|delete|shut ?down|contact the police|call)/ nocase
		$warn2 = /(will be (published|leaked|sold|deleted)|we will (publish|leak|sell))/ nocase
		$warn3 = /(ne renommez pas|n'essayez pas|benennen sie .{0,30}nicht um|no (cambie|renombre|intente))/ nocase
	condition:
		filesize < 256KB and any of ($done_*) and
		((any of ($key*) and (any of ($pay*) or any of ($warn*))) or ($pay2 and any of ($warn*)))
}
