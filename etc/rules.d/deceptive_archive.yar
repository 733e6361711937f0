/* Archives and disk images as they carry malware past people: names that look like documents, shortcuts, scripts. */
rule archive_double_extension
{
	meta:
		description = "ZIP archive with a file that pretends to be a document"
		scope = "file"
		classification = "malware-distribution"
		identifier = "double-extension"
		severity = "high"
		confidence = 80
		title = "Archive with a program that poses as a document"
	strings:
		$entry = /PK\x03\x04[\x00-\xff]{26}[^\x00]{1,200}\.(pdf|docx?|xlsx?|jpe?g|png|txt|html?|zip)[ _]{0,60}\.(exe|scr|pif|com|bat|cmd|vbs|vbe|js|jse|wsf|hta|lnk|msi|ps1|cpl)/ nocase
		$name = /PK\x01\x02[\x00-\xff]{42}[^\x00]{1,200}\.(pdf|docx?|xlsx?|jpe?g|png|txt|html?|zip)[ _]{0,60}\.(exe|scr|pif|com|bat|cmd|vbs|vbe|js|jse|wsf|hta|lnk|msi|ps1|cpl)/ nocase
	condition:
		uint32(0) == 0x04034b50 and any of them
}

rule file_double_extension
{
	meta:
		description = "Attachment that pretends to be a document by its name"
		scope = "file"
		classification = "malware-distribution"
		identifier = "double-extension"
		severity = "high"
		confidence = 80
		title = "Program that poses as a document"
	condition:
		filename matches /\.(pdf|docx?|xlsx?|jpe?g|png|txt|html?|zip)[ _]{0,60}\.(exe|scr|pif|com|bat|cmd|vbs|vbe|js|jse|wsf|hta|lnk|msi|ps1|cpl)$/i
}

rule shortcut_with_command
{
	meta:
		description = "Windows shortcut that starts an interpreter"
		scope = "file"
		classification = "malware-distribution"
		identifier = "lnk-dropper"
		severity = "high"
		confidence = 80
		title = "Shortcut that runs a command"
	strings:
		$run1 = "powershell" nocase wide ascii
		$run2 = "mshta" nocase wide ascii
		$run3 = "cmd.exe" nocase wide ascii
		$run4 = "wscript" nocase wide ascii
		$run5 = "rundll32" nocase wide ascii
		$argument1 = "http" nocase wide ascii
		$argument2 = "/c " nocase wide ascii
		$argument3 = " -e" nocase wide ascii
		$argument4 = "javascript:" nocase wide ascii
	condition:
		uint32(0) == 0x0000004C and uint32(4) == 0x00021401 and any of ($run*) and any of ($argument*)
}
