// A plain Node server that says which process answered: on the port in its argument, or on the
// descriptor after `fd`.
const http = require('http');

const [first, second] = process.argv.slice(2);
const place = first === 'fd' ? { fd: Number(second) } : Number(first);
http.createServer((request, response) => {
  response.setHeader('Connection', 'close');
  response.end(`pid ${process.pid}\n`);
}).listen(place);
