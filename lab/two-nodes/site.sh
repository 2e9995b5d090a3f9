#!/bin/sh
# Collects in one folder what provision-a.sh and provision-b.sh make nodes from: the package, the configurations of the
# neighbours, the two scripts, and an authority with a certificate for node B.
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
cp "$here/provision-a.sh" "$here/provision-b.sh" "$folder/"

# Kept: nodes that are up trust this authority.
certificates=$folder/certificates
[ -e "$certificates/node-b.pem" ] && exit 0
mkdir -p "$certificates"
new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$certificates/$1.key"; }
new_key authority
openssl req -x509 -new -key "$certificates/authority.key" -days 3650 -subj '/CN=Detach MTA two nodes' \
    -out "$certificates/authority.pem"
new_key node-b
openssl req -new -key "$certificates/node-b.key" -subj '/CN=node-b.example.net' |
    openssl x509 -req -CA "$certificates/authority.pem" -CAkey "$certificates/authority.key" -CAcreateserial -days 825 \
        -extfile "$here/node-b.cnf" -out "$certificates/node-b.pem" 2> /dev/null
