/* Commands that fetch a script and run it in one breath, as attachments, shortcuts and "paste this" lures carry them. */
rule powershell_download_cradle
{
	meta:
		description = "PowerShell that fetches and runs"
		scope = "file,text"
		classification = "malware-distribution"
		identifier = "download-cradle"
		severity = "high"
		confidence = 75
		title = "PowerShell download cradle"
	strings:
		$run1 = /\b(iex|invoke-expression)\b/ nocase
		$get1 = /\.download(string|file|data)\s*\(\s*["'(]/ nocase
		$get2 = /(invoke-webrequest|invoke-restmethod|\biwr\b|\birm\b|start-bitstransfer)\s[^\n]{0,80}https?:\/\//  nocase
		$get3 = /net\.webclient/ nocase
		$start = /(start-process|invoke-item|rundll32|regsvr32|\.\/|&\s*\$)/ nocase
		$hide1 = /powershell(\.exe)?["']?\s[^\n]{0,120}-w(indowstyle)?\s+(hidden|1\b)/ nocase
		$hide2 = /powershell(\.exe)?["']?\s[^\n]{0,120}-e(nc|ncodedcommand|c)?\s+[A-Za-z0-9+\/=]{40}/ nocase
	condition:
		filesize < 5MB and ((($get1 or $get2 or $get3) and $run1) or ($get1 and $get3 and $start) or
		($hide1 and ($get1 or $get2)) or ($hide1 and $hide2))
}

rule living_off_the_land_fetch
{
	meta:
		description = "A program of Windows is used to fetch and run from the network"
		scope = "file,text"
		classification = "malware-distribution"
		identifier = "download-cradle"
		severity = "high"
		confidence = 65
		title = "Command that fetches and runs"
	strings:
		$mshta = /\bmshta(\.exe)?["']?\s+["']?https?:\/\// nocase
		$certutil = /\bcertutil(\.exe)?["']?\s[^\n]{0,60}-urlcache\s[^\n]{0,60}https?:\/\// nocase
		$bitsadmin = /\bbitsadmin(\.exe)?["']?\s+\/transfer\s[^\n]{0,120}https?:\/\// nocase
		$regsvr32 = /\bregsvr32(\.exe)?["']?\s[^\n]{0,40}\/i:https?:\/\// nocase
		$curl_sh = /\b(curl|wget)\s[^\n|;]{0,160}https?:\/\/[^\n|;]{1,160}\|\s*(sudo\s+)?(ba|z|da)?sh\b/ nocase
	condition:
		filesize < 5MB and any of ($mshta, $certutil, $bitsadmin, $regsvr32) or
		(filesize < 64KB and $curl_sh and filename matches /\.(lnk|bat|cmd|hta|vbs|js)$/i)
}
