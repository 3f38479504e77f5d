<?php
// PHP's built-in server: answers everything that mixed.py asks.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/' || str_starts_with($path, '/items/')) {
    echo 'an item';
} elseif ($path === '/upload') {
    http_response_code(201);
    echo strlen(file_get_contents('php://input'));
} elseif ($path === '/stream') {
    echo 'one';
    flush();
    echo 'two';
} else {
    http_response_code(['/cached' => 304, '/broken' => 500][$path] ?? 404);
}
