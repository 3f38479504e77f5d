# Ruby's TCPServer with threads: answers everything that mixed.py asks but chunked bodies.
require 'socket'

def answer(path, length)
  case path
  when '/', %r{\A/items/} then [200, 'an item']
  when '/upload' then [201, length.to_s]
  when '/cached' then [304, '']
  when '/broken' then [500, 'no']
  when '/stream' then [200, nil]
  else [404, 'no']
  end
end

def exchange(client)
  request = client.gets or return false
  method, target = request.split
  length = 0
  while (line = client.gets) && line != "\r\n"
    length = line.split[1].to_i if line.downcase.start_with?('content-length:')
    client.write "HTTP/1.1 100 Continue\r\n\r\n" if line.downcase.start_with?('expect:')
  end
  return false if line.nil?
  client.read(length)
  status, body = answer(target.split('?')[0], length)
  head = "HTTP/1.1 #{status} Status\r\n"
  return client.write(head + "\r\n") && false if body.nil? && method == 'HEAD'
  return client.write(head + "\r\n", 'one', 'two') && false if body.nil?
  head += "Content-Length: #{body.bytesize}\r\n" unless status == 304
  client.write head + "\r\n", method == 'HEAD' || status == 304 ? '' : body
  true
end

server = TCPServer.new('127.0.0.1', ARGV[0].to_i)
loop do
  Thread.new(server.accept) do |client|
    nil while exchange(client)
  rescue SystemCallError, IOError
    nil
  ensure
    client.close
  end
end
