#!/bin/sh
# Makes a bare Debian 12 into node B: Postfix B, which takes mail with TLS only, and Dovecot, where people log in with TLS
# only. May be run again at any time. What it needs lies in a folder made by site.sh.
#
#   provision-b.sh [FOLDER]        /detach-mta if not given
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
    for file in main.cf master.cf mailboxes aliases; do cp "$site/postfix-b/$file" /etc/postfix/; done
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
install_packages postfix dovecot-core dovecot-imapd dovecot-lmtpd dovecot-sieve
configure_postfix

install -m 0644 "$site/certificates/node-b.pem" /etc/ssl/certs/node-b.pem
install -m 0600 "$site/certificates/node-b.key" /etc/ssl/private/node-b.key

getent passwd vmail > /dev/null ||
    adduser --system --group --quiet --home /var/vmail --shell /usr/sbin/nologin vmail
install -d -m 0750 -o vmail -g vmail /var/vmail
cp "$site/dovecot/dovecot.conf" /etc/dovecot/dovecot.conf
cat > /etc/dovecot/instance.conf << 'END'
ssl = required
ssl_cert = </etc/ssl/certs/node-b.pem
ssl_key = </etc/ssl/private/node-b.key
postmaster_address = postmaster@example.com
service imap-login {
  inet_listener imap {
    address = *
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
END
# The people of the lab. Their password is known to everybody: nothing but test mail belongs here.
install -m 0640 -g dovecot /dev/null /etc/dovecot/users
for user in alice@example.com bob@example.org carol@example.org dave@example.org; do
    echo "$user:{PLAIN}detach"
done > /etc/dovecot/users
systemctl enable --quiet dovecot
systemctl restart dovecot

# Node A may send to anywhere; what comes without TLS is refused.
set_postfix myhostname=node-b.example.net inet_interfaces=all \
    'mynetworks=127.0.0.0/8 [::1]/128 192.168.56.11/32' \
    'smtpd_authorized_xforward_hosts=$mynetworks' \
    smtpd_tls_security_level=encrypt smtpd_tls_received_header=yes \
    smtpd_tls_cert_file=/etc/ssl/certs/node-b.pem smtpd_tls_key_file=/etc/ssl/private/node-b.key
postfix check
systemctl enable --quiet postfix
systemctl restart postfix
echo 'node B is ready: SMTP with STARTTLS on port 25, IMAP with STARTTLS on 143, IMAPS on 993'
