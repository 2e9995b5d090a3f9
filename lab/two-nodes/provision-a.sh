#!/bin/sh
# Makes a bare Debian 12 into node A: Postfix A, and Detach MTA as the service of its package. May be run again at any
# time, with the same result. What it needs lies in a folder made by site.sh.
#
#   provision-a.sh [FOLDER]        /detach-mta if not given
#
# CLIENTS: networks, besides this machine, that may send through Postfix A.
# EMULATED: not empty where the processor is emulated. Node needs minutes to start there.
set -eu
site=${1:-/detach-mta}
node=a
. "$site/common.sh"

configure_postfix() {
    cp "$site/postfix-a/main.cf" "$site/postfix-a/master.cf" /etc/postfix/
}

name_nodes
answer_questions
# Before the package, so that it finds a configuration to start with, and after it, because it adds lines of its own.
install -d /etc/postfix
configure_postfix
install_packages
configure_postfix

# The webmail of node B sends from there.
set_postfix myhostname=node-a.example.net inet_interfaces=all \
    "mynetworks=127.0.0.0/8 [::1]/128 192.168.56.12/32 ${CLIENTS:-}"
start_postfix

deb=$(ls "$site"/*.deb)
version=$(dpkg-deb -f "$deb" Version)
have=$(dpkg-query -W -f '${Version}' detach-mta 2> /dev/null || true)
[ "$have" = "$version" ] || apt-get install -qq -y --no-install-recommends --allow-downgrades "$deb"

install -m 0644 "$site/certificates/authority.pem" /etc/detach-mta/authority.pem
install -m 0644 "$site/certificates/detach.pem" /etc/detach-mta/certificate.pem
install -m 0640 -g detach-mta "$site/certificates/detach.key" /etc/detach-mta/secrets/certificate.key
yaml=/etc/detach-mta/detach-mta.yaml
# What the package's configuration leaves open. Each side must show a certificate of our authority.
sed -i \
    -e 's|^#hostname: .*|hostname: detach.example.net|' \
    -e "s|^  #nextHop: .*|  nextHop: ['[node-b.example.net]:25']\n  tls:\n    mode: required\n    ca: /etc/detach-mta/authority.pem|" \
    -e 's|^  #cluster: .*|  cluster: example.net|' \
    -e 's|^  #baseUrl: .*|  baseUrl: http://192.168.56.11:8080|' \
    -e '/^links:/,/^[a-z]*:$/s|^  address: 127.0.0.1|  address: 0.0.0.0|' \
    "$yaml"
# Apart, for a node that was made before node B asked for a certificate.
grep -q '^    cert: /etc/detach-mta/certificate\.pem$' "$yaml" || sed -i \
    's|^    ca: /etc/detach-mta/authority\.pem$|&\n    cert: /etc/detach-mta/certificate.pem\n    key: /etc/detach-mta/secrets/certificate.key|' \
    "$yaml"
detach-mta config --quiet --config "$yaml"
if [ -n "${EMULATED:-}" ]; then
    install -d /etc/systemd/system/detach-mta.service.d
    printf '[Service]\nTimeoutStartSec=1800\nWatchdogSec=0\n' > /etc/systemd/system/detach-mta.service.d/emulated.conf
    systemctl daemon-reload
fi
enable_units detach-mta detach-mta-sweep.timer
systemctl start detach-mta-sweep.timer
systemctl reload-or-restart detach-mta
echo 'node A is ready: SMTP on port 25, links on http://192.168.56.11:8080'
