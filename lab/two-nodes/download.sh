#!/bin/sh
# Downloads the Debian packages that the nodes install, for machines without a network: into packages/a and packages/b of
# a folder made by site.sh.
#
#   download.sh FOLDER          needs mmdebstrap, and root
#   download.sh --into ROOT     into the files of a Debian, as a hook of mmdebstrap
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

if [ "$1" = --into ]; then
    for node in a b; do
        archives=/packages/$node
        mkdir -p "$2$archives/partial"
        # shellcheck disable=SC2046
        chroot "$2" apt-get -o "Dir::Cache::archives=$archives" install -y --no-install-recommends --download-only \
            $(packages_of "$node")
        rm -rf "$2$archives/partial" "$2$archives/lock"
    done
else
    mkdir -p "$1"
    rm -rf "$1/packages"
    mmdebstrap --quiet --variant=minbase --customize-hook="sh '$here/download.sh' --into \"\$1\"" \
        --customize-hook="copy-out /packages '$1'" bookworm /dev/null
fi
