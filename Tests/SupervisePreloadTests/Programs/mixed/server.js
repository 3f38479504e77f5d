// Node's HTTP server: answers everything that mixed.py asks.
const http = require('http');

http.createServer((request, response) => {
  let length = 0;
  request.on('data', (data) => { length += data.length; });
  request.on('end', () => {
    const path = request.url.split('?')[0];
    if (path === '/stream') {
      response.write('one');
      setImmediate(() => response.end('two'));
    } else if (path === '/' || path.startsWith('/items/')) {
      response.end('an item');
    } else if (path === '/upload') {
      response.writeHead(201).end(String(length));
    } else {
      response.writeHead({ '/cached': 304, '/broken': 500 }[path] ?? 404).end();
    }
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
