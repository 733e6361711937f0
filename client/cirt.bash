# Bash completion for cirt. Its words are those of daemon/model/verb_*.c; tests/lint/verbs compares them.

_cirt()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} noun= verb= words=
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--socket) ((i++)) ;;
		-*) ;;
		*)
			if [[ -z $noun ]]; then
				noun=${COMP_WORDS[i]}
			elif [[ -z $verb ]]; then
				verb=${COMP_WORDS[i]}
			fi
			;;
		esac
	done
	if [[ $before == --socket || ($noun == submit && $word != -*) || "$noun $verb" == "key import" || "$noun $verb" == "org import" || "$noun $verb" == "org registry" ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	case $noun in
	'') words="today status ledger alarm source report case mail spam quarantine org contact group evidence receipt notice tlp rule rules plugin key submit watch undo audit version help" ;;
	ledger) words="--wait" ;;
	alarm)
		case $verb in
		'') words="list ack" ;;
		list) words="--limit --cursor --all" ;;
		ack) words="--reason" ;;
		esac
		;;
	source)
		case $verb in
		'') words="list show add set discover pull disable enable" ;;
		list) words="--kind --limit --cursor" ;;
		discover) words="--auth" ;;
		pull) words="--again" ;;
		set) words="--match --tlp --pap --type --format --trust --interval --auth --max-lines --max-bytes --contact --acknowledge --exercise --restricted --silent-after --columns --separator --comment --filter --since --download --spam-welcome --ask-before-notice --reason" ;;
		add) words="--kind --match --tlp --pap --type --format --trust --interval --auth --max-lines --max-bytes --contact --acknowledge --exercise --restricted --silent-after --columns --separator --comment --filter --since --download --spam-welcome --ask-before-notice" ;;
		disable) words="--reason" ;;
		enable) words="--reason" ;;
		esac
		;;
	report)
		case $verb in
		'') words="list show search unfold" ;;
		list) words="--limit --cursor --source --since --type --state --severity" ;;
		show) words="--why" ;;
		search) words="--limit --cursor --source --since --text" ;;
		unfold) words="--source --reason" ;;
		esac
		;;
	case)
		case $verb in
		'') words="list show take note move merge split close read" ;;
		show) words="--mail" ;;
		list) words="--limit --cursor --state --assignee --mine --severity --all" ;;
		take) words="--for" ;;
		move) words="--reason" ;;
		merge) words="--reason" ;;
		split) words="--into --title --reason" ;;
		close) words="--outcome" ;;
		esac
		;;
	mail)
		case $verb in
		'') words="search show" ;;
		search) words="--limit --cursor --case --text" ;;
		esac
		;;
	spam)
		case $verb in
		'') words="review show rescue list allow deny forget heed ignore" ;;
		review) words="--limit --cursor --source --sender --all" ;;
		rescue) words="--reason" ;;
		allow) words="--reason" ;;
		deny) words="--reason" ;;
		esac
		;;
	quarantine)
		case $verb in
		'') words="list show release discard" ;;
		list) words="--limit --cursor --state --source" ;;
		show) words="--bytes" ;;
		release) words="--reason" ;;
		discard) words="--reason" ;;
		esac
		;;
	org)
		case $verb in
		'') words="list show new set close who import export registry domains" ;;
		list) words="--kind --sector --criticality --country --group --match --all --limit --cursor" ;;
		new) words="--kind --sector --criticality --country --parent --handle --note --prefix --asn --domain --brand --from --until --shared --reason" ;;
		set) words="--rename --end --kind --sector --criticality --country --parent --handle --note --prefix --asn --domain --brand --from --until --shared --reason" ;;
		close) words="--until --reason" ;;
		who) words="--at" ;;
		import) words="--dry-run --replace --shared" ;;
		export) words="--format" ;;
		registry) words="--dry-run --registry" ;;
		esac
		;;
	contact)
		case $verb in
		'') words="list new set close" ;;
		list) words="--role --email --all --limit --cursor" ;;
		new) words="--role --name --email --phone --language --zone --schedule --format --policy --pgp --smime --priority --from --until" ;;
		set) words="--role --name --email --phone --language --zone --schedule --format --policy --pgp --smime --priority --from --until" ;;
		close) words="--until --reason" ;;
		esac
		;;
	group)
		case $verb in
		'') words="list show new set add remove delete" ;;
		list) words="--limit --cursor" ;;
		new) words="--title --sector --kind" ;;
		set) words="--title --sector --kind" ;;
		esac
		;;
	evidence)
		case $verb in
		'') words="get" ;;
		get) words="--output" ;;
		esac
		;;
	receipt) words="--limit --cursor" ;;
	tlp)
		case $verb in
		'') words="ask list grant refuse" ;;
		ask) words="--to --note --phone" ;;
		list) words="--limit --cursor --all" ;;
		grant) words="--form --evidence --note" ;;
		refuse) words="--evidence --note" ;;
		esac
		;;
	notice)
		case $verb in
		'') words="preview list show hold send oneshot cancel approve effect" ;;
		preview) words="--limit --since" ;;
		list) words="--limit --cursor --state --org --since --all" ;;
		show) words="--limit" ;;
		hold) words="--reason" ;;
		send) words="--all" ;;
		oneshot) words="--reason --org --source --type --identifier --since --dry-run" ;;
		cancel) words="--reason" ;;
		approve) words="--reason" ;;
		effect) words="--by --since --org" ;;
		esac
		;;
	rule)
		case $verb in
		'') words="list show new set move delete why test apply discard" ;;
		list) words="--draft" ;;
		show) words="--draft" ;;
		new) words="--org --group --whose --country --prefix --class --type --identifier --source --severity --suppress --to --format --language --template --repeat --note --before --after --draft" ;;
		set) words="--org --group --whose --country --prefix --class --type --identifier --source --severity --suppress --to --format --language --template --repeat --note --before --after --enable --disable --draft" ;;
		move) words="--before --after --draft" ;;
		delete) words="--draft" ;;
		why) words="--draft" ;;
		test) words="--against --since" ;;
		esac
		;;
	rules)
		case $verb in
		'') words="list check reload" ;;
		esac
		;;
	plugin)
		case $verb in
		'') words="list" ;;
		esac
		;;
	key)
		case $verb in
		'') words="list import remove unlock lock" ;;
		esac
		;;
	submit) words="--source --format --exercise --folders --again" ;;
	watch) words="--reports --cases --count" ;;
	undo) words="--list --all --limit --cursor" ;;
	audit)
		case $verb in
		'') words="verify" ;;
		verify) words="--all" ;;
		esac
		;;
	help) words="today status ledger alarm source report case mail spam quarantine org contact group evidence receipt rules plugin key submit watch undo audit version" ;;
	esac
	[[ $word == -* || -z $words ]] && words="$words --json --help --socket"
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _cirt cirt
