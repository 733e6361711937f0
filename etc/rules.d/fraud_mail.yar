/* Mail that wants money. */
rule sextortion_mail
{
	meta:
		description = "Mail claims to have recorded the receiver and wants coins"
		scope = "text"
		classification = "social-engineering"
		identifier = "sextortion"
		severity = "medium"
		confidence = 80
		title = "Extortion mail"
	strings:
		$have_en = /(recorded|filmed|video of|footage of|captured)[^.\n]{0,60}(you|your (web ?cam|camera))/ nocase
		$have_en2 = /(access to|hacked|infected|control of)[^.\n]{0,40}your (devices?|computer|camera|web ?cam|accounts?|operating system)/ nocase
		$have_fr = /(pirat\xc3\xa9|infect\xc3\xa9|acc\xc3\xa8s \xc3\xa0)[^.\n]{0,40}(votre|vos) (appareils?|ordinateur|cam\xc3\xa9ra|webcam)/ nocase
		$have_de = /(gehackt|infiziert|zugriff auf|aufgezeichnet)[^.\n]{0,40}(ihre?[nrms]?|deine?[nrms]?) (ger\xc3\xa4te?|computer|kamera|webcam)/ nocase
		$have_es = /(hackead|infectad|acceso a)[^.\n]{0,40}(su|tu|sus|tus) (dispositivos?|ordenador|c\xc3\xa1mara|computadora)/ nocase
		$coin = /\b(bc1[a-z0-9]{20,70}|[13][a-km-zA-HJ-NP-Z1-9]{25,34}|4[0-9AB][1-9A-HJ-NP-Za-km-z]{93})\b/
		$shame = /(masturbat|porn|adult (site|video|website|content)|intimate|pornograph|pornogr\xc3\xa1)/ nocase
		$pay = /(bitcoin|\bbtc\b|monero|litecoin|wallet)/ nocase
	condition:
		$coin and $pay and (any of ($have_*) or $shame)
}

rule invoice_fraud_mail
{
	meta:
		description = "Mail announces new bank details or asks for an urgent, discreet transfer"
		scope = "text"
		classification = "masquerade"
		identifier = "invoice-fraud"
		severity = "high"
		confidence = 60
		title = "Invoice fraud (business e-mail compromise)"
	strings:
		$new_en = /((new|updated|changed|change of|change in|change to) (our )?(bank(ing)?|account|payment|remittance) (details|information|account|instructions)|(bank|account|payment) (details|information) (have|has) changed)/ nocase
		$new_fr = /(nouvelles? coordonn\xc3\xa9es bancaires|changement de (coordonn\xc3\xa9es bancaires|rib|compte)|nouveau rib)/ nocase
		$new_de = /((neue|ge\xc3\xa4nderte) (bankverbindung|kontodaten)|bankverbindung (hat sich|wurde) ge\xc3\xa4ndert)/ nocase
		$new_es = /((nuev[ao]s?|cambio de) (datos bancarios|cuenta bancaria))/ nocase
		$new_pt = /((nov[ao]s?|altera\xc3\xa7\xc3\xa3o d[eo]s?) (dados banc\xc3\xa1rios|conta banc\xc3\xa1ria))/ nocase
		$money = /\b(iban|swift|bic|wire transfer|bank transfer|virement|\xc3\xbcberweisung|transferencia|transfer\xc3\xaancia|remittance)\b/ nocase
		$push1 = /(urgent|immediately|as soon as possible|asap|today|before (close|end) of (business|day))/ nocase
		$push2 = /(confidential|discreet|do not (call|discuss|tell)|keep this between|i am in a meeting|can(no|')t (talk|take calls))/ nocase
		$push3 = /(outstanding|pending|all (future|upcoming|further)|due) (invoices?|payments?)/ nocase
		$push4 = /(urgence|imm\xc3\xa9diatement|confidentiel|dringend|umgehend|vertraulich|urgente|inmediatamente|factures?|rechnung(en)?|facturas?|faturas?)/ nocase
	condition:
		any of ($new_*) and $money and any of ($push*)
}

rule gift_card_fraud_mail
{
	meta:
		description = "Mail in a superior's name wants codes of gift cards"
		scope = "text"
		classification = "masquerade"
		identifier = "gift-card-fraud"
		severity = "medium"
		confidence = 60
		title = "Gift card fraud"
	strings:
		$card = /(gift ?cards?|itunes cards?|steam cards?|google play cards?|cartes? cadeaux?|geschenkkarten?|tarjetas? (de )?regalo)/ nocase
		$code = /(scratch|send (me )?(the )?(codes?|pictures?|photos?)|code (at|on) the back|pin codes?|photo of the (back|codes?))/ nocase
		$boss = /(i am in a meeting|i'm in a meeting|are you (available|free|at your desk)|confidential|surprise|reimburse|can(no|')t (talk|take calls))/ nocase
	condition:
		all of them
}
