#!/usr/bin/env bash
# Writes the manual pages of the `stipend` command and its completions for every shell, where a system looks for them.
#
#   scripts/pages.sh STIPEND SHARE     # STIPEND: the built command; SHARE: a folder such as /usr/local/share
set -euo pipefail

[ $# = 2 ] || { echo 'pages: usage: scripts/pages.sh STIPEND SHARE' >&2; exit 1; }
stipend=$1 share=$2

"$stipend" man --out "$share/man/man1" >/dev/null
complete() {
    install -d "$share/$(dirname "$2")"
    "$stipend" completions "$1" >"$share/$2"
}
complete bash bash-completion/completions/stipend
complete zsh zsh/site-functions/_stipend
complete fish fish/vendor_completions.d/stipend.fish
complete elvish elvish/lib/stipend.elv
complete powershell powershell/stipend.ps1
