/* Office documents and scripts whose macro fetches or unpacks something and runs it. */
rule macro_dropper_source
{
	meta:
		description = "Visual Basic that starts by itself, fetches or decodes, and runs"
		scope = "file,text"
		classification = "malware-distribution"
		identifier = "macro-dropper"
		severity = "high"
		confidence = 75
		title = "Macro that fetches and runs"
	strings:
		$start1 = /\b(Auto_?Open|Auto_?Exec|Auto_?Close|Document_(Open|Close)|Workbook_(Open|Activate|BeforeClose))\b/ nocase
		$sub = /\b(Sub|Function)\s+\w+\s*\(/ nocase
		$run1 = /\bShell\s*\(?\s*["'\w]/ nocase
		$run2 = /CreateObject\s*\(\s*"?(WScript\.Shell|Shell\.Application)/ nocase
		$run3 = /GetObject\s*\(\s*"winmgmts:/ nocase
		$run4 = "ShellExecute" nocase
		$get1 = "URLDownloadToFile" nocase
		$get2 = /CreateObject\s*\(\s*"?(MSXML2|Microsoft)\.(Server)?XMLHTTP/ nocase
		$get3 = "WinHttp.WinHttpRequest" nocase
		$get4 = "ADODB.Stream" nocase
		$get5 = /powershell(\.exe)?\s/ nocase
		$get6 = /\b(mshta|certutil|bitsadmin|regsvr32|rundll32)(\.exe)?\s/ nocase
	condition:
		filesize < 5MB and $start1 and $sub and any of ($run*) and any of ($get*)
}

rule macro_dropper_document
{
	meta:
		description = "Old Office document with a macro that starts by itself, fetches and runs"
		scope = "file"
		classification = "malware-distribution"
		identifier = "macro-dropper"
		severity = "high"
		confidence = 70
		title = "Office document with a dropper macro"
	strings:
		$project1 = "VBA" wide
		$project2 = "_VBA_PROJECT" wide
		$project3 = "Attribut" ascii
		$start = /(Auto_?Open|Auto_?Exec|Document_Open|Workbook_Open)/ nocase
		$run1 = "WScript.Shell" nocase
		$run2 = "Shell.Application" nocase
		$run3 = "ShellExecute" nocase
		$run4 = "winmgmts" nocase
		$get1 = "URLDownloadToFile" nocase
		$get2 = "XMLHTTP" nocase
		$get3 = "WinHttpRequest" nocase
		$get4 = "ADODB.Stream" nocase
		$get5 = "powershell" nocase
		$get6 = "DownloadString" nocase
	condition:
		uint32(0) == 0xE011CFD0 and any of ($project*) and $start and (any of ($run*) or any of ($get*))
}

rule macro_excel4_auto
{
	meta:
		description = "Excel 4 macro sheet that starts by itself and runs a program"
		scope = "file,text"
		classification = "malware-distribution"
		identifier = "macro-dropper"
		severity = "high"
		confidence = 65
		title = "Excel 4 macro that runs a program"
	strings:
		$auto = /Auto_?Open/ nocase
		$exec = /=\s*(EXEC|CALL|REGISTER)\s*\(\s*"/ nocase
		$get = /(URLDownloadToFile|urlmon|powershell|mshta|regsvr32|cmd(\.exe)? \/c)/ nocase
	condition:
		filesize < 5MB and $auto and $exec and $get
}
