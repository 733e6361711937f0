/* Documents that are only a door. */
rule pdf_with_hidden_action
{
	meta:
		description = "PDF that starts a program or a script when it is opened"
		scope = "file"
		classification = "malware-distribution"
		identifier = "pdf-action"
		severity = "medium"
		confidence = 60
		title = "PDF that acts when opened"
	strings:
		$open = /\/(OpenAction|AA)\b/
		$launch = /\/Launch\b/
		$script = /\/(JavaScript|JS)\b/
		$danger = /(cmd\.exe|powershell|mshta|exportDataObject|app\.launchURL|this\.submitForm|unescape\s*\(|eval\s*\()/ nocase
	condition:
		uint32(0) == 0x46445025 and ($launch or ($open and $script)) and $danger
}

rule onenote_with_script
{
	meta:
		description = "OneNote page with a script or program in it"
		scope = "file"
		classification = "malware-distribution"
		identifier = "onenote-dropper"
		severity = "high"
		confidence = 75
		title = "OneNote page with a script"
	strings:
		$object = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
		$script1 = "WScript.Shell" nocase
		$script2 = "CreateObject" nocase
		$script3 = "<HTA:APPLICATION" nocase
		$script4 = "@echo off" nocase
		$script5 = "powershell" nocase
		$program = "This program cannot be run in DOS mode"
	condition:
		uint32(0) == 0x7B5C52E4 and $object and (any of ($script*) or $program)
}
