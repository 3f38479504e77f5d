# A plain Ruby server that says which process answered: on the port in its argument, or on the
# descriptor after `fd`.
require 'socket'

server = ARGV[0] == 'fd' ? TCPServer.for_fd(ARGV[1].to_i) : TCPServer.new('127.0.0.1', ARGV[0].to_i)
loop do
  client = server.accept
  begin
    while (line = client.gets) && line != "\r\n"; end
    body = "pid #{Process.pid}\n"
    client.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: #{body.size}\r\n\r\n#{body}")
  rescue SystemCallError
    # A client that has gone is no reason to stop.
  ensure
    client.close
  end
end
