# SPDX-License-Identifier: BSD-2-Clause
# Completion of the smmuv3 command for bash. The words come from the command's own help, so that they are never stale.

_smmuv3() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words

	if ((COMP_CWORD == 1)); then
		words=$(smmuv3 --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$cur")
		return
	fi
	case $prev in
	--device) words='model qemu' ;;
	--clock) words='virtual real' ;;
	--design) words='sweep serial list flush' ;;
	--stage) words='1 2 1,2' ;;
	--inject)
		words=$(smmuv3 run --inject '?' 2>&1 | sed -n 's/.*the faults are: //p')
		;;
	--iort | --dtb | --json | --svg | --dot | --timeline)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	*)
		if [[ $command == bench && $cur != -* ]]; then
			words=$(smmuv3 bench --help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
			return
		fi
		if [[ $cur != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		words=$(smmuv3 "$command" --help 2>/dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -o filenames -F _smmuv3 smmuv3
