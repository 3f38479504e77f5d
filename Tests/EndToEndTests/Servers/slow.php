<?php
// A request of 20 ms, or of 3 s.
$isSlow = $_SERVER['REQUEST_URI'] === '/slow';
if ($isSlow) file_put_contents(getenv('STAND_IN_FOLDER') . '/begun', 'x');
usleep($isSlow ? 3000000 : 20000);
$body = (string) getmypid();
header('Content-Length: ' . strlen($body));
echo $body;
