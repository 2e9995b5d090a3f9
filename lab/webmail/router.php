<?php
// For PHP's own web server: files that exist are served as they are, everything else is Roundcube's.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file = is_string($path) ? $_SERVER['DOCUMENT_ROOT'] . rawurldecode($path) : '';
if ($file !== '' && !str_contains($path, '/.') && !str_ends_with($file, '.php') && is_file($file)) {
    return false;
}
$_SERVER['SCRIPT_NAME'] = '/index.php';
require $_SERVER['DOCUMENT_ROOT'] . '/index.php';
