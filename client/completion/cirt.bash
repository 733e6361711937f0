# Bash completion for cirt. cirt itself knows what may come next.
_cirt()
{
	local line
	COMPREPLY=()
	while IFS= read -r line; do
		if [[ $line == @files ]]; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
			return
		fi
		printf -v line %q "${line%%$'\t'*}"
		COMPREPLY+=("$line")
	done < <("${COMP_WORDS[0]}" --complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _cirt cirt
