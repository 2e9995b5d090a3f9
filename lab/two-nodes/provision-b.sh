#!/bin/sh
# Makes a bare Debian 12 into node B: Postfix B, which takes mail with TLS and a certificate only, Dovecot, where people log
# in with TLS only, and a webmail. May be run again at any time. What it needs lies in a folder made by site.sh.
#
#   provision-b.sh [FOLDER]        /detach-mta if not given
set -eu
site=${1:-/detach-mta}
node=b
. "$site/common.sh"

configure_postfix() {
    for file in main.cf master.cf mailboxes aliases; do cp "$site/postfix-b/$file" /etc/postfix/; done
}

name_nodes
answer_questions
# Before the package, so that it finds a configuration to start with, and after it, because it adds lines of its own.
install -d /etc/postfix
configure_postfix
install_packages
configure_postfix

install -m 0644 "$site/certificates/node-b.pem" /etc/ssl/certs/node-b.pem
install -m 0600 "$site/certificates/node-b.key" /etc/ssl/private/node-b.key
install -m 0644 "$site/certificates/authority.pem" /etc/ssl/certs/detach-authority.pem

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
enable_units dovecot
systemctl restart dovecot

# Made at the first run, and kept: it encrypts passwords in the webmail's sessions.
webmail=/etc/detach-webmail
state=/var/lib/detach-webmail
getent passwd detach-webmail > /dev/null ||
    adduser --system --group --quiet --home "$state" --no-create-home --shell /usr/sbin/nologin detach-webmail
install -d "$webmail"
install -d -m 0700 -o detach-webmail -g detach-webmail "$state" "$state/temp" "$state/logs"
cp "$site/webmail/router.php" "$site/webmail/config.inc.php" "$webmail/"
ln -sf /etc/roundcube/defaults.inc.php /etc/roundcube/mimetypes.php "$webmail/"
[ -e "$webmail/key" ] || (umask 077 && openssl rand -hex 12 > "$webmail/key.new" && mv "$webmail/key.new" "$webmail/key")
install -m 0640 -g detach-webmail /dev/null "$webmail/lab.json"
cat > "$webmail/lab.json" << END
{
  "data": "$state",
  "authority": "/etc/ssl/certs/detach-authority.pem",
  "key": "$(cat "$webmail/key")",
  "imap": "ssl://node-b.example.net:993",
  "peer": "node-b.example.net",
  "smtp": "node-a.example.net:25",
  "login": false
}
END
echo '{"alice@example.com": "Alice", "bob@example.org": "Bob", "carol@example.org": "Carol", "dave@example.org": "Dave"}' |
    runuser -u detach-webmail -- php "$site/webmail/create.php" "$state/roundcube.sqlite" \
        /usr/share/roundcube/SQL/sqlite.initial.sql node-b.example.net
install -m 0644 "$site/webmail.service" /etc/systemd/system/detach-webmail.service
systemctl daemon-reload
enable_units detach-webmail
systemctl restart detach-webmail

# Node A may send to anywhere; what comes without TLS, or without a certificate of our authority, is refused.
set_postfix myhostname=node-b.example.net inet_interfaces=all \
    'mynetworks=127.0.0.0/8 [::1]/128 192.168.56.11/32' \
    'smtpd_authorized_xforward_hosts=$mynetworks' \
    smtpd_tls_security_level=encrypt smtpd_tls_received_header=yes \
    smtpd_tls_cert_file=/etc/ssl/certs/node-b.pem smtpd_tls_key_file=/etc/ssl/private/node-b.key \
    smtpd_tls_req_ccert=yes smtpd_tls_CAfile=/etc/ssl/certs/detach-authority.pem
start_postfix
echo 'node B is ready: SMTP with STARTTLS on port 25, IMAP with STARTTLS on 143, IMAPS on 993, webmail on http://192.168.56.12:8026'
