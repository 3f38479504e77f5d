# A Rack application that says which process answered.
run(proc { [200, { 'content-type' => 'text/plain' }, ["pid #{Process.pid}\n"]] })
