#!/bin/sh
# Makes a bare Debian 12 into node A: Postfix A, and Detach MTA as the service of its package. May be run again at any
# time, with the same result. What it needs lies in a folder made by site.sh.
#
#   provision-a.sh [FOLDER]        /detach-mta if not given
#
# CLIENTS: networks, besides this machine, that may send through Postfix A.
set -eu
site=${1:-/detach-mta}
export DEBIAN_FRONTEND=noninteractive

# Installs what is missing: from packages/ in the folder when that is there, for a machine without a network.
install_packages() {
    missing=
    for name in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2> /dev/null | grep -qx installed || missing="$missing $name"
    done
    [ -n "$missing" ] || return 0
    if [ -d "$site/packages" ]; then
        apt-get install -qq -y --no-install-recommends "$site"/packages/*.deb
    else
        apt-get update -qq
        # shellcheck disable=SC2086
        apt-get install -qq -y --no-install-recommends $missing
    fi
}

# Each name once, whatever stood there before.
name_nodes() {
    [ -e /etc/hosts ] || echo '127.0.0.1 localhost' > /etc/hosts
    sed '/ node-[ab]\.example\.net/d' /etc/hosts > /etc/hosts.new
    printf '%s\n' '192.168.56.11 node-a.example.net node-a' '192.168.56.12 node-b.example.net node-b' >> /etc/hosts.new
    cat /etc/hosts.new > /etc/hosts
    rm /etc/hosts.new
}

configure_postfix() {
    cp "$site/postfix-a/main.cf" "$site/postfix-a/master.cf" /etc/postfix/
}

# One at a time: in one call, new lines are written in any order.
set_postfix() {
    for setting in "$@"; do postconf -e "$setting"; done
}

name_nodes
echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
# Before the package, so that it finds a configuration to start with, and after it, because it adds lines of its own.
install -d /etc/postfix
configure_postfix
install_packages postfix
configure_postfix

set_postfix myhostname=node-a.example.net inet_interfaces=all \
    "mynetworks=127.0.0.0/8 [::1]/128 ${CLIENTS:-}"
postfix check
systemctl enable --quiet postfix
systemctl restart postfix

deb=$(ls "$site"/*.deb)
version=$(dpkg-deb -f "$deb" Version)
have=$(dpkg-query -W -f '${Version}' detach-mta 2> /dev/null || true)
[ "$have" = "$version" ] || apt-get install -qq -y --no-install-recommends --allow-downgrades "$deb"

install -m 0644 "$site/certificates/authority.pem" /etc/detach-mta/authority.pem
# What the package's configuration leaves open. Node B must show a certificate of our authority.
sed -i \
    -e 's|^#hostname: .*|hostname: detach.example.net|' \
    -e "s|^  #nextHop: .*|  nextHop: ['[node-b.example.net]:25']\n  tls:\n    mode: required\n    ca: /etc/detach-mta/authority.pem|" \
    -e 's|^  #cluster: .*|  cluster: example.net|' \
    -e 's|^  #baseUrl: .*|  baseUrl: http://192.168.56.11:8080|' \
    -e '/^links:/,/^[a-z]*:$/s|^  address: 127.0.0.1|  address: 0.0.0.0|' \
    /etc/detach-mta/detach-mta.yaml
detach-mta config --quiet --config /etc/detach-mta/detach-mta.yaml
systemctl enable --quiet detach-mta detach-mta-sweep.timer
systemctl start detach-mta-sweep.timer
systemctl reload-or-restart detach-mta
echo 'node A is ready: SMTP on port 25, links on http://192.168.56.11:8080'
