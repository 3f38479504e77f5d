<?php
// A request of 20 ms, or one that is answered when there is a file that says so.
usleep(20000);
$folder = getenv('STAND_IN_FOLDER');
if ($_SERVER['REQUEST_URI'] === '/slow') {
    touch("$folder/begun");
    while (!file_exists("$folder/go")) { usleep(20000); clearstatcache(); }
}
$body = (string) getmypid();
header('Content-Length: ' . strlen($body));
echo $body;
