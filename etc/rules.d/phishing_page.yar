/* Pages that take passwords: kits as they are sent as attachments, or as they are found on broken web servers. */
rule phishing_page_form
{
	meta:
		description = "HTML file with a password field and a form that posts to another site or to a kit's script"
		scope = "file"
		classification = "phishing"
		identifier = "phishing-page"
		severity = "high"
		confidence = 75
		title = "Phishing page"
	strings:
		$html = /<(html|form|!doctype html)/ nocase
		$password = /<input[^>]{1,200}type\s*=\s*["']?password/ nocase
		$post_away = /<form[^>]{1,300}action\s*=\s*["']?https?:\/\/[^"'> ]{1,200}\.(php|asp|aspx|cgi)/ nocase
		$post_kit = /<form[^>]{1,300}action\s*=\s*["']?[^"'> ]{0,80}(post|login|next|send|process|submit|verify|mail|gate|action|check|result)[0-9]{0,3}\.php/ nocase
		$brand = /(microsoft|office ?365|outlook|onedrive|sharepoint|docusign|paypal|dhl|fedex|netflix|apple id|icloud|webmail|google drive|linkedin|facebook|whatsapp|bank|banque|banco|post)/ nocase
	condition:
		filesize < 3MB and $html and $password and $brand and ($post_away or $post_kit)
}

rule phishing_page_attachment
{
	meta:
		description = "HTML file that is unpacked by script into a page with a password field, or fills in the victim's address"
		scope = "file"
		classification = "phishing"
		identifier = "html-smuggling"
		severity = "high"
		confidence = 65
		title = "HTML attachment that hides a page"
	strings:
		$html = /<(html|script|body|!doctype html)/ nocase
		$write = /document\.write\s*\(\s*(unescape|atob|decodeURIComponent)\s*\(/ nocase
		$eval = /eval\s*\(\s*(unescape|atob|decodeURIComponent)\s*\(/ nocase
		$blob = /new\s+Blob\s*\(\s*\[/ nocase
		$save = /(msSaveOrOpenBlob|createObjectURL|\.download\s*=)/ nocase
		$bytes = /Uint8Array|charCodeAt/ nocase
		$atob = /atob\s*\(/ nocase
		$packed = /["'][A-Za-z0-9+\/=%]{2000}/
	condition:
		filesize < 10MB and $html and ($write or $eval or ($blob and $save and ($atob or $bytes) and $packed))
}
