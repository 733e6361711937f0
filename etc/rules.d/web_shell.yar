/* Scripts on web servers that run what a visitor sends them. */
rule web_shell_php
{
	meta:
		description = "PHP that runs what a request brings"
		scope = "file"
		classification = "system-compromise"
		identifier = "web-shell"
		severity = "critical"
		confidence = 85
		title = "Web shell (PHP)"
	strings:
		$php = /<\?(php|=|\s)/ nocase
		$run = /\b(eval|assert|system|shell_exec|passthru|exec|popen|proc_open|pcntl_exec|create_function)\s*\(\s*@?\s*\$_(GET|POST|REQUEST|COOKIE|SERVER)\b/ nocase
		$run_decoded = /\b(eval|assert)\s*\(\s*@?(gzinflate|gzuncompress|base64_decode|str_rot13|gzdecode)\s*\(\s*@?(gzinflate|base64_decode|str_rot13|strrev|\$_(GET|POST|REQUEST|COOKIE))/ nocase
		$call = /\$_(GET|POST|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*\(\s*@?\$_(GET|POST|REQUEST|COOKIE)/ nocase
		$replace = /preg_replace\s*\(\s*["'][^"']{0,40}\/[a-z]{0,4}e[a-z]{0,4}["']\s*,\s*@?\$_/ nocase
		$backtick = /`\s*\{?\$_(GET|POST|REQUEST|COOKIE)/ nocase
		$name1 = "c99shell" nocase
		$name2 = "r57shell" nocase
		$name3 = "b374k" nocase
		$name4 = "FilesMan" fullword
		$name5 = "WSO 2." nocase
	condition:
		filesize < 2MB and $php and (any of ($run*) or $call or $replace or $backtick or 2 of ($name*))
}

rule web_shell_asp_jsp
{
	meta:
		description = "ASP or JSP that runs what a request brings"
		scope = "file"
		classification = "system-compromise"
		identifier = "web-shell"
		severity = "critical"
		confidence = 80
		title = "Web shell (ASP, JSP)"
	strings:
		$page = "<%"
		$asp1 = /\b(eval|execute|executeglobal)\s*\(?\s*request\s*[(.]/ nocase
		$asp2 = /eval\s*\(\s*Request\.(Item|Form|QueryString)\s*\[[^\]]{1,40}\]\s*,\s*"unsafe"/ nocase
		$asp3 = /(Process(StartInfo)?|cmd\.exe)[^;]{0,200}Request(\.(Form|QueryString|Item))?\s*[(\[]/ nocase
		$jsp1 = /getRuntime\s*\(\s*\)\s*\.\s*exec\s*\(\s*[^;]{0,60}request\s*\.\s*getParameter/ nocase
		$jsp2 = /request\s*\.\s*getParameter[^;]{0,60};[^%]{0,400}getRuntime\s*\(\s*\)\s*\.\s*exec/ nocase
		$jsp3 = /new\s+ProcessBuilder\s*\([^;]{0,80}request\s*\.\s*getParameter/ nocase
	condition:
		filesize < 2MB and $page and (any of ($asp*) or any of ($jsp*))
}
