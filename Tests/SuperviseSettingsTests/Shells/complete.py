"""complete.py SCRIPT LINE: prints what an interactive zsh offers at the end of the line.

Zsh completes only on a terminal, so it gets one.
"""

import os
import pty
import select
import sys
import time

SETUP = """
PROMPT=; RPROMPT=; unsetopt zle_bracketed_paste 2>/dev/null; unset zle_bracketed_paste
autoload -Uz compinit && compinit -u -D
source $COMPLETION_SCRIPT
zstyle ':completion:*' list-colors ''
compadd() {
    local -a offered
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return $?; fi
    builtin compadd -A offered "$@"
    (( $#offered )) && print -r -l -- $offered >>$COMPLETION_RESULT
    return 1
}
offer() { _main_complete; print -r -- '<end>' >>$COMPLETION_RESULT; zle -M ''; }
zle -C offer complete-word offer
bindkey '^X' offer
print -r -- '<ready>' >>$COMPLETION_RESULT
"""


def main():
    script, line = sys.argv[1], sys.argv[2]
    result = script + ".result"
    open(result, "w").close()
    child, terminal = pty.fork()
    if child == 0:
        environment = dict(
            os.environ, TERM="dumb", COMPLETION_SCRIPT=script, COMPLETION_RESULT=result)
        os.execvpe("zsh", ["zsh", "-f", "-i"], environment)
    sent = 0
    steps = [("", "source =(cat %s.setup)\n" % script), ("<ready>", line + "\x18"), ("<end>", None)]
    with open(script + ".setup", "w") as file:
        file.write(SETUP)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with open(result) as file:
            content = file.read()
        mark, text = steps[sent]
        if mark in content:
            if text is None:
                break
            os.write(terminal, text.encode())
            sent += 1
        # What the terminal shows must be read, or zsh waits.
        if select.select([terminal], [], [], 0.05)[0]:
            os.read(terminal, 65536)
    os.kill(child, 9)
    os.waitpid(child, 0)
    for word in content.splitlines():
        if not word.startswith("<"):
            print(word)
    sys.exit("<end>" not in content)


main()
