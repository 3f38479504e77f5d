# A PSGI application that says which process answered.
sub { [200, ['Content-Type' => 'text/plain'], ["pid $$\n"]] };
