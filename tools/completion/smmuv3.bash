# SPDX-License-Identifier: BSD-2-Clause
# Completion of the smmuv3 command for bash. The words come from the command's own help, so that they are never stale.

# _smmuv3_commands: their names
_smmuv3_commands() {
	smmuv3 --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

_smmuv3() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} value='' words='' help

	if ((COMP_CWORD == 1)); then
		words="$(_smmuv3_commands) help --help --version"
	elif [[ $command == help ]]; then
		words=$(_smmuv3_commands)
	else
		help=$(smmuv3 "$command" --help 2>/dev/null)
		# What stands one blank behind an option in the help is what it takes.
		[[ $prev != --* ]] || value=$(sed -n "s/^  $prev \([^ ][^ ]*\).*/\1/p" <<<"$help")
		case $value in
		FILE | DIR)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		FAULT*) words=$(smmuv3 run --inject '?' 2>&1 | sed -n 's/.*the faults are: //p') ;;
		*'|'*) words=${value//|/ } ;;
		?*) return ;;
		*)
			if [[ $cur == -* ]]; then
				words=$(grep -oE '^  --[a-z][a-z0-9-]*' <<<"$help")
			elif [[ $command == bench ]]; then
				words=$(sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' <<<"$help")
			elif [[ $command == decode ]] && ((COMP_CWORD == 2)); then
				words=$(sed -n '/^KIND/,/^and/s/  \([a-z][a-z0-9]*\)  */\n\1\n/gp' <<<"$help" | grep -xE '[a-z0-9]+')
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return
			fi
			;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o filenames -F _smmuv3 smmuv3
