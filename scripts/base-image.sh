#!/usr/bin/env bash
# Sees to it that the base image of the Dockerfile is there: from this machine, from a registry, or,
# where no registry can be reached, made from Debian's archive under the same name.
#
#   scripts/base-image.sh     # prints `made`, if it had to be made, else `there`
set -euo pipefail
cd "$(dirname "$0")/.."

readonly MIRROR=http://deb.debian.org/debian
readonly PULL_SECONDS_MAX=60

say() { printf 'base-image: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

image=$(sed -n 's/^ARG DEBIAN=//p' Dockerfile)
suite=${image#debian:}
suite=${suite%-slim}

if docker image inspect "$image" >/dev/null 2>&1; then
    echo there
    exit
fi
if timeout $PULL_SECONDS_MAX docker pull --quiet "$image" >/dev/null 2>&1; then
    say "pulled $image"
    echo there
    exit
fi

say "$image cannot be pulled: making a stand-in of the same name from $MIRROR with debootstrap"
[ "$(id -u)" = 0 ] || die "debootstrap needs root: run this as root, or pull $image first"
if ! command -v debootstrap >/dev/null; then
    { apt-get update -q && apt-get install -q -y --no-install-recommends debootstrap; } >&2 ||
        die "debootstrap is not installed and could not be: install it, then run this again"
fi
root=$(mktemp -d)
# shellcheck disable=SC2064 # the path of now is meant
trap "rm -rf '$root'" EXIT
debootstrap --variant=minbase "$suite" "$root" "$MIRROR" >"$root.log" 2>&1 ||
    die "debootstrap failed; its last words: $(tail -n 3 "$root.log")"
rm -f "$root.log"
# What the slim images leave out.
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,info,locale}/*
tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - "$image" >/dev/null
say "made $image, $(docker image inspect --format '{{.Size}}' "$image" | numfmt --to=iec)"
echo made
