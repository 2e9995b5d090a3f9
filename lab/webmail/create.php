<?php
// Makes the webmail's database with the lab's people in it: create.php FILE SCHEMA HOST, people as JSON on standard input.
// A half-made file never stands at its place.
[, $file, $schema, $host] = $argv;
if (file_exists($file)) {
    exit(0);
}
$next = "$file.next";
@unlink($next);
umask(0077);
$database = new PDO("sqlite:$next", null, null, [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$database->exec(file_get_contents($schema));
$user = $database->prepare("INSERT INTO users (username, mail_host, created, language) VALUES (?, ?, datetime('now'), 'en_US')");
$identity = $database->prepare("INSERT INTO identities (user_id, changed, standard, name, email) VALUES (?, datetime('now'), 1, ?, ?)");
foreach (json_decode(stream_get_contents(STDIN), true, 8, JSON_THROW_ON_ERROR) as $address => $name) {
    $user->execute([$address, $host]);
    $identity->execute([$database->lastInsertId(), $name, $address]);
}
unset($user, $identity, $database);
rename($next, $file);
