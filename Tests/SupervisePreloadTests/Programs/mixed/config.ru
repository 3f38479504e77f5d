# A Rack application that answers everything that mixed.py asks.
run(proc do |environment|
  body = environment['rack.input']&.read || ''
  case environment['PATH_INFO']
  when '/', %r{\A/items/} then [200, {}, ['an item']]
  when '/upload' then [201, {}, [body.bytesize.to_s]]
  when '/stream' then [200, {}, Enumerator.new { |stream| stream << 'one' << 'two' }]
  when '/cached' then [304, {}, []]
  when '/broken' then [500, {}, ['no']]
  else [404, {}, ['no']]
  end
end)
