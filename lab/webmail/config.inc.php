<?php
// Roundcube as the lab's webmail. What differs from one lab to the next stands in lab.json beside this file.
$lab = json_decode(file_get_contents(__DIR__ . '/lab.json'), true, 8, JSON_THROW_ON_ERROR);

// Mail servers are believed only with a certificate of the lab's own authority.
$tls = ['ssl' => ['verify_peer' => true, 'verify_peer_name' => true, 'peer_name' => $lab['peer'], 'cafile' => $lab['authority']]];
$config['imap_host'] = $lab['imap'];
$config['imap_conn_options'] = $tls;
$config['smtp_host'] = $lab['smtp'];
$config['smtp_user'] = $lab['login'] ? '%u' : '';
$config['smtp_pass'] = $lab['login'] ? '%p' : '';
$config['smtp_conn_options'] = $tls;

$config['db_dsnw'] = 'sqlite:///' . $lab['data'] . '/roundcube.sqlite?mode=0600';
// In files, which PHP locks: of two requests at a time, the one that ends last would bring back what it had read from the
// database, and a letter that was begun meanwhile could not be sent.
$config['session_storage'] = 'php';
$config['temp_dir'] = $lab['data'] . '/temp';
$config['log_dir'] = $lab['data'] . '/logs';
$config['des_key'] = $lab['key'];

$config['product_name'] = 'Detach MTA lab';
$config['support_url'] = '';
$config['skin'] = 'elastic';
$config['plugins'] = [];
$config['enable_installer'] = false;
$config['create_default_folders'] = true;
$config['htmleditor'] = 1;
$config['show_images'] = 0;
$config['enable_spellcheck'] = false;
// Nobody is told which program on which host a message was written with.
$config['useragent'] = null;
$config['http_received_header'] = false;
// Postfix decides on the size of a message; this one is only above its limit.
$config['max_message_size'] = '100M';
