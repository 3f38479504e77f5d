# A PSGI application that answers everything that mixed.py asks.
sub {
    my $environment = shift;
    my ($length, $data) = (0, '');
    $length += length $data while $environment->{'psgi.input'}->read($data, 65536);
    my $path = $environment->{PATH_INFO};
    return [200, [], []] if $environment->{REQUEST_METHOD} eq 'HEAD';
    return [200, [], ['an item']] if $path eq '/' || $path =~ m{^/items/};
    return [201, [], ["$length"]] if $path eq '/upload';
    return [304, [], []] if $path eq '/cached';
    return [500, [], ['no']] if $path eq '/broken';
    return [404, [], ['no']] if $path ne '/stream';
    sub {
        my $writer = shift->([200, []]);
        $writer->write($_) for 'one', 'two';
        $writer->close;
    }
};
