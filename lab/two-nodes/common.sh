# What both nodes need, read by provision-a.sh and provision-b.sh. `site`: the folder made by site.sh; `node`: a or b.
# shellcheck shell=sh disable=SC2154

export DEBIAN_FRONTEND=noninteractive

packages_of() {
    case $1 in
    a) echo postfix ;;
    # php8.2-cgi: one of three that PHP wants; without it, apt takes the one with Apache.
    b) echo postfix dovecot-core dovecot-imapd dovecot-lmtpd dovecot-sieve php8.2-cgi roundcube-core roundcube-sqlite3 php-cli ;;
    esac
}

# What the packages would ask.
answer_questions() {
    debconf-set-selections << 'END'
postfix postfix/main_mailer_type select No configuration
roundcube-core roundcube/dbconfig-install boolean false
END
}

# Installs what is missing: from the folder when download.sh was there, for a machine without a network.
install_packages() {
    missing=
    for name in $(packages_of "$node"); do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2> /dev/null | grep -qx installed || missing="$missing $name"
    done
    [ -n "$missing" ] || return 0
    if [ -d "$site/packages/$node" ]; then
        apt-get install -qq -y --no-install-recommends "$site/packages/$node"/*.deb
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

# One at a time: in one call, new lines are written in any order.
set_postfix() {
    for setting in "$@"; do postconf -e "$setting"; done
}

# `systemctl enable` alone makes systemd read all units again, also where nothing changes.
enable_units() {
    for unit in "$@"; do systemctl is-enabled --quiet "$unit" || systemctl enable --quiet "$unit"; done
}

start_postfix() {
    postfix check
    enable_units postfix
    systemctl restart postfix
}
