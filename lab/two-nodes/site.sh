#!/bin/sh
# Collects in one folder what provision-a.sh and provision-b.sh make nodes from: the package, the configurations of the
# neighbours and of the webmail, the scripts, and an authority with certificates for node B and Detach MTA.
#
#   site.sh FOLDER PACKAGE.deb
set -eu
folder=$1
deb=$2
here=$(cd "$(dirname "$0")" && pwd)
umask 022

mkdir -p "$folder"
rm -f "$folder"/*.deb
cp "$deb" "$folder/detach-mta.deb"
for name in postfix-a postfix-b dovecot; do
    rm -rf "${folder:?}/$name"
    cp -R "$here/../../$name" "$folder/$name"
done
mkdir -p "$folder/webmail"
cp "$here/../webmail/"*.php "$folder/webmail/"
cp "$here/provision-a.sh" "$here/provision-b.sh" "$here/common.sh" "$here/webmail.service" "$folder/"

# Kept: nodes that are up trust this authority.
certificates=$folder/certificates
mkdir -p "$certificates"
new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$certificates/$1.key"; }
if [ ! -e "$certificates/authority.pem" ]; then
    new_key authority
    openssl req -x509 -new -key "$certificates/authority.key" -days 3650 -subj '/CN=Detach MTA two nodes' \
        -out "$certificates/authority.pem"
fi
for name in node-b detach; do
    [ ! -e "$certificates/$name.pem" ] || continue
    new_key "$name"
    openssl req -new -key "$certificates/$name.key" -subj "/CN=$name.example.net" |
        openssl x509 -req -CA "$certificates/authority.pem" -CAkey "$certificates/authority.key" -CAcreateserial -days 825 \
            -extfile "$here/certificates.cnf" -extensions "$name" -out "$certificates/$name.pem" 2> /dev/null
done
