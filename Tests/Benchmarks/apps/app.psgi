# As shop.py, for Starman.
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC sleep);
sub stamp {
    open my $file, ">>", $ENV{STAMP_FILE} or die;
    syswrite $file, pack("QQQ", $$, int(clock_gettime(CLOCK_MONOTONIC) * 1e9), $_[0]);
}
stamp(0);
sleep($ENV{BOOT_SECONDS} || 0);
stamp(1);
sub { [200, ["Content-Type" => "text/plain", "Content-Length" => 6], ["hello\n"]] };
