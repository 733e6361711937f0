/*
 * Mail that wants a password: a threat to an account, pressure of time, and a link to "verify" it. In several languages, because
 * a country's mail is.
 */
rule credential_harvest_mail
{
	meta:
		description = "Mail threatens an account and asks to sign in behind a link"
		scope = "text"
		classification = "phishing"
		identifier = "credential-harvest"
		severity = "high"
		confidence = 70
		title = "Credential-harvest mail"
	strings:
		$threat_en1 = /(account|mailbox|e-?mail|password|access) (has been|will be|was|is about to be|is going to be) (suspended|locked|deactivated|disabled|closed|blocked|terminated|limited|restricted)/ nocase
		$threat_en2 = /password (has expired|will expire|expires (today|in|soon))/ nocase
		$threat_en3 = /(unusual|suspicious|unauthori[sz]ed) (sign-?in|log-?in|activity|access)( attempt)? (on|to|in|was|has been|from)/ nocase
		$threat_en4 = /(mailbox|storage)( quota| limit)? (is|has been|was) (almost )?(full|exceeded)/ nocase
		$threat_fr1 = /(compte|messagerie|acc\xc3\xa8s|bo\xc3\xaete mail) (a \xc3\xa9t\xc3\xa9|est|sera) (suspendue?|bloqu\xc3\xa9e?|limit\xc3\xa9e?|d\xc3\xa9sactiv\xc3\xa9e?)/ nocase
		$threat_fr2 = /mot de passe (a expir\xc3\xa9|expire|va expirer)/ nocase
		$threat_de1 = /(konto|postfach|zugang) (wurde|wird|ist) .{0,40}(gesperrt|eingeschr\xc3\xa4nkt|deaktiviert|gel\xc3\xb6scht)/ nocase
		$threat_de2 = /passwort (ist abgelaufen|l\xc3\xa4uft .{0,20}ab)/ nocase
		$threat_es1 = /(cuenta|buz\xc3\xb3n|acceso) (ha sido|ser\xc3\xa1|est\xc3\xa1|fue) (suspendid|bloquead|limitad|desactivad)[ao]/ nocase
		$threat_es2 = /contrase\xc3\xb1a (ha caducado|caduca|expira|ha expirado)/ nocase
		$threat_pt1 = /(conta|caixa de correio|acesso) (foi|ser\xc3\xa1|est\xc3\xa1) (suspens|bloquead|limitad|desativad)[ao]/ nocase
		$threat_it1 = /(account|conto|casella) .{0,6}(\xc3\xa8 stat[oa]|sar\xc3\xa0|verr\xc3\xa0) (sospes|bloccat|limitat|disattivat)[oa]/ nocase
		$ask_en = /(verify|confirm|validate|update|re-?activate|restore|secure|keep) (your|the same|my) (\w{1,20} )?(account|password|identity|mailbox|e-?mail|information|details|access)/ nocase
		$ask_en2 = /(click|follow) (here|on the link|the link|below|the button)/ nocase
		$ask_fr = /(v\xc3\xa9rifie[rz]|confirme[rz]|valide[rz]|mettre \xc3\xa0 jour|r\xc3\xa9active[rz]) (votre|vos|le|ici)/ nocase
		$ask_de = /(best\xc3\xa4tigen|verifizieren|aktualisieren|reaktivieren) sie (ihr|ihre|ihren|hier)/ nocase
		$ask_es = /(verifi(que|car)|confirm(e|ar)|actuali(ce|zar)|valid(e|ar)) (su|tu|sus|aqu\xc3\xad)/ nocase
		$ask_pt = /(verifi(que|car)|confirm(e|ar)|atuali(ze|zar)|valid(e|ar)) (sua|seu|seus|aqui)/ nocase
		$ask_it = /(verific(a|hi|are)|conferm(a|i|are)|aggiorn(a|i|are)) (il|la|i|le|qui)/ nocase
		$link = /h(tt|xx)ps?:\/\//  nocase
	condition:
		$link and any of ($threat_*) and any of ($ask_*)
}

rule credential_harvest_help_desk
{
	meta:
		description = "Mail in the name of a help desk asks for user name and password in the answer"
		scope = "text"
		classification = "phishing"
		identifier = "credential-harvest"
		severity = "high"
		confidence = 60
		title = "Mail asks for a password"
	strings:
		$who1 = /(help ?desk|it support|web ?mail admin|system administrator|mail admin(istrator)?)/ nocase
		$who2 = /(service informatique|administrateur (syst\xc3\xa8me|messagerie)|soporte t\xc3\xa9cnico|administrador d[eo] (sistema|correo))/ nocase
		$field1 = /(user ?name|login|user id|nom d'utilisateur|benutzername|usuario)\s*:\s*[._(\[]{2,}/ nocase
		$field2 = /(password|mot de passe|passwort|contrase\xc3\xb1a|senha)\s*:\s*[._(\[]{2,}/ nocase
	condition:
		any of ($who*) and $field1 and $field2
}
