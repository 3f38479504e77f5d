# complete.bash SCRIPT WORD...: prints what bash offers for the last word.
set -u
source "$1"
shift
# Bash splits words at the equals sign (COMP_WORDBREAKS).
COMP_WORDS=()
for word in "$@"; do
    if [[ $word == --*=* ]]; then
        COMP_WORDS+=("${word%%=*}" =)
        [[ -z ${word#*=} ]] || COMP_WORDS+=("${word#*=}")
    else
        COMP_WORDS+=("$word")
    fi
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_supervise
printf '%s\n' "${COMPREPLY[@]}"
