# As shop.py, for puma and unicorn.
def stamp(kind)
  now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
  File.open(ENV["STAMP_FILE"], "ab") { |file| file.syswrite([Process.pid, now, kind].pack("Q3")) }
end
stamp(0)
sleep ENV.fetch("BOOT_SECONDS", 0).to_f
stamp(1)
run ->(_) { [200, {"content-type" => "text/plain", "content-length" => "6"}, ["hello\n"]] }
