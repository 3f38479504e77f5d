<?php
// As shop.py, for php-fpm.
function stamp($kind) {
    $record = pack("Q3", getmypid(), hrtime(true), $kind);
    file_put_contents(getenv("STAMP_FILE"), $record, FILE_APPEND);
}
stamp(0);
usleep((int) (1e6 * (float) getenv("BOOT_SECONDS")));
stamp(1);
echo "hello\n";
