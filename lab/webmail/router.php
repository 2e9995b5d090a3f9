<?php
// For PHP's own web server: the files of Roundcube's pages are served as they are, everything else is Roundcube's.
// A name with anything unusual in it (an escape, a second slash, a leading dot) is no file: PHP's server, which reads names
// once more by rules of its own, never gets one that it could understand in another way.
const FOLDERS = '(?:skins|plugins|program/js|program/resources)';
const NAME = '[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*';
const KINDS = '(?:css|js|png|gif|jpg|svg|ico|webp|woff|woff2|ttf|eot|tiff|mp3|html|pdf)';
if (preg_match('#^/(?!.*/templates/)' . FOLDERS . '(?:/' . NAME . ')*/' . NAME . '\.' . KINDS . '(?:\?.*)?$#D', $_SERVER['REQUEST_URI']) === 1
    && is_file($_SERVER['DOCUMENT_ROOT'] . strtok($_SERVER['REQUEST_URI'], '?'))) {
    return false;
}
$_SERVER['SCRIPT_NAME'] = '/index.php';
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
